#include "lib/html_parts.h"

#include <assert.h>

#include "lib/html_entity.h"
#include "lib/utf8.h"

/*
 * A state is a function that takes what it can of the input and returns how far it came. Each
 * takes a byte or goes to another state.
 */
typedef const char *(*html_step)(struct html *html, const char *at, const char *end);

/* ---- text and comments ---- */

static const char *
html_data(struct html *html, const char *at, const char *end)
{
	const char *stop = html_data_end(at, end);

	html_tell_text(html, at, stop);
	if (stop == end || (*stop != '<' && *stop != '&' && *stop != '\0'))
		return stop;
	if (*stop == '<')
		html->state = HTML_TAG_OPEN;
	else if (*stop == '&')
		html_entity_begin(html);
	return stop + 1;
}

static const char *
html_plaintext(struct html *html, const char *at, const char *end)
{
	html_tell_text(html, at, end);
	return end;
}

static const char *
html_tag_open(struct html *html, const char *at, const char *end)
{
	(void)end;
	if (html_is_letter(*at)) {
		html_tag_begin(html, false);
		return at;
	}
	if (*at == '!') {
		html->state = HTML_MARKUP;
		html->matched = 0;
		return at + 1;
	}
	if (*at == '/') {
		html->state = HTML_END_TAG_OPEN;
		return at + 1;
	}
	if (*at == '?') {
		html->state = HTML_BOGUS;
		return at;
	}
	html->state = HTML_DATA;
	html_tell_literal(html, "<");
	return at;
}

static const char *
html_end_tag_open(struct html *html, const char *at, const char *end)
{
	(void)end;
	if (html_is_letter(*at)) {
		html_tag_begin(html, true);
		return at;
	}
	html->state = *at == '>' ? HTML_DATA : HTML_BOGUS;
	return *at == '>' ? at + 1 : at;
}

static const char *
html_bogus(struct html *html, const char *at, const char *end)
{
	const char *stop = memchr(at, '>', (size_t)(end - at));

	if (stop == NULL)
		return end;
	html->state = HTML_DATA;
	return stop + 1;
}

/* Behind <!: two dashes, [CDATA[ or whatever else. */
static const char *
html_markup(struct html *html, const char *at, const char *end)
{
	static const char cdata[] = "[CDATA[";

	(void)end;
	if (html->matched == 0 && *at == '-') {
		html->state = HTML_MARKUP_DASH;
		return at + 1;
	}
	if (html->foreign > 0 && *at == cdata[html->matched]) {
		html->matched++;
		if (cdata[html->matched] == '\0')
			html->state = HTML_CDATA, html->matched = 0;
		return at + 1;
	}
	html->state = HTML_BOGUS;
	return at;
}

static const char *
html_markup_dash(struct html *html, const char *at, const char *end)
{
	(void)end;
	if (*at != '-') {
		html->state = HTML_BOGUS;
		return at;
	}
	html->state = HTML_COMMENT;
	html->dashes = HTML_DASHES_START;
	html->matched = 0;
	return at + 1;
}

/* What stands before a > that ends a comment: --, --!, and at its beginning also nothing or -. */
static uint8_t
html_dashes(uint8_t dashes, char c)
{
	static const uint8_t next[] = {
		[HTML_DASHES_NONE] = HTML_DASHES_ONE,
		[HTML_DASHES_ONE] = HTML_DASHES_TWO,
		[HTML_DASHES_TWO] = HTML_DASHES_TWO,
		[HTML_DASHES_BANG] = HTML_DASHES_ONE,
		[HTML_DASHES_START] = HTML_DASHES_START_ONE,
		[HTML_DASHES_START_ONE] = HTML_DASHES_TWO,
	};

	if (c == '-')
		return next[dashes];
	return c == '!' && dashes == HTML_DASHES_TWO ? HTML_DASHES_BANG : HTML_DASHES_NONE;
}

/* "[if ...]>" at a comment's beginning. */
static bool
html_comment_is_conditional(struct html *html, char c)
{
	static const char begin[] = "[if";

	if (html->matched < 3) {
		html->matched = (c | 0x20) == (begin[html->matched] | 0x20) ? html->matched + 1 : 5;
		return false;
	}
	if (c == ']')
		html->matched = 4;
	else if (html->matched == 4 && c == '>')
		return true;
	else if (html->matched == 4)
		html->matched = 3;
	return false;
}

