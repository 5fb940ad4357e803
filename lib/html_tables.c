#include "lib/html_tables.h"

struct html_element {
	const char *name;
	unsigned int flags;
};

static const struct html_element html_elements[] = {
	{ "a", HTML_LEAVES },
	{ "address", HTML_BLOCK },
	{ "area", HTML_VOID },
	{ "article", HTML_BLOCK },
	{ "aside", HTML_BLOCK },
	{ "base", HTML_VOID },
	{ "blockquote", HTML_BLOCK },
	{ "body", HTML_BLOCK },
	{ "br", HTML_BLOCK | HTML_VOID },
	{ "caption", HTML_BLOCK },
	{ "center", HTML_BLOCK },
	{ "col", HTML_VOID },
	{ "dd", HTML_BLOCK },
	{ "details", HTML_BLOCK },
	{ "dir", HTML_BLOCK },
	{ "div", HTML_BLOCK },
	{ "dl", HTML_BLOCK },
	{ "dt", HTML_BLOCK },
	{ "embed", HTML_VOID },
	{ "fieldset", HTML_BLOCK },
	{ "figcaption", HTML_BLOCK },
	{ "figure", HTML_BLOCK },
	{ "footer", HTML_BLOCK },
	{ "form", HTML_BLOCK },
	{ "h1", HTML_BLOCK },
	{ "h2", HTML_BLOCK },
	{ "h3", HTML_BLOCK },
	{ "h4", HTML_BLOCK },
	{ "h5", HTML_BLOCK },
	{ "h6", HTML_BLOCK },
	{ "head", HTML_BLOCK },
	{ "header", HTML_BLOCK },
	{ "hr", HTML_BLOCK | HTML_VOID },
	{ "html", HTML_BLOCK },
	{ "iframe", HTML_RAWTEXT },
	{ "img", HTML_VOID },
	{ "input", HTML_VOID },
	{ "li", HTML_BLOCK },
	{ "link", HTML_VOID },
	{ "listing", HTML_BLOCK },
	{ "main", HTML_BLOCK },
	{ "math", HTML_FOREIGN },
	{ "menu", HTML_BLOCK },
	{ "meta", HTML_VOID },
	{ "nav", HTML_BLOCK },
	{ "noembed", HTML_RAWTEXT },
	{ "noframes", HTML_RAWTEXT },
	{ "ol", HTML_BLOCK },
	{ "option", HTML_BLOCK },
	{ "p", HTML_BLOCK },
	{ "param", HTML_VOID },
	{ "plaintext", HTML_BLOCK | HTML_PLAIN },
	{ "pre", HTML_BLOCK },
	{ "script", HTML_RAWTEXT | HTML_SCRIPT },
	{ "section", HTML_BLOCK },
	{ "source", HTML_VOID },
	{ "style", HTML_RAWTEXT | HTML_CSS },
	{ "summary", HTML_BLOCK },
	{ "svg", HTML_FOREIGN },
	{ "table", HTML_BLOCK },
	{ "tbody", HTML_BLOCK },
	{ "td", HTML_BLOCK },
	{ "textarea", HTML_RAWTEXT },
	{ "tfoot", HTML_BLOCK },
	{ "th", HTML_BLOCK },
	{ "thead", HTML_BLOCK },
	{ "title", HTML_RAWTEXT | HTML_TITLE },
	{ "tr", HTML_BLOCK },
	{ "track", HTML_VOID },
	{ "ul", HTML_BLOCK },
	{ "wbr", HTML_VOID },
	{ "xmp", HTML_BLOCK | HTML_RAWTEXT },
};

unsigned int
html_element_flags(struct slice name)
{
	size_t low = 0, high = sizeof(html_elements) / sizeof(html_elements[0]);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = slice_compare(name, html_elements[middle].name);

		if (order == 0)
			return html_elements[middle].flags;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return 0;
}

/* Sorted by their names; rows with a tag stand before those of any. */
static const struct html_attribute html_attributes[] = {
	{ "action", "form", HTML_USE_LINK, HTML_FORM },
	{ "background", NULL, HTML_USE_LINK, HTML_SOURCE },
	{ "content", "meta", HTML_USE_CONTENT, HTML_REFRESH },
	{ "data", "object", HTML_USE_LINK, HTML_SOURCE },
	{ "dynsrc", NULL, HTML_USE_LINK, HTML_SOURCE },
	{ "formaction", NULL, HTML_USE_LINK, HTML_FORM },
	{ "hidden", NULL, HTML_USE_HIDDEN, HTML_LINK },
	{ "href", "base", HTML_USE_LINK, HTML_BASE },
	{ "href", "image", HTML_USE_LINK, HTML_SOURCE },
	{ "href", "link", HTML_USE_LINK, HTML_SOURCE },
	{ "href", NULL, HTML_USE_LINK, HTML_LINK },
	{ "http-equiv", "meta", HTML_USE_EQUIV, HTML_REFRESH },
	{ "longdesc", NULL, HTML_USE_LINK, HTML_SOURCE },
	{ "lowsrc", NULL, HTML_USE_LINK, HTML_SOURCE },
	{ "poster", NULL, HTML_USE_LINK, HTML_SOURCE },
	{ "src", NULL, HTML_USE_LINK, HTML_SOURCE },
	{ "srcdoc", NULL, HTML_USE_LINK, HTML_SOURCE }, /* what is in there is nested */
	{ "srcset", NULL, HTML_USE_SET, HTML_SOURCE },
	{ "style", NULL, HTML_USE_CSS, HTML_STYLE },
	{ "xlink:href", "image", HTML_USE_LINK, HTML_SOURCE },
	{ "xlink:href", NULL, HTML_USE_LINK, HTML_LINK },
};

const struct html_attribute *
html_attribute_find(struct slice tag, struct slice name, unsigned int *bit)
{
	size_t count = sizeof(html_attributes) / sizeof(html_attributes[0]);

	for (size_t i = 0; i < count; i++) {
		const struct html_attribute *row = &html_attributes[i];
		int order = slice_compare(name, row->name);

		if (order < 0)
			break;
		if (order > 0 || (row->tag != NULL && slice_compare(tag, row->tag) != 0))
			continue;
		*bit = (unsigned int)i;
		return row;
	}
	return NULL;
}
