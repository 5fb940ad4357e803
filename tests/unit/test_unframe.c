#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/unframe.h"

enum { MOST = 4096 };

struct gathered {
	char wire[MOST], content[MOST];
	size_t wire_length, content_length;
	size_t wire_pieces, content_pieces;
};

struct outcome {
	struct gathered out;
	struct unframe unframe;
	size_t used;
};

static void
gather_wire(void *arg, struct slice piece)
{
	struct gathered *out = arg;

	assert_true(piece.length > 0 && out->wire_length + piece.length <= MOST);
	memcpy(out->wire + out->wire_length, piece.data, piece.length);
	out->wire_length += piece.length;
	out->wire_pieces++;
}

static void
gather_content(void *arg, struct slice piece)
{
	struct gathered *out = arg;

	assert_true(piece.length > 0 && out->content_length + piece.length <= MOST);
	memcpy(out->content + out->content_length, piece.data, piece.length);
	out->content_length += piece.length;
	out->content_pieces++;
}

/* The pieces between the cuts, each in a block of its own; then the finish of chunks. */
static void
run(struct outcome *outcome, enum unframe_framing framing, enum unframe_mode mode,
    struct slice text, size_t first, size_t further)
{
	struct unframe_sink sink = { gather_wire, gather_content, &outcome->out };

	memset(outcome, 0, sizeof(*outcome));
	unframe_init(&outcome->unframe, framing, mode);
	for (size_t length = first; outcome->used < text.length; length = further) {
		if (length > text.length - outcome->used)
			length = text.length - outcome->used;
		char *copy = malloc(length > 0 ? length : 1);

		memcpy(copy, text.data + outcome->used, length);
		size_t used =
		    unframe_feed(&outcome->unframe, (struct slice) { copy, length }, &sink);

		free(copy);
		outcome->used += used;
		if (unframe_is_done(&outcome->unframe))
			return;
		assert_int_equal(used, length);
	}
	if (framing == UNFRAME_CHUNKS)
		unframe_finish(&outcome->unframe, &sink);
}

/* The same by three plain passes over octets. First: the end is found, the stuffing goes. */
static size_t
expect_raw(struct outcome *want, enum unframe_framing framing, struct slice text, char *raw)
{
	bool is_line = true, is_done = false;
	size_t length = 0, i = 0;

	while (i < text.length && !is_done) {
		size_t left = text.length - i;
		const char *at = text.data + i;

		if (framing == UNFRAME_DATA && is_line && at[0] == '.') {
			is_done = left >= 3 && at[1] == '\r' && at[2] == '\n';
			i += is_done ? 3 : 1;
			is_line = false;
		} else if (left >= 2 && at[0] == '\r' && at[1] == '\n') {
			raw[length++] = '\r';
			raw[length++] = '\n';
			is_line = true;
			i += 2;
		} else {
			raw[length++] = at[0];
			is_line = false;
			i++;
		}
	}
	want->used = i;
	return length;
}

/* Second: bare CR and LF are mended. */
static void
expect_content(struct outcome *want, enum unframe_mode mode, struct slice raw)
{
	struct gathered *out = &want->out;

	for (size_t i = 0; i < raw.length; i++) {
		char c = raw.data[i];
		bool is_pair = c == '\r' && i + 1 < raw.length && raw.data[i + 1] == '\n';
		bool is_bare = !is_pair && (c == '\r' || c == '\n');

		if (is_pair || (is_bare && mode != UNFRAME_PASS)) {
			out->content[out->content_length++] = '\r';
			out->content[out->content_length++] = '\n';
			i += is_pair ? 1 : 0;
		} else {
			out->content[out->content_length++] = c;
		}
		want->unframe.had_bare_cr |= is_bare && c == '\r';
		want->unframe.had_bare_lf |= is_bare && c == '\n';
	}
}

static bool
is_line_start(const struct gathered *out, size_t i)
{
	return i == 0 || (i > 1 && out->content[i - 1] == '\n' && out->content[i - 2] == '\r');
}

static void
expect(
    struct outcome *want, enum unframe_framing framing, enum unframe_mode mode, struct slice text)
{
	struct gathered *out = &want->out;
	char raw[MOST];

