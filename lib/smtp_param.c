#include "lib/smtp_param.h"

#include "lib/utf8.h"

#include <assert.h>

enum { ENVID_MOST = 100, ORCPT_MOST = 500, SIZE_DIGITS_MOST = 20 };

struct param_context {
	uint32_t extensions;
	uint64_t size_limit;
	bool is_utf8;
};

typedef const struct smtp_fault *(*param_check)(
    struct smtp_params *params, struct slice value, const struct param_context *context);

enum param_place { PARAM_ON_MAIL, PARAM_ON_RCPT };

struct param_row {
	const char *keyword;
	enum param_place place;
	uint32_t brought_by; /* any of these extensions */
	bool is_lenient;     /* taken without them too */
	param_check check;   /* NULL: has no value */
};

static const struct smtp_fault param_unknown = { 555, "5.5.4", "Unsupported parameter" };
static const struct smtp_fault param_syntax = { 501, "5.5.4", "Bad parameter syntax" };
static const struct smtp_fault param_value = { 501, "5.5.4", "Bad parameter value" };
static const struct smtp_fault param_twice = { 501, "5.5.4", "Parameter said twice" };
static const struct smtp_fault param_size = { 552, "5.3.4", "Message size exceeds the limit" };

static bool
param_is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool
param_is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/* xtext of RFC 3461 4; small hexadecimal digits are taken too, and UTF-8 where it may stand. */
static bool
param_is_xtext(struct slice text, bool may_be_utf8)
{
	for (size_t i = 0; i < text.length;) {
		struct slice rest = { text.data + i, text.length - i };
		size_t length = 1;

		if ((unsigned char)rest.data[0] >= 128)
			length = may_be_utf8 ? utf8_read(rest, NULL) : 0;
		else if (rest.data[0] <= ' ' || rest.data[0] > '~' || rest.data[0] == '=')
			length = 0;
		else if (rest.data[0] == '+')
			length = rest.length > 2 && param_is_hex(rest.data[1]) &&
				param_is_hex(rest.data[2])
			    ? 3
			    : 0;
		if (length == 0)
			return false;
		i += length;
	}
	return true;
}

/* A number over 64 bits is the largest: it is over every limit. */
static const struct smtp_fault *
param_check_size(
    struct smtp_params *params, struct slice value, const struct param_context *context)
{
	uint64_t size = 0;

	if (value.length > SIZE_DIGITS_MOST)
		return &param_value;
	for (size_t i = 0; i < value.length; i++) {
		if (value.data[i] < '0' || value.data[i] > '9')
			return &param_value;
		if (__builtin_mul_overflow(size, 10, &size) ||
		    __builtin_add_overflow(size, (uint64_t)(value.data[i] - '0'), &size))
			size = UINT64_MAX;
	}
	if (context->size_limit > 0 && size > context->size_limit)
		return &param_size;
	params->size = size;
	return NULL;
}

static const struct smtp_fault *
param_check_body(
    struct smtp_params *params, struct slice value, const struct param_context *context)
{
	if (slice_matches(value, "7BIT"))
		params->body = SMTP_BODY_7BIT;
	else if (slice_matches(value, "8BITMIME"))
		params->body = SMTP_BODY_8BITMIME;
	else if (slice_matches(value, "BINARYMIME"))
		params->body = SMTP_BODY_BINARYMIME;
	else
		return &param_value;
	if (params->body == SMTP_BODY_BINARYMIME && !(context->extensions & SMTP_EXT_BINARYMIME))
		return &param_unknown;
	return NULL;
}

static const struct smtp_fault *
param_check_ret(struct smtp_params *params, struct slice value, const struct param_context *context)
{
	(void)params, (void)context;
	return slice_matches(value, "FULL") || slice_matches(value, "HDRS") ? NULL : &param_value;
}