static const char *
html_comment(struct html *html, const char *at, const char *end)
{
	for (; at < end; at++) {
		if (html->matched == 5 && html->dashes == HTML_DASHES_NONE) {
			at = memchr(at, '-', (size_t)(end - at));
			if (at == NULL)
				return end;
		}
		if (*at == '>' && html->dashes >= HTML_DASHES_TWO) {
			html->state = HTML_DATA;
			return at + 1;
		}
		if (html->matched < 5 && !html->is_conditional &&
		    html_comment_is_conditional(html, *at)) {
			html->state = HTML_DATA;
			html->is_conditional = true;
			html->conditional_dashes = HTML_DASHES_NONE;
			return at + 1;
		}
		html->dashes = html_dashes(html->dashes, *at);
	}
	return end;
}

/* Two brackets are kept back: a > behind them ends it. */
static const char *
html_cdata(struct html *html, const char *at, const char *end)
{
	static const char brackets[] = "]]";
	const char *stop = memchr(at, ']', (size_t)(end - at));

	if (*at == ']') {
		if (html->matched == 2)
			html_tell_literal(html, brackets + 1);
		else
			html->matched++;
		return at + 1;
	}
	if (*at == '>' && html->matched == 2) {
		html->state = HTML_DATA;
		return at + 1;
	}
	html_tell_literal(html, brackets + 2 - html->matched);
	html->matched = 0;
	html_tell_text(html, at, stop != NULL ? stop : end);
	return stop != NULL ? stop : end;
}

/* ---- tags ---- */

static const char *
html_tag_name(struct html *html, const char *at, const char *end)
{
	for (; at < end; at++) {
		if (html_is_blank(*at))
			html->state = HTML_BEFORE_NAME;
		else if (*at == '/')
			html->state = HTML_SELF_CLOSING;
		else if (*at == '>')
			html_tag_end(html);
		else {
			if (html->tag_length < HTML_NAME_MOST)
				html->tag[html->tag_length++] = html_lower(*at);
			continue;
		}
		return at + 1;
	}
	return end;
}

static const char *
html_self_closing(struct html *html, const char *at, const char *end)
{
	(void)end;
	if (*at == '>') {
		html->is_self_closing = true;
		html_tag_end(html);
		return at + 1;
	}
	html->state = HTML_BEFORE_NAME;
	return at;
}

static const char *
html_before_name(struct html *html, const char *at, const char *end)
{
	while (at < end && html_is_blank(*at))
		at++;
	if (at == end)
		return end;
	if (*at == '/') {
		html->state = HTML_SELF_CLOSING;
		return at + 1;
	}
	if (*at == '>') {
		html_tag_end(html);
		return at + 1;
	}
	html->state = HTML_NAME;
	html->attribute[0] = html_lower(*at); /* an = there is part of the name */
	html->attribute_length = 1;
	return at + 1;
}

static const char *
html_name(struct html *html, const char *at, const char *end)
{
	for (; at < end; at++) {
		if (html_is_blank(*at) || *at == '/' || *at == '>') {
			html->state = HTML_AFTER_NAME;
			html_attribute_named(html);
			return at;
		}
		if (*at == '=') {
			html->state = HTML_BEFORE_VALUE;
			html_attribute_named(html);
			return at + 1;
		}
		if (html->attribute_length < HTML_NAME_MOST)
			html->attribute[html->attribute_length++] = html_lower(*at);
	}
	return end;
}

static const char *
html_after_name(struct html *html, const char *at, const char *end)
{
	while (at < end && html_is_blank(*at))
		at++;
	if (at == end)
		return end;
	if (*at == '=') {
		html->state = HTML_BEFORE_VALUE;
		return at + 1;
	}
	html_value_end(html); /* there is none */
	html->state = HTML_BEFORE_NAME;
	return at;
}