	memset(want, 0, sizeof(*want));
	size_t length = expect_raw(want, framing, text, raw);

	expect_content(want, mode, (struct slice) { raw, length });
	/* Third: stuffed. */
	for (size_t i = 0; i < out->content_length; i++) {
		if (out->content[i] == '.' && is_line_start(out, i))
			out->wire[out->wire_length++] = '.';
		out->wire[out->wire_length++] = out->content[i];
	}
	if (framing == UNFRAME_CHUNKS && !is_line_start(out, out->content_length)) {
		out->wire[out->wire_length++] = '\r';
		out->wire[out->wire_length++] = '\n';
	}
}

static bool
is_same(const struct outcome *a, const struct outcome *b)
{
	return a->used == b->used && a->out.wire_length == b->out.wire_length &&
	    a->out.content_length == b->out.content_length &&
	    memcmp(a->out.wire, b->out.wire, a->out.wire_length) == 0 &&
	    memcmp(a->out.content, b->out.content, a->out.content_length) == 0 &&
	    a->unframe.had_bare_cr == b->unframe.had_bare_cr &&
	    a->unframe.had_bare_lf == b->unframe.had_bare_lf;
}

static void
fail_with(const char *what, struct slice text)
{
	char hex[3 * 64 + 1] = "";

	for (size_t i = 0; i < text.length && i < 64; i++)
		snprintf(hex + 3 * i, 4, "%02x ", (unsigned char)text.data[i]);
	fail_msg("%s: %s", what, hex);
}

/* Whole, octet by octet and cut at each place: all as the plain passes say. */
static void
check_text(enum unframe_framing framing, enum unframe_mode mode, struct slice text)
{
	struct outcome want, got;

	expect(&want, framing, mode, text);
	for (size_t cut = 1; cut <= text.length; cut++) {
		run(&got, framing, mode, text, cut, text.length);
		if (!is_same(&want, &got))
			fail_with("cut", text);
		assert_int_equal(got.unframe.content_length, got.out.content_length);
		assert_true(unframe_is_done(&got.unframe));
	}
	run(&got, framing, mode, text, 1, 1);
	if (!is_same(&want, &got))
		fail_with("octet by octet", text);
}

/* What goes out must come in again as the same message, and be clean for the strictest. */
static void
check_again(struct slice text)
{
	struct outcome first, again;
	struct gathered *out = &first.out;

	run(&first, UNFRAME_DATA, UNFRAME_NORMALIZE, text, text.length, text.length);
	memcpy(out->wire + out->wire_length, ".\r\n", 3);
	run(&again, UNFRAME_DATA, UNFRAME_NORMALIZE,
	    (struct slice) { out->wire, out->wire_length + 3 }, MOST, MOST);
	if (!unframe_is_done(&again.unframe) || unframe_is_impure(&again.unframe) ||
	    again.used != out->wire_length + 3 || again.out.content_length != out->content_length ||
	    memcmp(again.out.content, out->content, out->content_length) != 0)
		fail_with("again", text);
}

static void
test_all_texts(void **state)
{
	static const char alphabet[] = { '\r', '\n', '.', 'a' };

	(void)state;
	for (size_t length = 0; length <= 7; length++) {
		for (size_t n = 0; n < (size_t)1 << 2 * length; n++) {
			char text[16];

			for (size_t i = 0; i < length; i++)
				text[i] = alphabet[n >> 2 * i & 3];
			check_text(
			    UNFRAME_CHUNKS, UNFRAME_NORMALIZE, (struct slice) { text, length });
			check_text(UNFRAME_CHUNKS, UNFRAME_PASS, (struct slice) { text, length });
			memcpy(text + length, "\r\n.\r\n", 5);
			check_text(
			    UNFRAME_DATA, UNFRAME_NORMALIZE, (struct slice) { text, length + 5 });
			check_text(UNFRAME_DATA, UNFRAME_PASS, (struct slice) { text, length + 5 });
			check_again((struct slice) { text, length + 5 });
		}
	}
}