static const struct smtp_fault *
param_check_envid(
    struct smtp_params *params, struct slice value, const struct param_context *context)
{
	(void)params, (void)context;
	return value.length <= ENVID_MOST && param_is_xtext(value, false) ? NULL : &param_value;
}

static const struct smtp_fault *
param_check_auth(
    struct smtp_params *params, struct slice value, const struct param_context *context)
{
	(void)params, (void)context;
	return param_is_xtext(value, false) ? NULL : &param_value;
}

/* NEVER, or a list of the others (RFC 3461 4.1). */
static const struct smtp_fault *
param_check_notify(
    struct smtp_params *params, struct slice value, const struct param_context *context)
{
	(void)params, (void)context;
	if (slice_matches(value, "NEVER"))
		return NULL;
	for (size_t start = 0; start <= value.length;) {
		const char *comma = memchr(value.data + start, ',', value.length - start);
		size_t end = comma != NULL ? (size_t)(comma - value.data) : value.length;
		struct slice word = { value.data + start, end - start };

		if (!slice_matches(word, "SUCCESS") && !slice_matches(word, "FAILURE") &&
		    !slice_matches(word, "DELAY"))
			return &param_value;
		start = end + 1;
	}
	return NULL;
}

/* "rfc822;" and xtext; "utf-8;" may hold UTF-8 where the transaction may (RFC 6533 3). */
static const struct smtp_fault *
param_check_orcpt(
    struct smtp_params *params, struct slice value, const struct param_context *context)
{
	const char *semicolon = memchr(value.data, ';', value.length);

	(void)params;
	if (semicolon == NULL || semicolon == value.data || value.length > ORCPT_MOST)
		return &param_value;
	struct slice type = { value.data, (size_t)(semicolon - value.data) };
	struct slice address = { semicolon + 1, value.length - type.length - 1 };

	for (size_t i = 0; i < type.length; i++)
		if (!param_is_alnum(type.data[i]) && type.data[i] != '-')
			return &param_value;
	bool may_be_utf8 = context->is_utf8 && slice_matches(type, "utf-8");

	return param_is_xtext(address, may_be_utf8) ? NULL : &param_value;
}

static const struct param_row param_rows[SMTP_PARAM_COUNT] = {
	[SMTP_PARAM_SIZE] = { "SIZE", PARAM_ON_MAIL, SMTP_EXT_SIZE, false, param_check_size },
	[SMTP_PARAM_BODY] = { "BODY", PARAM_ON_MAIL, SMTP_EXT_8BITMIME | SMTP_EXT_BINARYMIME, false,
	    param_check_body },
	[SMTP_PARAM_SMTPUTF8] = { "SMTPUTF8", PARAM_ON_MAIL, SMTP_EXT_SMTPUTF8, false, NULL },
	[SMTP_PARAM_RET] = { "RET", PARAM_ON_MAIL, SMTP_EXT_DSN, false, param_check_ret },
	[SMTP_PARAM_ENVID] = { "ENVID", PARAM_ON_MAIL, SMTP_EXT_DSN, false, param_check_envid },
	[SMTP_PARAM_AUTH] = { "AUTH", PARAM_ON_MAIL, SMTP_EXT_AUTH, true, param_check_auth },
	[SMTP_PARAM_NOTIFY] = { "NOTIFY", PARAM_ON_RCPT, SMTP_EXT_DSN, false, param_check_notify },
	[SMTP_PARAM_ORCPT] = { "ORCPT", PARAM_ON_RCPT, SMTP_EXT_DSN, false, param_check_orcpt },
};

static bool
param_is_keyword(struct slice word)
{
	for (size_t i = 0; i < word.length; i++)
		if (!param_is_alnum(word.data[i]) && (i == 0 || word.data[i] != '-'))
			return false;
	return word.length > 0;
}

