#include "lib/css_url.h"

#include <ctype.h>

#include "lib/utf8.h"

enum {
	CSS_OUTSIDE,
	CSS_SLASH, /* is it a comment's? */
	CSS_COMMENT,
	CSS_COMMENT_STAR,
	CSS_ESCAPE,
	CSS_STRING, /* nobody's */
	CSS_BEFORE, /* behind url( */
	CSS_VALUE,
	CSS_QUOTED,
};

void
css_url_init(struct css_url *css, void (*found)(void *arg, struct slice value), void *arg)
{
	memset(css, 0, offsetof(struct css_url, value));
	css->found = found;
	css->arg = arg;
}

static bool
css_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static void
css_keep(struct css_url *css, const char *bytes, size_t count)
{
	if (count > sizeof(css->value) - css->length)
		return;
	memcpy(css->value + css->length, bytes, count);
	css->length += count;
}

static void
css_tell(struct css_url *css)
{
	if (css->length > 0)
		css->found(css->arg, (struct slice) { css->value, css->length });
	css->length = 0;
	css->state = CSS_OUTSIDE;
	css->last = 0;
	css->is_import = false;
}

/* Do the last characters read so? */
static bool
css_ends(const struct css_url *css, const char *word)
{
	uint64_t wanted = 0, mask = 0;

	for (; *word != '\0'; word++) {
		wanted = wanted << 8 | (uint8_t)*word;
		mask = mask << 8 | 0xff;
	}
	return (css->last & mask) == wanted;
}

/* A character outside of addresses, strings and comments. */
static void
css_outside(struct css_url *css, char c, bool is_escaped)
{
	if (!is_escaped && (c == '"' || c == '\'')) {
		css->quote = c;
		css->state = css->is_import ? CSS_QUOTED : CSS_STRING;
		return;
	}
	if (c == ';' || c == '{' || c == '}')
		css->is_import = false;
	css->last = css->last << 8 | (uint8_t)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
	if ((c | 0x20) == 't' && css_ends(css, "@import"))
		css->is_import = true;
	if (!is_escaped && c == '(' && css_ends(css, "url("))
		css->state = CSS_BEFORE;
}

/* In the middle of an address. */
static void
css_value(struct css_url *css, char c, bool is_escaped)
{
	if (!is_escaped && (c == ')' || css_is_blank(c)))
		css_tell(css);
	else
		css_keep(css, &c, 1);
}

static void
css_before(struct css_url *css, char c, bool is_escaped)
{
	if (css_is_blank(c) && !is_escaped)
		return;
	css->state = CSS_VALUE;
	if (!is_escaped && (c == '"' || c == '\'')) {
		css->quote = c;
		css->state = CSS_QUOTED;
		return;
	}
	css_value(css, c, is_escaped);
}

static void
css_quoted(struct css_url *css, char c, bool is_escaped)
{
	if (!is_escaped && c == css->quote)
		css_tell(css);
	else if (!is_escaped && c == '\n')
		css->length = 0, css_tell(css);
	else
		css_keep(css, &c, 1);
}

static void
css_take(struct css_url *css, char c, bool is_escaped)
{
	switch (css->state) {
	case CSS_OUTSIDE:
		css_outside(css, c, is_escaped);
		break;
	case CSS_STRING:
		if (!is_escaped && (c == css->quote || c == '\n'))
			css->state = CSS_OUTSIDE;
		break;
	case CSS_BEFORE:
		css_before(css, c, is_escaped);
		break;
	case CSS_VALUE:
		css_value(css, c, is_escaped);
		break;
	case CSS_QUOTED:
		css_quoted(css, c, is_escaped);
		break;
	}
}

/* The escape is over; its character counts as itself, whatever it is. */
static void
css_escaped(struct css_url *css)
{
	char bytes[UTF8_MOST];
	size_t count = utf8_write(bytes, css->code);

	css->state = css->back;
	for (size_t i = 0; i < count; i++)
		css_take(css, bytes[i], true);
}

/* Whether the character belongs to the escape. */
static bool
css_escape(struct css_url *css, char c)
{
	if (css->digits < 6 && isxdigit((unsigned char)c)) {
		int value = c <= '9' ? c - '0' : tolower((unsigned char)c) - 'a' + 10;

		css->code = css->code * 16 + (uint32_t)value;
		css->digits++;
		return true;
	}
	if (css->digits > 0) {
		css_escaped(css);
		return css_is_blank(c);
	}
	css->state = css->back;
	if (c != '\n') /* a line end that was escaped is nothing */
		css_take(css, c, true);
	return true;
}

/* Whether the character is a comment's. */
static bool
css_comment(struct css_url *css, char c)
{
	if (css->state == CSS_SLASH) {
		css->state = c == '*' ? CSS_COMMENT : CSS_OUTSIDE;
		if (c == '*')
			return true;
		css_outside(css, '/', false);
		return false;
	}
	if (css->state == CSS_COMMENT_STAR && c == '/')
		css->state = CSS_OUTSIDE;
	else
		css->state = c == '*' ? CSS_COMMENT_STAR : CSS_COMMENT;
	return true;
}

static void
css_byte(struct css_url *css, char c)
{
	if (css->state == CSS_ESCAPE && css_escape(css, c))
		return;
	if (css->state >= CSS_SLASH && css->state <= CSS_COMMENT_STAR && css_comment(css, c))
		return;
	if (c == '\\') {
		css->back = css->state;
		css->state = CSS_ESCAPE;
		css->digits = 0;
		css->code = 0;
	} else if (c == '/' && css->state == CSS_OUTSIDE) {
		css->state = CSS_SLASH;
	} else {
		css_take(css, c, false);
	}
}

void
css_url_feed(struct css_url *css, struct slice input)
{
	for (size_t i = 0; i < input.length; i++)
		css_byte(css, input.data[i]);
}

void
css_url_end(struct css_url *css)
{
	if (css->state == CSS_ESCAPE && css->digits > 0)
		css_escaped(css);
	if (css->state == CSS_VALUE || css->state == CSS_QUOTED)
		css_tell(css);
	css_url_init(css, css->found, css->arg);
}