/* Longer ones, so that the clean stretches are found among the others. */
static void
test_random_texts(void **state)
{
	static const char alphabet[] = "\r\n.abc\r\n..\r";
	uint32_t random = 1;

	(void)state;
	for (int n = 0; n < 3000; n++) {
		char text[128];
		size_t length = 0;

		while (length < 64 + (random >> 16) % 40) {
			random = random * 1103515245 + 12345;
			text[length++] = alphabet[(random >> 16) % (sizeof(alphabet) - 1)];
		}
		memcpy(text + length, "\r\n.\r\n", 5);
		check_text(UNFRAME_DATA, UNFRAME_REJECT, (struct slice) { text, length + 5 });
		check_text(UNFRAME_CHUNKS, UNFRAME_NORMALIZE, (struct slice) { text, length });
		check_again((struct slice) { text, length + 5 });
	}
}

/* Something odd at each place of a text that is long enough to be taken in blocks. */
static void
test_long_texts(void **state)
{
	static const char *const odd[] = { "\r", "\n", "\r\n", ".", "\r\n.", "\r\n..", "\n.",
		"\r\r\n", "\r\n\r\n.\r\n", "\r\n.\r", "\r\n.\n" };
	static const enum unframe_mode modes[] = { UNFRAME_NORMALIZE, UNFRAME_PASS };
	struct outcome want, got;

	(void)state;
	for (size_t n = 0; n < sizeof(odd) / sizeof(odd[0]) * 2 * 600; n++) {
		size_t place = n % 600, length = strlen(odd[n / 1200]);
		enum unframe_mode mode = modes[n / 600 % 2];
		char text[700];

		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = "0123456.8901\r\n"[i % 14];
		memcpy(text + place, odd[n / 1200], length);
		memcpy(text + sizeof(text) - 5, "\r\n.\r\n", 5);
		struct slice whole = { text, sizeof(text) };

		expect(&want, UNFRAME_DATA, mode, whole);
		run(&got, UNFRAME_DATA, mode, whole, place + 1, whole.length);
		if (!is_same(&want, &got))
			fail_with("cut", (struct slice) { text + place, length });
		run(&got, UNFRAME_DATA, mode, whole, whole.length, 1);
		if (!is_same(&want, &got))
			fail_with("whole", (struct slice) { text + place, length });
	}
}