/* One word: KEYWORD or KEYWORD=value. */
static const struct smtp_fault *
param_read_word(struct smtp_params *params, struct slice word, enum param_place place,
    const struct param_context *context)
{
	const char *equals = memchr(word.data, '=', word.length);
	size_t length = equals != NULL ? (size_t)(equals - word.data) : word.length;
	struct slice keyword = { word.data, length };
	struct slice value = { word.data + length, 0 };
	size_t i = 0;

	if (!param_is_keyword(keyword))
		return &param_syntax;
	if (equals != NULL)
		value = (struct slice) { equals + 1, word.length - length - 1 };
	while (i < SMTP_PARAM_COUNT && !slice_matches(keyword, param_rows[i].keyword))
		i++;
	if (i == SMTP_PARAM_COUNT || param_rows[i].place != place)
		return &param_unknown;
	const struct param_row *row = &param_rows[i];

	if (!row->is_lenient && !(context->extensions & row->brought_by))
		return &param_unknown;
	if (params->text[i].length > 0)
		return &param_twice;
	if (row->check == NULL ? equals != NULL : value.length == 0)
		return &param_value;
	params->text[i] = word;
	params->value[i] = value;
	return row->check == NULL ? NULL : row->check(params, value, context);
}

static const struct smtp_fault *
param_read(struct smtp_params *params, struct slice text, enum param_place place,
    const struct param_context *context)
{
	*params = (struct smtp_params) { .size = 0 };
	for (size_t start = 0, end; start < text.length; start = end) {
		while (start < text.length && (text.data[start] == ' ' || text.data[start] == '\t'))
			start++;
		for (end = start; end < text.length; end++)
			if (text.data[end] == ' ' || text.data[end] == '\t')
				break;
		if (end == start)
			break;
		const struct smtp_fault *fault = param_read_word(
		    params, (struct slice) { text.data + start, end - start }, place, context);

		if (fault != NULL)
			return fault;
	}
	return NULL;
}

const struct smtp_fault *
smtp_params_read_mail(
    struct smtp_params *params, struct slice text, uint32_t extensions, uint64_t size_limit)
{
	struct param_context context = { .extensions = extensions, .size_limit = size_limit };

	return param_read(params, text, PARAM_ON_MAIL, &context);
}

const struct smtp_fault *
smtp_params_read_rcpt(
    struct smtp_params *params, struct slice text, uint32_t extensions, bool is_utf8)
{
	struct param_context context = { .extensions = extensions, .is_utf8 = is_utf8 };

	return param_read(params, text, PARAM_ON_RCPT, &context);
}

static bool
param_is_for(const struct smtp_params *params, size_t i, uint32_t extensions)
{
	if (params->text[i].length == 0)
		return false;
	if (i == SMTP_PARAM_BODY)
		return extensions &
		    (params->body == SMTP_BODY_BINARYMIME ? SMTP_EXT_BINARYMIME
							  : SMTP_EXT_8BITMIME);
	return extensions & param_rows[i].brought_by;
}

const char *
smtp_params_format(struct arena *arena, const struct smtp_params *params, uint32_t extensions)
{
	size_t length = 0;

	for (size_t i = 0; i < SMTP_PARAM_COUNT; i++)
		if (param_is_for(params, i, extensions))
			length += 1 + params->text[i].length;
	if (length == 0)
		return "";
	char *text = arena_alloc(arena, length + 1), *end = text;

	for (size_t i = 0; i < SMTP_PARAM_COUNT; i++) {
		if (!param_is_for(params, i, extensions))
			continue;
		*end++ = ' ';
		end = mempcpy(end, params->text[i].data, params->text[i].length);
	}
	assert(end == text + length);
	return text;
}

struct smtp_params
smtp_params_copy(struct arena *arena, const struct smtp_params *params)
{
	struct smtp_params copy = *params;

	for (size_t i = 0; i < SMTP_PARAM_COUNT; i++) {
		if (params->text[i].length == 0)
			continue;
		copy.text[i].data = arena_copy(arena, params->text[i]);
		copy.value[i].data =
		    copy.text[i].data + (params->value[i].data - params->text[i].data);
	}
	return copy;
}
