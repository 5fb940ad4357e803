#include "lib/encoded_word.h"

#include "lib/charset.h"
#include "lib/decode.h"
#include "lib/header.h"
#include "lib/utf8.h"

enum { PIECE = 512 };

struct encoded_word {
	struct slice label; /* with its language cut off */
	bool is_base64;
	struct slice text;
};

struct encoded_word_out {
	char *data;
	size_t length, room;
	bool is_full;
	bool is_open; /* a charset is under way, of words with this label */
	struct slice label;
	struct charset charset;
};

static void
encoded_word_take(void *arg, struct slice text)
{
	struct encoded_word_out *out = arg;

	while (text.length > 0 && !out->is_full) {
		size_t size = utf8_read(text, NULL);
		bool is_control = (uint8_t)text.data[0] < ' ' || text.data[0] == 0x7f;

		if (size == 0 || size > out->room - out->length) {
			out->is_full = true;
			return;
		}
		memcpy(out->data + out->length, is_control ? " " : text.data, size);
		out->length += size;
		text = (struct slice) { text.data + size, text.length - size };
	}
}

static void
encoded_word_close(struct encoded_word_out *out)
{
	if (out->is_open)
		charset_end(&out->charset);
	out->is_open = false;
}

static void
encoded_word_plain(struct encoded_word_out *out, struct slice text)
{
	encoded_word_close(out);
	charset_begin(&out->charset, (struct slice) { "", 0 }, false, encoded_word_take, out);
	charset_feed(&out->charset, text);
	charset_end(&out->charset);
}

/* Up to the next question mark, which is taken too. */
static bool
encoded_word_token(struct slice *rest, struct slice *token)
{
	const char *mark = memchr(rest->data, '?', rest->length);

	if (mark == NULL)
		return false;
	*token = (struct slice) { rest->data, (size_t)(mark - rest->data) };
	*rest = (struct slice) { mark + 1, rest->length - token->length - 1 };
	return true;
}

/* text begins with "=?". How long the word is; 0: it is none. */
static size_t
encoded_word_read(struct slice text, struct encoded_word *word)
{
	struct slice rest = { text.data + 2, text.length - 2 }, encoding;
	const char *end;

	if (!encoded_word_token(&rest, &word->label) || !encoded_word_token(&rest, &encoding))
		return 0;
	if (encoding.length != 1 || strchr("bBqQ", encoding.data[0]) == NULL)
		return 0;
	if (word->label.length == 0 || memchr(word->label.data, ' ', word->label.length) != NULL)
		return 0;
	end = memmem(rest.data, rest.length, "?=", 2);
	if (end == NULL)
		return 0;
	const char *star = memchr(word->label.data, '*', word->label.length);

	if (star != NULL)
		word->label.length = (size_t)(star - word->label.data);
	word->is_base64 = encoding.data[0] == 'b' || encoding.data[0] == 'B';
	word->text = (struct slice) { rest.data, (size_t)(end - rest.data) };
	return (size_t)(end + 2 - text.data);
}

static void
encoded_word_open(struct encoded_word_out *out, struct slice label)
{
	if (out->is_open && label.length == out->label.length &&
	    strncasecmp(label.data, out->label.data, label.length) == 0)
		return;
	encoded_word_close(out);
	charset_begin(&out->charset, label, false, encoded_word_take, out);
	out->label = label;
	out->is_open = true;
}

/* The Q encoding is quoted-printable, in which blanks are not lost and written as "_". */
static void
encoded_word_add(struct encoded_word_out *out, const struct encoded_word *word)
{
	struct decode decode = { .encoding = word->is_base64 ? DECODE_BASE64 : DECODE_QUOTED };
	char in[PIECE], piece[3 * PIECE + DECODE_HELD];

	encoded_word_open(out, word->label);
	for (size_t i = 0; i < word->text.length;) {
		size_t length = 0;

		for (; length + 3 <= PIECE && i < word->text.length; i++) {
			bool is_blank = strchr("_ \t", word->text.data[i]) != NULL;

			if (!word->is_base64 && is_blank && word->text.data[i] != '\0') {
				memcpy(in + length, "=20", 3);
				length += 3;
			} else {
				in[length++] = word->text.data[i];
			}
		}
		charset_feed(&out->charset,
		    (struct slice) {
			piece, decode_feed(&decode, (struct slice) { in, length }, piece) });
	}
	charset_feed(&out->charset, (struct slice) { piece, decode_end(&decode, piece) });
}

size_t
encoded_word_decode(struct slice value, char *out, size_t room, unsigned *words)
{
	struct encoded_word_out made = { .data = out, .room = room };
	struct encoded_word word;
	unsigned count = 0;
	size_t plain = 0, i = 0;

	while (i < value.length && count < ENCODED_WORD_MOST) {
		const char *begin = memmem(value.data + i, value.length - i, "=?", 2);

		if (begin == NULL)
			break;
		i = (size_t)(begin - value.data);
		size_t length =
		    encoded_word_read((struct slice) { begin, value.length - i }, &word);

		if (length == 0) {
			i += 2;
			continue;
		}
		struct slice between = { value.data + plain, i - plain };

		if (count == 0 || !slice_is_blank(between))
			encoded_word_plain(&made, between);
		encoded_word_add(&made, &word);
		count++;
		i += length;
		plain = i;
	}
	encoded_word_plain(&made, (struct slice) { value.data + plain, value.length - plain });
	if (words != NULL)
		*words = count;
	return made.length;
}

size_t
encoded_word_field(struct slice value, char *out, size_t room)
{
	char line[ENCODED_WORD_FIELD];
	size_t length = header_unfold(value, line, sizeof(line));

	return encoded_word_decode((struct slice) { line, length }, out, room, NULL);
}
