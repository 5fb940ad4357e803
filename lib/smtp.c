#include "lib/smtp.h"

enum { HELO_MOST = 255, MECHANISM_MOST = 20 };

const struct smtp_fault smtp_fault_long_line = { 500, "5.5.6", "Line too long" };
const struct smtp_fault smtp_fault_bare_newline = { 500, "5.5.2",
	"Lines must end with CRLF, without another CR or LF" };

static const struct smtp_fault smtp_fault_command = { 500, "5.5.2", "Syntax error" };
static const struct smtp_fault smtp_fault_control = { 500, "5.5.2",
	"Control characters are not allowed" };
static const struct smtp_fault smtp_fault_helo_none = { 501, "5.5.4", "Syntax: EHLO hostname" };
static const struct smtp_fault smtp_fault_helo = { 501, "5.5.4", "Bad hostname" };
static const struct smtp_fault smtp_fault_sender_utf8 = { 553, "5.6.7",
	"Sender address needs SMTPUTF8" };
static const struct smtp_fault smtp_fault_recipient_utf8 = { 553, "5.6.7",
	"Recipient address needs SMTPUTF8" };
static const struct smtp_fault smtp_fault_bdat = { 501, "5.5.4", "Syntax: BDAT octets [LAST]" };
static const struct smtp_fault smtp_fault_auth = { 501, "5.5.4",
	"Syntax: AUTH mechanism [initial-response]" };
static const struct smtp_fault smtp_fault_base64 = { 501, "5.5.2", "Bad base64" };

static bool
smtp_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
smtp_is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Takes the next word off text and sets text to what follows, without blanks before it. */
static struct slice
smtp_take_word(struct slice *text)
{
	struct slice word = { text->data, 0 };
	size_t next;

	while (word.length < text->length && !smtp_is_blank(text->data[word.length]))
		word.length++;
	for (next = word.length; next < text->length && smtp_is_blank(text->data[next]);)
		next++;
	*text = (struct slice) { text->data + next, text->length - next };
	return word;
}

/* How much of the input belongs to the faulty line; a CR at the end waits for its LF. */
static size_t
smtp_line_drop(struct smtp_line *state, struct slice input)
{
	const char *end = memmem(input.data, input.length, "\r\n", 2);
	size_t count = input.length;

	if (end != NULL) {
		count = (size_t)(end - input.data) + 2;
		state->is_dropping = false;
	} else if (count > 0 && input.data[count - 1] == '\r') {
		count--;
	}
	state->dropped += count;
	return count;
}

static enum smtp_line_result
smtp_line_fail(struct smtp_line *state, enum smtp_line_result result, size_t count)
{
	state->is_dropping = true;
	state->dropped = count;
	return result;
}

enum smtp_line_result
smtp_line_find(
    struct smtp_line *state, struct slice input, size_t limit, struct slice *line, size_t *used)
{
	size_t start = 0;

	if (state->is_dropping && input.length > 0)
		start = smtp_line_drop(state, input);
	*used = start;
	if (state->is_dropping || start == input.length)
		return SMTP_LINE_NONE;
	struct slice window = { input.data + start, input.length - start };
	bool is_full = window.length >= limit;

	if (is_full)
		window.length = limit;
	const char *cr = memchr(window.data, '\r', window.length);
	size_t length = cr != NULL ? (size_t)(cr - window.data) : window.length;
	const char *lf = memchr(window.data, '\n', length);

	if (lf != NULL) {
		length = (size_t)(lf - window.data) + 1;
	} else if (cr == NULL || length + 1 == window.length) {
		*used += is_full ? length : 0;
		return is_full ? smtp_line_fail(state, SMTP_LINE_TOO_LONG, length) : SMTP_LINE_NONE;
	} else if (cr[1] == '\n') {
		*line = (struct slice) { window.data, length };
		*used += length + 2;
		return SMTP_LINE_HAS;
	} else {
		length++;
	}
	*used += length;
	return smtp_line_fail(state, SMTP_LINE_BARE_NEWLINE, length);
}

