/*
 * charset: text of any charset into UTF-8, in pieces of any size.
 *
 * Labels mean what they mean to browsers and mail programs (WHATWG Encoding Standard): under
 * iso-8859-1 is windows-1252, under gb2312 is gb18030. A byte order mark wins against the label.
 * HTML without a label is searched for one in its first kilobyte. Without any label, or under
 * one that nobody knows, UTF-8 is taken for UTF-8 and what is none for windows-1252.
 *
 * Wrong bytes become U+FFFD, one by one, and set is_broken. All that comes out is valid UTF-8
 * (with any control character in it, NUL as well). How the input is cut changes nothing.
 *
 * What is open holds an iconv descriptor: charset_end() or charset_abandon() closes it, and one of
 * them must be called.
 */
#pragma once

#include <iconv.h>

#include "lib/utf7.h"

enum { CHARSET_SNIFF = 1024, CHARSET_HELD = 16 };

typedef void (*charset_sink)(void *arg, struct slice text);

struct charset {
	enum { CHARSET_GUESS, CHARSET_ASCII, CHARSET_UTF8, CHARSET_UTF7, CHARSET_ICONV } kind;
	bool is_html;
	bool is_unknown; /* the label says nothing to us */
	bool is_broken;  /* bytes were none of this charset */
	bool is_utf16;   /* in an order that is to be found */
	iconv_t iconv;
	struct utf7 utf7;
	charset_sink sink;
	void *arg;
	char held[CHARSET_HELD]; /* the beginning of a character */
	size_t held_length;
	size_t sniff_most; /* 0: what it is, is known */
	size_t sniff_length;
	char sniff[CHARSET_SNIFF];
};

/* The name by which iconv knows a label; "UTF-16", "ASCII" for themselves. NULL: not there. */
const char *charset_name(struct slice label);

/* label: "" for none; is_html: look for it in the text. */
void charset_begin(
    struct charset *charset, struct slice label, bool is_html, charset_sink sink, void *arg);
void charset_feed(struct charset *charset, struct slice bytes);
void charset_end(struct charset *charset);

/* In place of the end: nothing more is said. */
void charset_abandon(struct charset *charset);

/* Has the C library load what it needs for the labels, for as long as the process lives. */
void charset_preload(void);