static void
test_examples(void **state)
{
	static const struct {
		const char *text, *content, *wire;
	} rows[] = {
		{ ".\r\n", "", "" },
		{ "a\r\n.\r\n", "a\r\n", "a\r\n" },
		{ "\r\n.\r\n", "\r\n", "\r\n" },
		{ "..\r\n.\r\n", ".\r\n", "..\r\n" },
		{ ".x\r\n.\r\n", "x\r\n", "x\r\n" },
		{ ". \r\n.\r\n", " \r\n", " \r\n" },
		{ "a\n.\r\nb\r\n.\r\n", "a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n" },
		{ "a\n.\nb\r\n.\r\n", "a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n" },
		{ "a\r.\rb\r\n.\r\n", "a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n" },
		{ "a\r\n.\nb\r\n.\r\n", "a\r\n\r\nb\r\n", "a\r\n\r\nb\r\n" },
		{ "a\r\n.\r\r\nb\r\n.\r\n", "a\r\n\r\n\r\nb\r\n", "a\r\n\r\n\r\nb\r\n" },
		{ "a\r\n..\nb\r\n.\r\n", "a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n" },
		{ "a\r\r\n.\r\n", "a\r\n\r\n", "a\r\n\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice text = slice_of(rows[i].text);
		struct outcome got;

		run(&got, UNFRAME_DATA, UNFRAME_NORMALIZE, text, text.length, 1);
		assert_int_equal(got.used, text.length);
		assert_true(slice_equals((struct slice) { got.out.content, got.out.content_length },
		    slice_of(rows[i].content)));
		assert_true(slice_equals(
		    (struct slice) { got.out.wire, got.out.wire_length }, slice_of(rows[i].wire)));
	}
}

static void
test_stops_at_the_end(void **state)
{
	struct slice text = slice_of("a\r\n.\r\nMAIL FROM:<b@c>\r\n.\r\n");
	struct outcome got;

	(void)state;
	run(&got, UNFRAME_DATA, UNFRAME_NORMALIZE, text, text.length, text.length);
	assert_int_equal(got.used, 6);
	assert_int_equal(got.out.content_length, 3);
	struct unframe_sink sink = { gather_wire, gather_content, &got.out };

	assert_int_equal(unframe_feed(&got.unframe, slice_of("QUIT\r\n"), &sink), 0);
}

static void
test_clean_text_is_one_piece(void **state)
{
	struct slice text = slice_of("Subject: x\r\n\r\na\r\nb.c\r\n\r\nend.\r\n.\r\n");
	struct outcome got;

	(void)state;
	run(&got, UNFRAME_DATA, UNFRAME_NORMALIZE, text, text.length, 1);
	assert_int_equal(got.out.wire_pieces, 1);
	assert_int_equal(got.out.content_pieces, 1);
	text = slice_of("a\r\n..b\r\n...\r\n.\r\n");
	run(&got, UNFRAME_DATA, UNFRAME_NORMALIZE, text, text.length, 1);
	assert_int_equal(got.out.wire_pieces, 1);
	assert_int_equal(got.out.content_pieces, 3);
}

static void
test_flags(void **state)
{
	struct outcome got;
	char text[64];

	(void)state;
	for (size_t i = 0; i < 40; i++) {
		memset(text, 'a', sizeof(text));
		memcpy(text + 40, "\r\n.\r\n", 5);
		text[i] = '\0';
		run(&got, UNFRAME_DATA, UNFRAME_NORMALIZE, (struct slice) { text, 45 }, 45, 1);
		assert_true(got.unframe.had_nul && !got.unframe.had_8bit);
		text[i] = '\x80';
		run(&got, UNFRAME_DATA, UNFRAME_NORMALIZE, (struct slice) { text, 45 }, 45, 1);
		assert_true(!got.unframe.had_nul && got.unframe.had_8bit);
		text[i] = '\x01';
		run(&got, UNFRAME_DATA, UNFRAME_NORMALIZE, (struct slice) { text, 45 }, 45, 1);
		assert_false(got.unframe.had_nul || got.unframe.had_8bit);
		assert_false(unframe_is_impure(&got.unframe));
	}
	struct slice behind = { "a\r\n.\r\n\0\xff\n", 9 };

	run(&got, UNFRAME_DATA, UNFRAME_REJECT, behind, behind.length, 1);
	assert_false(got.unframe.had_nul || got.unframe.had_8bit);
	assert_false(unframe_is_impure(&got.unframe));
}

static void
test_chunks_join(void **state)
{
	struct outcome got;
	struct slice text = slice_of("first\r\nmore\r\n.\r\n..\r\n");

	(void)state;
	run(&got, UNFRAME_CHUNKS, UNFRAME_NORMALIZE, text, 6, 100);
	assert_true(slice_equals((struct slice) { got.out.content, got.out.content_length }, text));
	assert_true(slice_equals((struct slice) { got.out.wire, got.out.wire_length },
	    slice_of("first\r\nmore\r\n..\r\n...\r\n")));
	text = slice_of("no end");
	run(&got, UNFRAME_CHUNKS, UNFRAME_NORMALIZE, text, 100, 100);
	assert_int_equal(got.out.content_length, 6);
	assert_true(slice_equals(
	    (struct slice) { got.out.wire, got.out.wire_length }, slice_of("no end\r\n")));
}

static void
test_without_sinks(void **state)
{
	struct unframe_sink none = { .wire = NULL };
	struct unframe unframe;

	(void)state;
	unframe_init(&unframe, UNFRAME_DATA, UNFRAME_NORMALIZE);
	assert_int_equal(unframe_feed(&unframe, (struct slice) { NULL, 0 }, &none), 0);
	assert_int_equal(unframe_feed(&unframe, slice_of("a\n..b\r\n..\r\n.\r\n"), &none), 14);
	assert_true(unframe_is_done(&unframe));
	assert_int_equal(unframe.content_length, 11);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_all_texts),
		cmocka_unit_test(test_random_texts),
		cmocka_unit_test(test_long_texts),
		cmocka_unit_test(test_stops_at_the_end),
		cmocka_unit_test(test_clean_text_is_one_piece),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_chunks_join),
		cmocka_unit_test(test_without_sinks),
	};

	return cmocka_run_group_tests_name("unframe", tests, NULL, NULL);
}
