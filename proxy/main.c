/*
 * main: the program's commands.
 *
 *	postern [-c FILE] COMMAND [...]
 *
 * Exit statuses follow sysexits: 0 good, 64 wrong words, 78 a faulty configuration, ...
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "proxy/ban_command.h"
#include "proxy/check.h"
#include "proxy/control.h"
#include "proxy/dkim_key.h"
#include "proxy/explain.h"
#include "proxy/master.h"
#include "proxy/sink.h"
#include "rules/config.h"

static int
main_run(const char *file, int argc, char **argv)
{
	(void)argv;
	if (argc > 1) {
		fprintf(stderr, "postern run takes no arguments\n");
		return EX_USAGE;
	}
	return master_run(file);
}

/* Commands that the running master answers: the line is the command's own name. */
static int
main_ask(const char *file, int argc, char **argv)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct buf answer = { .limit = CONTROL_ANSWER_MOST };
	struct faults faults;
	const char *why;

	faults_init(&faults, arena);
	const char *run_dir = config_run_dir(arena, file, &faults);

	if (run_dir == NULL) {
		faults_print(&faults, stderr);
		return EX_CONFIG;
	}
	if (argc > 1) {
		fprintf(stderr, "postern %s takes no arguments\n", argv[0]);
		return EX_USAGE;
	}
	int status = control_ask(run_dir, argv[0], &answer, &why);

	if (status < 0)
		fprintf(stderr, "postern: %s/control: %s\n", run_dir, why);
	fwrite(answer.data != NULL ? answer.data : "", 1, answer.length,
	    status == EX_OK ? stdout : stderr);
	buf_free(&answer);
	arena_free(arena);
	return status < 0 ? EX_UNAVAILABLE : status;
}

static const struct verb {
	const char *name;
	const char *words;
	const char *summary;
	int (*run)(const char *file, int argc, char **argv);
} verbs[] = {
	{ "run", "", "serve, in the foreground", main_run },
	{ "check", "[--print] [--live]", "read the configuration and say what is wrong",
	    check_main },
	{ "explain", "FILE.eml --ip A [--helo H] [--from F] [--rcpt R] [--json]",
	    "facts and verdict for a message; nothing is sent", explain_main },
	{ "dkim-key", "new DOMAIN [--selector S] [--type rsa|ed25519] [--bits N] [--out FILE]",
	    "a key to sign mail with, and its record for DNS; also: show FILE", dkim_key_main },
	{ "reload", "", "let the running postern read its configuration again", main_ask },
	{ "status", "", "counters of the running postern, as JSON", main_ask },
	{ "ban", "IP|NETWORK [--for 1h] [--reason TEXT]", "keep clients out for a while",
	    ban_main },
	{ "unban", "IP|NETWORK", "let them in again", unban_main },
	{ "bans", "[--json]", "who is banned, by whom and until when", bans_main },
	{ "sink", "--listen ADDR:PORT --maildir DIR [--cert FILE --key FILE]",
	    "a small mail server that keeps what it gets, to try things out", sink_main },
};

static void
main_usage(FILE *out)
{
	fprintf(out, "usage: postern [-c FILE] COMMAND ...\n\n");
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		fprintf(out, "  %-8s %s\n           %s\n", verbs[i].name, verbs[i].words,
		    verbs[i].summary);
	fprintf(out, "\nFILE is %s/postern.yaml if not given.\n", POSTERN_SYSCONFDIR);
}

int
main(int argc, char **argv)
{
	const char *file = POSTERN_SYSCONFDIR "/postern.yaml";
	int at = 1;

	if (at < argc && strcmp(argv[at], "--version") == 0) {
		puts("postern " POSTERN_VERSION);
		return EX_OK;
	}
	if (at < argc && (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0)) {
		main_usage(stdout);
		return EX_OK;
	}
	if (at + 1 < argc && strcmp(argv[at], "-c") == 0) {
		file = argv[at + 1];
		at += 2;
	}
	for (size_t i = 0; at < argc && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(argv[at], verbs[i].name) == 0)
			return verbs[i].run(file, argc - at, argv + at);
	if (at < argc)
		fprintf(stderr, "postern: there is no command \"%s\"\n", argv[at]);
	main_usage(stderr);
	return EX_USAGE;
}
