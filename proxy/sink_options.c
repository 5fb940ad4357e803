#include "proxy/sink_options.h"

#include <unistd.h>

#include "lib/nearest.h"
#include "lib/option_value.h"
#include "lib/smtp.h"

enum { SINK_DAY = 86400 };

static const struct option sink_rows[] = {
	OPTION(sink_options, listen, .required = true,
	    .expected = "an address and port such as 127.0.0.1:2526 or \"*:2526\""),
	OPTION(sink_options, maildir, .required = true, .expected = "a folder"),
	OPTION(sink_options, cert, .expected = "a PEM file"),
	OPTION(sink_options, key, .expected = "a PEM file"),
	OPTION(sink_options, size, .fallback = "100M"),
	OPTION(sink_options, idle, .fallback = "300", .min = 0.05, .max = SINK_DAY),
	OPTION(sink_options, hostname, .expected = "a host name such as backend.example.com"),
	OPTION(sink_options, envelope),
	{ 0 },
};

static bool
sink_options_usage(void)
{
	fputs("usage: postern sink --listen ADDR:PORT --maildir DIR [--cert FILE --key FILE]\n"
	      "                    [--size N] [--idle SECONDS] [--hostname NAME] [--envelope]\n",
	    stderr);
	return false;
}

static bool
sink_options_unknown(const char *word)
{
	struct nearest nearest = nearest_to(word + strspn(word, "-"));

	for (const struct option *row = sink_rows; row->key != NULL; row++)
		nearest_offer(&nearest, row->key);
	fprintf(stderr, "postern sink: there is no option \"%s\"", word);
	if (nearest.name != NULL)
		fprintf(stderr, "; --%s?", nearest.name);
	fputc('\n', stderr);
	return sink_options_usage();
}

/* text NULL: there is none. */
static bool
sink_options_impossible(const struct option *row, const char *text)
{
	fprintf(stderr, "postern sink: --%s ", row->key);
	if (text != NULL)
		fprintf(stderr, "\"%s\": expected is ", text);
	else
		fputs("needs ", stderr);
	option_value_expected(stderr, row);
	fputc('\n', stderr);
	return sink_options_usage();
}

static bool
sink_options_read_value(struct sink_options *options, const struct option *row, const char *text)
{
	struct slice name;

	if (!option_value_read(row, text, (char *)options + row->offset))
		return false;
	if (row->offset == offsetof(struct sink_options, listen))
		return endpoint_read(&options->endpoint, slice_of(text));
	if (row->offset == offsetof(struct sink_options, hostname))
		return smtp_helo_read(&name, slice_of(text)) == NULL;
	return true;
}

static void
sink_options_set_fallbacks(struct sink_options *options, struct arena *arena)
{
	enum { HOST_MOST = 256 };
	char *host = arena_alloc(arena, HOST_MOST);

	*options = (struct sink_options) { .hostname = host };
	if (gethostname(host, HOST_MOST - 1) != 0 || host[0] == '\0')
		options->hostname = "localhost";
	option_value_fallbacks(sink_rows, options);
}

static bool
sink_options_check(const struct sink_options *options)
{
	for (const struct option *row = sink_rows; row->key != NULL; row++) {
		const char *text = NULL;

		if (row->required)
			memcpy(&text, (const char *)options + row->offset, sizeof(text));
		if (row->required && text == NULL) {
			fprintf(stderr, "postern sink: --%s is missing\n", row->key);
			return sink_options_usage();
		}
	}
	if ((options->cert == NULL) == (options->key == NULL))
		return true;
	fputs("postern sink: --cert and --key belong together\n", stderr);
	return sink_options_usage();
}

bool
sink_options_read(struct sink_options *options, struct arena *arena, int argc, char **argv)
{
	sink_options_set_fallbacks(options, arena);
	for (int i = 1; i < argc; i++) {
		const struct option *row = option_value_row(sink_rows, argv[i]);

		if (row == NULL)
			return sink_options_unknown(argv[i]);
		if (row->kind == OPTION_BOOL)
			*(bool *)((char *)options + row->offset) = true;
		else if (++i == argc)
			return sink_options_impossible(row, NULL);
		else if (!sink_options_read_value(options, row, argv[i]))
			return sink_options_impossible(row, argv[i]);
	}
	return sink_options_check(options);
}
