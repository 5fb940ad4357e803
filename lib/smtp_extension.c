#include "lib/smtp_extension.h"

#include <assert.h>

struct extension_row {
	const char *keyword;
	enum smtp_extension extension;
};

static const struct extension_row extension_rows[] = {
	{ "PIPELINING", SMTP_EXT_PIPELINING },
	{ "SIZE", SMTP_EXT_SIZE },
	{ "STARTTLS", SMTP_EXT_STARTTLS },
	{ "AUTH", SMTP_EXT_AUTH },
	{ "ENHANCEDSTATUSCODES", SMTP_EXT_ENHANCEDSTATUSCODES },
	{ "8BITMIME", SMTP_EXT_8BITMIME },
	{ "DSN", SMTP_EXT_DSN },
	{ "SMTPUTF8", SMTP_EXT_SMTPUTF8 },
	{ "CHUNKING", SMTP_EXT_CHUNKING },
	{ "BINARYMIME", SMTP_EXT_BINARYMIME },
	{ "LIMITS", SMTP_EXT_LIMITS },
	{ "REQUIRETLS", SMTP_EXT_REQUIRETLS },
	{ "XCLIENT", SMTP_EXT_XCLIENT },
};

enum { EXTENSION_ROWS = sizeof(extension_rows) / sizeof(extension_rows[0]) };

const char *
smtp_extension_name(enum smtp_extension extension)
{
	for (size_t i = 0; i < EXTENSION_ROWS; i++)
		if (extension_rows[i].extension == extension)
			return extension_rows[i].keyword;
	assert(!"exactly one extension");
	return "";
}

static bool
extension_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Takes the next word off text; false: there is none. */
static bool
extension_take_word(struct slice *word, struct slice *text)
{
	size_t start = 0, end;

	while (start < text->length && extension_is_blank(text->data[start]))
		start++;
	for (end = start; end < text->length && !extension_is_blank(text->data[end]);)
		end++;
	*word = (struct slice) { .data = text->data + start, .length = end - start };
	*text = (struct slice) { .data = text->data + end, .length = text->length - end };
	return word->length > 0;
}

/* 0: no number, or one that does not fit. */
static uint64_t
extension_number(struct slice text)
{
	uint64_t number = 0;

	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return 0;
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(text.data[i] - '0'), &number))
			return 0;
	}
	return number;
}

static void
extension_limits(struct smtp_ehlo *ehlo, struct slice text)
{
	static const char rcpt_max[] = "RCPTMAX=", mail_max[] = "MAILMAX=";
	const size_t length = sizeof(rcpt_max) - 1;
	struct slice word;

	while (extension_take_word(&word, &text)) {
		if (word.length <= length)
			continue;
		struct slice number = { word.data + length, word.length - length };

		if (strncasecmp(word.data, rcpt_max, length) == 0)
			ehlo->rcpt_max = extension_number(number);
		if (strncasecmp(word.data, mail_max, length) == 0)
			ehlo->mail_max = extension_number(number);
	}
}

/* The proper form wins over the old one ("AUTH=LOGIN"); without a mechanism there is none. */
static void
extension_auth(struct smtp_ehlo *ehlo, struct slice text, bool is_old_form)
{
	struct slice rest = text, word;

	if (extension_take_word(&word, &rest) && (!is_old_form || ehlo->auth.length == 0))
		ehlo->auth = (struct slice) { word.data, word.length + rest.length };
	if (ehlo->auth.length > 0)
		ehlo->extensions |= SMTP_EXT_AUTH;
}

static void
extension_settle(
    struct smtp_ehlo *ehlo, enum smtp_extension extension, struct slice text, bool is_old_form)
{
	struct slice rest = text, word;

	if (extension == SMTP_EXT_AUTH) {
		extension_auth(ehlo, text, is_old_form);
		return;
	}
	ehlo->extensions |= extension;
	if (extension == SMTP_EXT_SIZE && extension_take_word(&word, &rest))
		ehlo->size = extension_number(word);
	if (extension == SMTP_EXT_LIMITS)
		extension_limits(ehlo, text);
	if (extension == SMTP_EXT_XCLIENT && extension_take_word(&word, &rest))
		ehlo->xclient = (struct slice) { word.data, word.length + rest.length };
}

static void
extension_read_line(struct smtp_ehlo *ehlo, struct slice line)
{
	struct slice word, text = line;

	if (!extension_take_word(&word, &text))
		return;
	const char *equals = memchr(word.data, '=', word.length);

	if (equals != NULL) {
		word.length = (size_t)(equals - word.data);
		text.data = equals + 1;
		text.length = (size_t)(line.data + line.length - text.data);
	}
	for (size_t i = 0; i < EXTENSION_ROWS; i++)
		if (slice_matches(word, extension_rows[i].keyword))
			extension_settle(ehlo, extension_rows[i].extension, text, equals != NULL);
}

void
smtp_ehlo_read(struct smtp_ehlo *ehlo, const struct reply *reply)
{
	*ehlo = (struct smtp_ehlo) { .auth = slice_of(""), .xclient = slice_of("") };
	if (reply->code != 250)
		return;
	for (size_t i = 1; i < reply->count; i++)
		extension_read_line(ehlo, reply->lines[i]);
}

bool
smtp_ehlo_has_auth(const struct smtp_ehlo *ehlo, struct slice mechanism)
{
	struct slice text = ehlo->auth, word;

	while (extension_take_word(&word, &text))
		if (word.length == mechanism.length &&
		    strncasecmp(word.data, mechanism.data, word.length) == 0)
			return true;
	return false;
}
