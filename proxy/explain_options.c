#include "proxy/explain_options.h"

#include <getopt.h>
#include <stdio.h>

#include "lib/smtp.h"

static const char explain_usage[] =
    "usage: postern [-c FILE] explain FILE.eml --ip A [--helo H] [--from F] [--rcpt R]...\n"
    "                                 [--user U] [--tls VERSION] [--json]\n";

static const struct option explain_words[] = {
	{ "ip", required_argument, NULL, 'i' },
	{ "helo", required_argument, NULL, 'h' },
	{ "from", required_argument, NULL, 'f' },
	{ "rcpt", required_argument, NULL, 'r' },
	{ "user", required_argument, NULL, 'u' },
	{ "tls", required_argument, NULL, 't' },
	{ "json", no_argument, NULL, 'j' },
	{ 0 },
};

static bool
explain_is_wrong(const char *option, const char *value, const char *why)
{
	fprintf(stderr, "postern explain: --%s %s: %s\n", option, value, why);
	return false;
}

/* As a client would say it: with or without angle brackets here. */
static struct slice
explain_path_text(struct arena *arena, const char *before, const char *value)
{
	bool is_bracketed = value[0] == '<';

	return slice_of(arena_format(
	    arena, "%s:%s%s%s", before, is_bracketed ? "" : "<", value, is_bracketed ? "" : ">"));
}

static bool
explain_read_from(struct explain_options *options, struct arena *arena, const char *value)
{
	struct slice rest = { "", 0 };
	const struct smtp_fault *fault =
	    smtp_path_read_reverse(&options->from, explain_path_text(arena, "FROM", value), &rest);

	if (fault != NULL)
		return explain_is_wrong("from", value, fault->text);
	return rest.length == 0 || explain_is_wrong("from", value, "not an address");
}

static bool
explain_read_recipient(struct explain_options *options, struct arena *arena, const char *value)
{
	struct slice rest = { "", 0 };
	const struct smtp_fault *fault = smtp_path_read_forward(
	    &options->recipients[options->count], explain_path_text(arena, "TO", value), &rest);

	if (fault != NULL)
		return explain_is_wrong("rcpt", value, fault->text);
	options->count++;
	return rest.length == 0 || explain_is_wrong("rcpt", value, "not an address");
}

static bool
explain_read_helo(struct explain_options *options, const char *value)
{
	const struct smtp_fault *fault;
	struct slice name;

	options->helo = value;
	fault = smtp_helo_read(&name, slice_of(value));
	if (fault != NULL)
		return explain_is_wrong("helo", value, fault->text);
	return name.length == strlen(value) || explain_is_wrong("helo", value, "not one word");
}

static bool
explain_read_tls(struct explain_options *options, const char *value)
{
	static const char *const versions[] = { "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3" };

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (strcmp(value, versions[i]) == 0)
			options->tls = versions[i];
	return options->tls != NULL ||
	    explain_is_wrong("tls", value, "a version such as TLSv1.3 is expected");
}

static bool
explain_read_word(struct explain_options *options, struct arena *arena, int word, const char *value)
{
	switch (word) {
	case 'i':
		return ip_read(&options->ip, slice_of(value)) ||
		    explain_is_wrong("ip", value, "not an address");
	case 'h':
		return explain_read_helo(options, value);
	case 'f':
		return explain_read_from(options, arena, value);
	case 'r':
		return explain_read_recipient(options, arena, value);
	case 'u':
		options->user = value;
		return value[0] != '\0' || explain_is_wrong("user", value, "empty");
	case 't':
		return explain_read_tls(options, value);
	case 'j':
		options->is_json = true;
		return true;
	}
	fputs(explain_usage, stderr); /* getopt has said what is wrong */
	return false;
}

/* What was not given. */
static bool
explain_complete(struct explain_options *options, struct arena *arena)
{
	char text[IP_TEXT_MOST];

	if (options->helo == NULL)
		options->helo = arena_format(arena, "[%s%s]",
		    options->ip.length == 16 ? "IPv6:" : "", ip_text(text, &options->ip));
	return options->count > 0 || explain_read_recipient(options, arena, "postmaster");
}

bool
explain_options_read(struct explain_options *options, struct arena *arena, int argc, char **argv)
{
	int word;

	*options = (struct explain_options) { .from = { .is_null = true } };
	options->recipients = arena_alloc(arena, ((size_t)argc + 1) * sizeof(*options->recipients));
	if (!explain_read_from(options, arena, ""))
		return false;
	while ((word = getopt_long(argc, argv, "", explain_words, NULL)) != -1)
		if (!explain_read_word(options, arena, word, optarg))
			return false;
	if (optind != argc - 1 || options->ip.length == 0) {
		fprintf(stderr, "postern explain: %s\n%s",
		    options->ip.length == 0 ? "--ip is missing" : "one FILE is expected",
		    explain_usage);
		return false;
	}
	options->file = argv[optind];
	return explain_complete(options, arena);
}
