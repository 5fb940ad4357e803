#include <assert.h>
#include <stdio.h>

#include "lib/file.h"
#include "lib/ipset_build.h"
#include "lib/log.h"

static void
ipset_builder_undo(void *arg)
{
	struct ipset_builder *builder = arg;

	ipset_spans_free(&builder->four);
	ipset_spans_free(&builder->six);
}

struct ipset_builder *
ipset_builder_new(struct arena *arena)
{
	struct ipset_builder *builder = arena_alloc(arena, sizeof(*builder));

	builder->arena = arena;
	builder->six.is_six = true;
	arena_defer(arena, ipset_builder_undo, builder);
	return builder;
}

int
ipset_builder_source(struct ipset_builder *builder, const char *name)
{
	if (builder->sources == IPSET_SOURCES_MOST)
		return -1;
	builder->names[builder->sources] = arena_strdup(builder->arena, name);
	return builder->sources++;
}

static void
ipset_builder_add_span(struct ipset_builder *builder, int source, uint32_t line,
    const struct ip *first, const struct ip *last)
{
	struct ipset_span span = {
		.first = ipset_number_of(first),
		.last = ipset_number_of(last),
		.tag = (uint32_t)source << IPSET_TAG_LINE_BITS | line,
	};

	assert(source >= 0 && source < builder->sources && line >= 1 && line <= IPSET_LINE_MOST);
	assert(first->length == last->length && first->length != 0);
	ipset_spans_add(first->length == 4 ? &builder->four : &builder->six, &span);
}

void
ipset_builder_add(
    struct ipset_builder *builder, int source, uint32_t line, const struct network *network)
{
	struct ip last = network->ip;

	for (unsigned bit = network->bits; bit < last.length * 8u; bit++)
		last.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	ipset_builder_add_span(builder, source, line, &network->ip, &last);
}

static bool
ipset_is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

/* What stands before the first `mark`; all, if there is none. */
static struct slice
ipset_before(struct slice text, char mark)
{
	const char *end = text.length > 0 ? memchr(text.data, mark, text.length) : NULL;

	if (end != NULL)
		text.length = (size_t)(end - text.data);
	return text;
}

static bool
ipset_complain(char *why, const char *format, struct slice text)
{
	char shown[64];

	if (why != NULL)
		snprintf(why, IPSET_WHY_MOST, format, log_printable(shown, sizeof(shown), text));
	return false;
}

static bool
ipset_builder_add_range(
    struct ipset_builder *builder, int source, uint32_t line, struct slice text, char *why)
{
	struct slice low = ipset_before(text, '-');
	struct slice high = { .data = low.data + low.length + 1,
		.length = text.length - low.length - 1 };
	struct ip first, last;

	if (!ip_read(&first, slice_trim(low, ipset_is_blank)) ||
	    !ip_read(&last, slice_trim(high, ipset_is_blank)))
		return ipset_complain(why, "\"%s\" is no range of addresses", text);
	if (first.length != last.length)
		return ipset_complain(why, "\"%s\" mixes IPv4 and IPv6", text);
	if (ip_compare(&first, &last) > 0)
		return ipset_complain(why, "\"%s\" ends before it begins", text);
	ipset_builder_add_span(builder, source, line, &first, &last);
	return true;
}

bool
ipset_builder_add_text(struct ipset_builder *builder, int source, uint32_t line, struct slice text,
    char why[IPSET_WHY_MOST])
{
	struct network network;

	text = slice_trim(text, ipset_is_blank);
	if (text.length > 0 && memchr(text.data, '-', text.length) != NULL)
		return ipset_builder_add_range(builder, source, line, text, why);
	if (!network_read(&network, text, why))
		return false;
	ipset_builder_add(builder, source, line, &network);
	return true;
}

static void
ipset_builder_read_line(struct ipset_builder *builder, int source, uint32_t line, struct slice text,
    struct ipset_report *report)
{
	bool is_kept = report->bad < IPSET_FAULTS_MOST;
	struct ipset_fault *fault = is_kept ? &report->faults[report->bad] : NULL;

	if (text.length > 0 && text.data[text.length - 1] == '\r')
		text.length--;
	text = slice_trim(ipset_before(ipset_before(text, '#'), ';'), ipset_is_blank);
	if (text.length == 0)
		return;
	if (ipset_builder_add_text(builder, source, line, text, is_kept ? fault->why : NULL)) {
		report->entries++;
		return;
	}
	if (is_kept)
		fault->line = line;
	report->bad++;
}

bool
ipset_builder_read(
    struct ipset_builder *builder, int source, struct slice text, struct ipset_report *report)
{
	size_t four = builder->four.count, six = builder->six.count;
	uint32_t line = 0;

	*report = (struct ipset_report) { 0 };
	if (text.length >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
		text = (struct slice) { .data = text.data + 3, .length = text.length - 3 };
	while (text.length > 0) {
		struct slice this = ipset_before(text, '\n');
		size_t used = this.length < text.length ? this.length + 1 : this.length;

		if (line == IPSET_LINE_MOST) {
			builder->four.count = four;
			builder->six.count = six;
			snprintf(report->why, sizeof(report->why), "more than %u lines", line);
			return false;
		}
		ipset_builder_read_line(builder, source, ++line, this, report);
		text = (struct slice) { .data = text.data + used, .length = text.length - used };
	}
	return true;
}

bool
ipset_builder_file(
    struct ipset_builder *builder, int source, const char *path, struct ipset_report *report)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct file file;
	bool is_read = file_read(arena, path, IPSET_FILE_MOST, &file);

	if (is_read) {
		is_read = ipset_builder_read(builder, source, file.bytes, report);
	} else {
		*report = (struct ipset_report) { 0 };
		snprintf(report->why, sizeof(report->why), "%s", file.fault);
	}
	arena_free(arena);
	return is_read;
}