static const char *
html_before_value(struct html *html, const char *at, const char *end)
{
	while (at < end && html_is_blank(*at))
		at++;
	if (at == end)
		return end;
	if (*at == '"' || *at == '\'') {
		html->state = *at == '"' ? HTML_VALUE_DOUBLE : HTML_VALUE_SINGLE;
		return at + 1;
	}
	html->state = HTML_VALUE_PLAIN;
	return at;
}

static const char *
html_value_quoted(struct html *html, const char *at, const char *end, char quote)
{
	const char *stop = memchr(at, quote, (size_t)(end - at));
	const char *until = stop != NULL ? stop : end;

	if (html->wanted != NULL) {
		const char *reference = memchr(at, '&', (size_t)(until - at));

		if (reference != NULL) {
			html_value_add(html, at, (size_t)(reference - at));
			html_entity_begin(html);
			return reference + 1;
		}
		html_value_add(html, at, (size_t)(until - at));
	}
	if (stop == NULL)
		return end;
	html_value_end(html);
	html->state = HTML_BEFORE_NAME;
	return stop + 1;
}

static const char *
html_value_double(struct html *html, const char *at, const char *end)
{
	return html_value_quoted(html, at, end, '"');
}

static const char *
html_value_single(struct html *html, const char *at, const char *end)
{
	return html_value_quoted(html, at, end, '\'');
}

static const char *
html_value_plain(struct html *html, const char *at, const char *end)
{
	const char *stop = at;

	while (stop < end && !html_is_blank(*stop) && *stop != '>' && *stop != '&')
		stop++;
	html_value_add(html, at, (size_t)(stop - at));
	if (stop == end)
		return end;
	if (*stop == '&') {
		html_entity_begin(html);
		return stop + 1;
	}
	html_value_end(html);
	html->state = HTML_BEFORE_NAME;
	return stop;
}

/* ---- all of it ---- */

static const html_step html_steps[] = {
	[HTML_DATA] = html_data,
	[HTML_PLAINTEXT] = html_plaintext,
	[HTML_TAG_OPEN] = html_tag_open,
	[HTML_END_TAG_OPEN] = html_end_tag_open,
	[HTML_BOGUS] = html_bogus,
	[HTML_MARKUP] = html_markup,
	[HTML_MARKUP_DASH] = html_markup_dash,
	[HTML_COMMENT] = html_comment,
	[HTML_CDATA] = html_cdata,
	[HTML_TAG_NAME] = html_tag_name,
	[HTML_SELF_CLOSING] = html_self_closing,
	[HTML_BEFORE_NAME] = html_before_name,
	[HTML_NAME] = html_name,
	[HTML_AFTER_NAME] = html_after_name,
	[HTML_BEFORE_VALUE] = html_before_value,
	[HTML_VALUE_DOUBLE] = html_value_double,
	[HTML_VALUE_SINGLE] = html_value_single,
	[HTML_VALUE_PLAIN] = html_value_plain,
	[HTML_ENTITY] = html_entity_step,
	[HTML_NUMBER] = html_number_step,
	[HTML_RAW_TEXT] = html_raw_step,
	[HTML_RAW_LESS] = html_raw_less,
	[HTML_RAW_END] = html_raw_end,
};

/* Within a conditional comment --> ends everything, in whatever state. */
static const char *
html_conditional(struct html *html, const char *at)
{
	const char *here = at;

	if (*at == '>' && html->conditional_dashes >= HTML_DASHES_TWO) {
		html_abandon(html);
		html->is_conditional = false;
		return at + 1;
	}
	html->conditional_dashes = html_dashes(html->conditional_dashes, *at);

	while (here == at)
		here = html_steps[html->state](html, at, at + 1);
	return here;
}

void
html_init(struct html *html, const struct html_sink *sink)
{
	memset(html, 0, offsetof(struct html, meta));
	html->sink = *sink;
	html_css_init(html);
}

void
html_feed(struct html *html, struct slice input)
{
	const char *at = input.data, *end = input.data + input.length;

	while (at < end)
		at = html->is_conditional ? html_conditional(html, at)
					  : html_steps[html->state](html, at, end);
}

void
html_end(struct html *html)
{
	html_abandon(html);
}
