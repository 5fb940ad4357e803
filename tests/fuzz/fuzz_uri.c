/*
 * Addresses in text, in attributes and in CSS, and hosts. The first octet says how the text is cut;
 * what is told must be the same as of the whole.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/css_url.h"
#include "lib/uri_scan.h"
#include "tests/fuzz/uri_sum.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sum
read_text(struct slice source, size_t step)
{
	struct uri_scan *scan = malloc(sizeof(*scan));
	struct sum sum = sum_of_nothing;
	const struct uri_sink sink = { on_found, &sum };

	assert(scan != NULL);
	uri_scan_init(scan, URI_IN_TEXT, &sink);
	for (size_t at = 0; at < source.length; at += step) {
		size_t length = source.length - at < step ? source.length - at : step;
		char *copy = malloc(length); /* so that no byte beyond is read unseen */

		assert(copy != NULL);
		memcpy(copy, source.data + at, length);
		uri_scan_feed(scan, (struct slice) { copy, length });
		free(copy);
	}
	uri_scan_end(scan);
	free(scan);
	return sum;
}

static void
on_css(void *arg, struct slice value)
{
	sum_add(arg, value.data, value.length);
}

static struct sum
read_css(struct slice source, size_t step)
{
	struct sum sum = sum_of_nothing;
	struct css_url css;

	css_url_init(&css, on_css, &sum);
	for (size_t at = 0; at < source.length; at += step) {
		size_t length = source.length - at < step ? source.length - at : step;

		css_url_feed(&css, (struct slice) { source.data + at, length });
	}
	css_url_end(&css);
	return sum;
}

/* What was read once is read as itself, but for IPv6, whose brackets are gone. */
static void
check_host(struct slice text)
{
	struct host_form form, again;

	if (!host_form_read(&form, text) || form.kind == HOST_IP6)
		return;
	assert(host_form_read(&again, slice_of(form.text)));
	assert(strcmp(form.text, again.text) == 0 && form.kind == again.kind);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct slice text = { (const char *)data + 1, size - 1 };
	size_t step = data[0] % 32 + 1;
	struct sum whole = read_text(text, size), cut = read_text(text, step);
	struct uri_base base = { 0 };
	const struct uri_sink sink = { on_found, &cut };

	assert(whole.hash == cut.hash && whole.count == cut.count);
	assert(read_css(text, size).hash == read_css(text, step).hash);
	check_host(text);
	uri_read(text, URI_IN_LINK, &base, &sink);
	uri_set_base(text, &base, &sink);
	uri_read(text, URI_IN_LINK, &base, &sink);
	return 0;
}
