/* How fast the addresses of a message are found, in chunks as they come from the decoders. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/uri_page.h"

enum { TEXT = 4 * 1024 * 1024, CHUNK = 4 * 1024, ROUNDS = 5 };

struct bench_sums {
	uint64_t found;
};

static void
bench_found(void *arg, const struct uri *uri)
{
	struct bench_sums *sums = arg;

	(void)uri;
	sums->found++;
}

static void
bench_text(void *arg, enum html_text kind, struct slice text)
{
	struct bench_sums *sums = arg;

	(void)kind;
	sums->found += text.length > 0;
}

static void
bench_link(void *arg, enum html_link_kind kind, struct slice value)
{
	bench_text(arg, HTML_SHOWN, value);
	(void)kind;
}

static void
bench_leave(void *arg)
{
	(void)arg;
}

static char *
bench_repeat(const char *piece)
{
	char *text = malloc(TEXT);
	size_t length = strlen(piece);

	assert(text != NULL);
	for (size_t i = 0; i < TEXT; i++)
		text[i] = piece[i % length];
	return text;
}

static double
bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

enum bench_reader { BENCH_HTML, BENCH_PAGE, BENCH_SCAN };

static void
bench_once(enum bench_reader reader, const char *text, struct bench_sums *sums)
{
	static struct uri_page page;
	static struct uri_scan scan;
	static struct html html;
	const struct uri_sink sink = { bench_found, sums };
	const struct html_sink parts = { bench_text, bench_link, bench_leave, sums };

	html_init(&html, &parts);
	uri_page_init(&page, &sink);
	uri_scan_init(&scan, URI_IN_TEXT, &sink);
	for (size_t at = 0; at < TEXT; at += CHUNK) {
		struct slice chunk = { text + at, CHUNK };

		if (reader == BENCH_HTML)
			html_feed(&html, chunk);
		else if (reader == BENCH_PAGE)
			uri_page_feed(&page, chunk);
		else
			uri_scan_feed(&scan, chunk);
	}
}

/* The best of some rounds. */
static void
bench_run(const char *name, enum bench_reader reader, const char *piece)
{
	char *text = bench_repeat(piece);
	struct bench_sums sums = { 0 };
	double best = 1e9;

	for (int round = 0; round < ROUNDS; round++) {
		double start = bench_now();

		bench_once(reader, text, &sums);
		double seconds = bench_now() - start;

		best = seconds < best ? seconds : best;
	}
	printf("%-44s %8.1f MB/s %10.1f found a MB\n", name, TEXT / best / 1e6,
	    (double)sums.found / ROUNDS / TEXT * 1e6);
	free(text);
}

static const char newsletter[] =
    "<tr><td align=\"center\" style=\"padding:20px "
    "10px;font-family:Arial,sans-serif;font-size:14px;"
    "color:#333333\"><a href=\"https://click.news.example.com/u/?qs=8f3a1c2b9d&amp;id=4711\" "
    "target=\"_blank\" style=\"color:#0066cc;text-decoration:none\"><img src=\"https://img.news."
    "example.com/2025/11/header_600x200.png\" width=\"600\" height=\"200\" alt=\"This week\" "
    "style=\"display:block;border:0\"></a></td></tr>\r\n"
    "<tr><td style=\"padding:0 30px\"><h2>What happened this week</h2><p>Lorem ipsum dolor sit "
    "amet,"
    " consetetur sadipscing elitr, sed diam nonumy eirmod tempor invidunt ut labore et dolore "
    "magna "
    "aliquyam erat, sed diam voluptua. At vero eos et accusam et justo duo dolores et ea rebum. "
    "Stet "
    "clita kasd gubergren, no sea takimata sanctus est. More at www.example.org/news or write to "
    "news@example.com.&nbsp;&copy; 2025</p></td></tr>\r\n";

static const char prose[] = "Lorem ipsum dolor sit amet, consetetur sadipscing elitr, sed diam "
			    "nonumy eirmod tempor invidunt\r\n"
			    "ut labore et dolore magna aliquyam erat, sed diam voluptua. At vero "
			    "eos et accusam et justo duo\r\n"
			    "dolores et ea rebum. See https://www.example.com/article?id=4711 and "
			    "example.org for more.\r\n";

int
main(void)
{
	bench_run("newsletter, tokens", BENCH_HTML, newsletter);
	bench_run("newsletter, addresses", BENCH_PAGE, newsletter);
	bench_run("prose, addresses", BENCH_SCAN, prose);
	bench_run("prose as HTML, addresses", BENCH_PAGE, prose);
	bench_run("words only", BENCH_SCAN, "lorem ipsum dolor sit amet ");
	bench_run("one word without end", BENCH_SCAN, "x");
	bench_run("hosts and nothing else", BENCH_SCAN, "a.example.com ");
	bench_run("addresses glued together", BENCH_SCAN, "http://a.example.com");
	bench_run("schemes without end", BENCH_SCAN, "http://");
	bench_run(
	    "nested addresses", BENCH_SCAN, "http://a.example.com/?u=http%3A%2F%2Fb.example.net ");
	bench_run("dots and @", BENCH_SCAN, "a.b@");
	bench_run("one tag of attributes", BENCH_PAGE, " a=1");
	bench_run("links without an end", BENCH_PAGE, "<a href=\"http://a.example.com/\">x");
	bench_run("opened elements", BENCH_PAGE, "<div>");
	bench_run("ampersands", BENCH_PAGE, "&");
	bench_run("references", BENCH_PAGE, "&lt;&#104;");
	bench_run("less-thans", BENCH_PAGE, "<");
	bench_run("conditional comments", BENCH_PAGE, "<!--[if mso]><p>x");
	bench_run("style", BENCH_PAGE,
	    "<style>p { color: red } a:hover{background:url(http://a.example.com)} </style>");
	bench_run("style attributes", BENCH_PAGE,
	    "<p style=\"font-size:14px;color:#333333;padding:0 30px\">");
	return 0;
}
