#include "proxy/ban_command.h"

#include <netdb.h>
#include <stdio.h>
#include <sysexits.h>

#include "lib/ban.h"
#include "lib/option_value.h"
#include "proxy/control.h"
#include "rules/config.h"

enum { DAY = 86400, YEARS = 10 * 365 * DAY };

/* ---- asking ---- */

/* The answer's status; what went wrong is said. */
static int
ban_ask(const char *file, const char *line, struct buf *answer)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct faults faults;
	const char *why = NULL;
	int status = EX_CONFIG;

	faults_init(&faults, arena);
	const char *run_dir = config_run_dir(arena, file, &faults);

	if (run_dir == NULL)
		faults_print(&faults, stderr);
	else
		status = control_ask(run_dir, line, answer, &why);
	if (status < 0) {
		fprintf(stderr, "postern: %s/control: %s\n", run_dir, why);
		status = EX_UNAVAILABLE;
	}
	arena_free(arena);
	return status;
}

static int
ban_ask_and_print(const char *file, const char *line)
{
	struct buf answer = { .limit = CONTROL_ANSWER_MOST };
	int status = ban_ask(file, line, &answer);

	fwrite(answer.data != NULL ? answer.data : "", 1, answer.length,
	    status == EX_OK ? stdout : stderr);
	buf_free(&answer);
	return status;
}

/* ---- ban ---- */

struct ban_words {
	const char *network, *reason;
	struct seconds time;
};

static bool
ban_read_time(struct seconds *time, const char *text)
{
	static const struct option row = {
		.key = "--for", .kind = OPTION_TIME, .min = 1, .max = YEARS
	};

	if (option_value_read(&row, text, time))
		return true;
	fprintf(stderr, "postern ban: --for %s: expected ", text);
	option_value_expected(stderr, &row);
	fputc('\n', stderr);
	return false;
}

static bool
ban_read_words(struct ban_words *words, int argc, char **argv)
{
	*words = (struct ban_words) { .reason = "", .time = { 3600 } };
	for (int i = 1; i < argc; i++) {
		bool has_value = i + 1 < argc;

		if (strcmp(argv[i], "--for") == 0 && has_value) {
			if (!ban_read_time(&words->time, argv[++i]))
				return false;
		} else if (strcmp(argv[i], "--reason") == 0 && has_value) {
			words->reason = argv[++i];
		} else if (words->network == NULL && argv[i][0] != '-') {
			words->network = argv[i];
		} else {
			words->network = NULL;
			break;
		}
	}
	if (words->network == NULL)
		fprintf(stderr, "usage: postern ban IP|NETWORK [--for 1h] [--reason TEXT]\n");
	else if (strlen(words->reason) >= BAN_REASON_MOST)
		fprintf(
		    stderr, "postern ban: a reason has at most %d bytes\n", BAN_REASON_MOST - 1);
	return words->network != NULL && strlen(words->reason) < BAN_REASON_MOST;
}

static bool
ban_has_address(const struct network *network, const char *host)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	bool has = false;
	struct ip ip;

	if (getaddrinfo(host, NULL, &hints, &list) != 0)
		return false;
	for (const struct addrinfo *one = list; one != NULL && !has; one = one->ai_next)
		has = ip_from_sockaddr(&ip, one->ai_addr) && network_has(network, &ip);
	freeaddrinfo(list);
	return has;
}

/* The mail server that this would ban, of those which the configuration has by name. The master
 * cannot wait for names; it knows the others. */
static const char *
ban_backend(struct arena *arena, const char *file, const struct network *network)
{
	struct faults faults;

	faults_init(&faults, arena);
	const struct config *config = config_read(arena, file, &faults);

	for (size_t i = 0; config != NULL && i < config->backend.servers.count; i++) {
		const struct config_server *server = &config->backend.servers.item[i];

		if (server->ip.length == 0 && ban_has_address(network, server->host))
			return server->text;
	}
	return NULL;
}

static bool
ban_is_good(const char *file, const struct ban_words *words)
{
	struct arena *arena = arena_new(SIZE_MAX);
	char why[NETWORK_WHY_MOST];
	const char *backend = NULL;
	struct network network;
	bool is_network = network_read(&network, slice_of(words->network), why);

	if (is_network)
		backend = ban_backend(arena, file, &network);
	else
		fprintf(stderr, "postern ban: %s\n", why);
	if (backend != NULL)
		fprintf(stderr, "postern ban: this would ban the mail server %s\n", backend);
	arena_free(arena);
	return is_network && backend == NULL;
}

int
ban_main(const char *file, int argc, char **argv)
{
	struct ban_words words;
	char line[CONTROL_LINE];

	if (!ban_read_words(&words, argc, argv))
		return EX_USAGE;
	if (!ban_is_good(file, &words))
		return EX_DATAERR;
	snprintf(
	    line, sizeof(line), "ban %.49s %.3f %s", words.network, words.time.value, words.reason);
	return ban_ask_and_print(file, line);
}

/* ---- unban, bans ---- */

int
unban_main(const char *file, int argc, char **argv)
{
	char line[CONTROL_LINE];

	if (argc != 2) {
		fprintf(stderr, "usage: postern unban IP|NETWORK\n");
		return EX_USAGE;
	}
	snprintf(line, sizeof(line), "unban %.200s", argv[1]);
	return ban_ask_and_print(file, line);
}

/* Prints the page; the line "after NETWORK" at its end is for us. Whether there was one. */
static bool
ban_print_page(struct slice page, char after[NETWORK_TEXT_MOST], bool is_json, bool *is_first)
{
	static const char mark[] = "after ";

	while (page.length > 0) {
		const char *end = memchr(page.data, '\n', page.length);
		size_t length = end != NULL ? (size_t)(end - page.data) : page.length;

		if (length > sizeof(mark) && memcmp(page.data, mark, sizeof(mark) - 1) == 0) {
			snprintf(after, NETWORK_TEXT_MOST, "%.*s", (int)(length + 1 - sizeof(mark)),
			    page.data + sizeof(mark) - 1);
			return true;
		}
		printf("%s%.*s%s", is_json && !*is_first ? ",\n" : "", (int)length, page.data,
		    is_json ? "" : "\n");
		*is_first = false;
		length += end != NULL;
		page = (struct slice) { page.data + length, page.length - length };
	}
	return false;
}

static int
ban_print_list(const char *file, bool is_json)
{
	struct buf answer = { .limit = CONTROL_ANSWER_MOST };
	char line[CONTROL_LINE], after[NETWORK_TEXT_MOST] = "";
	bool is_first = true, has_more = true;
	int status = EX_OK;

	while (status == EX_OK && has_more) {
		snprintf(line, sizeof(line), "bans %s %s", is_json ? "json" : "text", after);
		buf_clear(&answer);
		status = ban_ask(file, line, &answer);
		if (status != EX_OK) {
			fwrite(answer.data != NULL ? answer.data : "", 1, answer.length, stderr);
			break;
		}
		if (is_json && is_first && after[0] == '\0')
			putchar('[');
		has_more = ban_print_page(buf_slice(&answer), after, is_json, &is_first);
	}
	if (status == EX_OK && is_json)
		printf("]\n");
	buf_free(&answer);
	return status;
}

int
bans_main(const char *file, int argc, char **argv)
{
	bool is_json = argc == 2 && strcmp(argv[1], "--json") == 0;

	if (argc > 1 && !is_json) {
		fprintf(stderr, "usage: postern bans [--json]\n");
		return EX_USAGE;
	}
	return ban_print_list(file, is_json);
}
