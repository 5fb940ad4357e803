#include "lib/uri_page.h"

#include "lib/public_suffix.h"

/* What lists and people know it by: the registered domain, or the whole where there is none. */
static const char *
uri_page_domain(const struct host_form *host)
{
	const char *registered =
	    host->kind == HOST_NAME ? public_suffix_registered(host->text) : NULL;

	return registered != NULL ? registered : host->text;
}

/* The first address of the link itself is its target. */
static void
uri_page_in_link(void *arg, const struct uri *uri)
{
	struct uri_page *page = arg;

	page->outer.found(page->outer.arg, uri);
	if (!page->is_in_link || page->has_target || uri->flags & (URI_IS_NESTED | URI_IS_MAIL))
		return;
	page->has_target = true;
	page->target = *uri;
	if (uri->text.length < sizeof(page->target_text))
		page->target.text.length = uri->text.length;
	else
		page->target.text.length = sizeof(page->target_text);
	memcpy(page->target_text, uri->text.data, page->target.text.length);
	page->target.text.data = page->target_text;
}

static void
uri_page_in_text(void *arg, const struct uri *uri)
{
	static const unsigned int vague = URI_IS_NESTED | URI_IS_MAIL | URI_IS_FILE | URI_IS_JOINED;
	struct uri_page *page = arg;

	page->outer.found(page->outer.arg, uri);
	if (!page->has_target || page->is_told || uri->flags & (vague | URI_IS_HIDDEN) ||
	    strcmp(uri_page_domain(&uri->host), uri_page_domain(&page->target.host)) == 0)
		return;
	page->is_told = true;
	page->target.flags |= URI_MISLEADS;
	page->outer.found(page->outer.arg, &page->target);
}

static void
uri_page_text(void *arg, enum html_text kind, struct slice text)
{
	struct uri_page *page = arg;

	if (kind == HTML_SHOWN && page->outer.shown != NULL)
		page->outer.shown(page->outer.arg, text);
	if (kind != page->kind) {
		uri_scan_break(&page->scan);
		page->scan.flags = kind == HTML_SHOWN ? 0 : URI_IS_HIDDEN;
		page->kind = kind;
	}
	uri_scan_feed(&page->scan, text);
}

static void
uri_page_leave(void *arg)
{
	struct uri_page *page = arg;

	if (!page->is_in_link)
		return;
	uri_scan_break(&page->scan);
	page->is_in_link = page->has_target = page->is_told = false;
}

static void
uri_page_link(void *arg, enum html_link_kind kind, struct slice value)
{
	static const enum uri_where places[] = {
		[HTML_LINK] = URI_IN_LINK,
		[HTML_BASE] = URI_IN_LINK,
		[HTML_FORM] = URI_IN_FORM,
		[HTML_REFRESH] = URI_IN_REFRESH,
		[HTML_SOURCE] = URI_IN_SOURCE,
		[HTML_STYLE] = URI_IN_STYLE,
	};
	struct uri_page *page = arg;

	if (kind == HTML_BASE) {
		uri_set_base(value, &page->base, &page->outer);
		return;
	}
	if (kind == HTML_LINK) {
		uri_page_leave(page);
		uri_scan_break(&page->scan);
		page->is_in_link = true;
		uri_read(value, URI_IN_LINK, &page->base, &page->in_link);
		return;
	}
	uri_read(value, places[kind], &page->base, &page->outer);
}

void
uri_page_init(struct uri_page *page, const struct uri_sink *sink)
{
	const struct html_sink parts = { uri_page_text, uri_page_link, uri_page_leave, page };

	memset(page, 0, offsetof(struct uri_page, target));
	page->outer = *sink;
	page->in_link = (struct uri_sink) { uri_page_in_link, page };
	page->in_text = (struct uri_sink) { uri_page_in_text, page };
	html_init(&page->html, &parts);
	uri_scan_init(&page->scan, URI_IN_TEXT, &page->in_text);
}

void
uri_page_feed(struct uri_page *page, struct slice source)
{
	html_feed(&page->html, source);
}

void
uri_page_end(struct uri_page *page)
{
	html_end(&page->html);
	uri_scan_end(&page->scan);
}