const struct smtp_fault *
smtp_command_read(struct smtp_command *command, struct slice line)
{
	struct slice text = line;

	*command = (struct smtp_command) { .argument = { line.data, 0 } };
	for (size_t i = 0; i < line.length; i++)
		if (((unsigned char)line.data[i] < ' ' && line.data[i] != '\t') ||
		    line.data[i] == 0x7f)
			return &smtp_fault_control;
	while (text.length > 0 && smtp_is_blank(text.data[text.length - 1]))
		text.length--;
	struct slice verb = smtp_take_word(&text);

	if (verb.length == 0 || verb.length > SMTP_VERB_MOST)
		return &smtp_fault_command;
	for (size_t i = 0; i < verb.length; i++)
		if (!smtp_is_alnum(verb.data[i]))
			return &smtp_fault_command;
	for (size_t i = 0; i < verb.length; i++) {
		char c = verb.data[i];

		command->verb[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
	}
	command->argument = text;
	return NULL;
}

const struct smtp_fault *
smtp_helo_read(struct slice *name, struct slice argument)
{
	*name = smtp_take_word(&argument);
	if (name->length == 0)
		return &smtp_fault_helo_none;
	if (argument.length > 0 || name->length > HELO_MOST)
		return &smtp_fault_helo;
	for (size_t i = 0; i < name->length; i++)
		if (name->data[i] <= ' ' || name->data[i] > '~' ||
		    strchr("<>()\",;\\", name->data[i]) != NULL)
			return &smtp_fault_helo;
	return NULL;
}

const struct smtp_fault *
smtp_mail_read(struct smtp_path *path, struct smtp_params *params, struct slice argument,
    uint32_t extensions, uint64_t size_limit)
{
	struct slice rest;
	const struct smtp_fault *fault = smtp_path_read_reverse(path, argument, &rest);

	if (fault == NULL)
		fault = smtp_params_read_mail(params, rest, extensions, size_limit);
	if (fault == NULL && path->is_utf8 && !smtp_params_has(params, SMTP_PARAM_SMTPUTF8))
		fault = &smtp_fault_sender_utf8;
	return fault;
}

const struct smtp_fault *
smtp_rcpt_read(struct smtp_path *path, struct smtp_params *params, struct slice argument,
    uint32_t extensions, bool is_utf8)
{
	struct slice rest;
	const struct smtp_fault *fault = smtp_path_read_forward(path, argument, &rest);

	if (fault == NULL)
		fault = smtp_params_read_rcpt(params, rest, extensions, is_utf8);
	if (fault == NULL && path->is_utf8 && !is_utf8)
		fault = &smtp_fault_recipient_utf8;
	return fault;
}

static struct slice
smtp_format(struct arena *arena, const char *words, const struct smtp_path *path,
    const struct smtp_params *params, uint32_t extensions)
{
	return slice_of(arena_format(arena, "%s<%.*s>%s\r\n", words, (int)path->text.length,
	    path->text.data, smtp_params_format(arena, params, extensions)));
}

struct slice
smtp_mail_format(struct arena *arena, const struct smtp_path *path,
    const struct smtp_params *params, uint32_t extensions)
{
	return smtp_format(arena, "MAIL FROM:", path, params, extensions);
}

struct slice
smtp_rcpt_format(struct arena *arena, const struct smtp_path *path,
    const struct smtp_params *params, uint32_t extensions)
{
	return smtp_format(arena, "RCPT TO:", path, params, extensions);
}

const struct smtp_fault *
smtp_bdat_read(uint64_t *size, bool *is_last, struct slice argument)
{
	struct slice number = smtp_take_word(&argument);

	*size = 0;
	*is_last = argument.length > 0;
	if (number.length == 0 || (*is_last && !slice_matches(argument, "LAST")))
		return &smtp_fault_bdat;
	for (size_t i = 0; i < number.length; i++) {
		if (number.data[i] < '0' || number.data[i] > '9')
			return &smtp_fault_bdat;
		if (__builtin_mul_overflow(*size, 10, size) ||
		    __builtin_add_overflow(*size, (uint64_t)(number.data[i] - '0'), size))
			return &smtp_fault_bdat;
	}
	return *size <= INT64_MAX ? NULL : &smtp_fault_bdat;
}

bool
smtp_auth_line_is_valid(struct slice line)
{
	size_t length = line.length;

	if (length % 4 != 0)
		return false;
	for (int i = 0; i < 2 && length > 0 && line.data[length - 1] == '='; i++)
		length--;
	for (size_t i = 0; i < length; i++)
		if (!smtp_is_alnum(line.data[i]) && line.data[i] != '+' && line.data[i] != '/')
			return false;
	return true;
}

const struct smtp_fault *
smtp_auth_read(struct slice *mechanism, struct slice *initial, struct slice argument)
{
	*mechanism = smtp_take_word(&argument);
	*initial = (struct slice) { NULL, 0 };
	if (mechanism->length == 0 || mechanism->length > MECHANISM_MOST)
		return &smtp_fault_auth;
	for (size_t i = 0; i < mechanism->length; i++)
		if (!smtp_is_alnum(mechanism->data[i]) && mechanism->data[i] != '-' &&
		    mechanism->data[i] != '_')
			return &smtp_fault_auth;
	if (argument.length == 0)
		return NULL;
	*initial = smtp_take_word(&argument);
	if (argument.length > 0)
		return &smtp_fault_auth;
	if (!slice_matches(*initial, "=") && !smtp_auth_line_is_valid(*initial))
		return &smtp_fault_base64;
	return NULL;
}
