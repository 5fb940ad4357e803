/*
 * filter: the interface that a filter is written to.
 *
 * A filter is one constant struct in one file, and one line in filters/list.h. It finds
 * facts; it decides nothing, replies nothing, logs nothing, counts nothing.
 *
 * A stage function is called when its stage is reached, and again whenever an answer has
 * come, until it returns NEXT. Each time it starts from its first line and keeps nothing in
 * between: an answer it got before it gets again, the same one. It asks all it will need,
 * then returns WAIT if anything is NULL, and records its facts last. A fact may be recorded
 * before the last WAIT only if no answer that is still to come could change it; then
 * evidence_finish() its key.
 *
 * The stages of a session, in their order, and how often each is reached:
 *
 *	CONNECT   once per connection, before the greeting
 *	HELO      after each HELO or EHLO (a new one makes the facts of the last one void)
 *	MAIL      once per transaction, after MAIL FROM
 *	RCPT      once per recipient, after RCPT TO; mail->recipient is that one
 *	HEADERS   after the empty line behind the header fields
 *	END       after the last byte of the message
 *
 * Taps see the bytes as they pass, in pieces of any size: raw() the message as it came,
 * after unframing (RFC 5321 4.5.2) and mending of line ends, header included. A tap only
 * takes in; it may ask early. What a filter keeps between taps lies in mail->state,
 * state_size zeroed bytes per message; what in it is no memory is released in close(),
 * which is called once, however the message ends, when any tap or stage from MAIL on was
 * called.
 *
 * The taps for parts see the message taken apart (lib/part.h, lib/mime.h): part_begin() when the
 * fields of a part are read, data() the bytes of a leaf with its transfer encoding undone, text()
 * the same of leaves that are text, in UTF-8 (of HTML the source), and part_end(). A container
 * begins and ends before what is in it begins. All is in before END. What a reader meets in that
 * text is told, too: shown() what he sees (of HTML without its marks; lib/html.h), uri() each
 * address (lib/uri.h). The message is taken apart once for all filters, and only if one of them
 * has such a tap.
 *
 * header() may put fields in front of a message that passes. It is called after the verdict,
 * and again where the message has to be sent again; the fields end with CRLF. A filter that may
 * do so says it by adds_header(): such a message must be held until it is whole. When raw() is
 * called with the end of the header fields, mail->header is there already.
 *
 * What a filter has for all messages of a worker (the health of a list, connections to a
 * scanner) is made by open() once, after the fork and before any session, and given as
 * mail->shared. It may have timers and tasks of its own on the host's loop.
 *
 * A key may be told in an earlier stage than its fact_kind says, but then without waiting:
 * until its own stage it counts as LATER.
 *
 * A filter includes this header and lib/ only. It knows no other filter.
 */
#pragma once

#include "filters/evidence.h"
#include "filters/mail.h"
#include "lib/buf.h"
#include "lib/dns_list.h"
#include "lib/option.h"
#include "lib/part.h"
#include "lib/scanner.h"
#include "lib/uri.h"

enum step { NEXT, WAIT, END_SESSION }; /* END_SESSION: for the session's steps only */

typedef enum step (*filter_stage)(struct mail *mail, const void *options);
typedef void (*filter_tap)(struct mail *mail, const void *options, struct slice bytes);
typedef void (*filter_part)(struct mail *mail, const void *options, const struct part *part);
typedef void (*filter_part_tap)(
    struct mail *mail, const void *options, const struct part *part, struct slice bytes);
typedef void (*filter_uri)(
    struct mail *mail, const void *options, const struct part *part, const struct uri *uri);
typedef void (*filter_close)(struct mail *mail, const void *options);
typedef void (*filter_header)(struct mail *mail, const void *options, struct buf *out);
typedef void *(*filter_open)(const struct filter_host *host, const void *options);
typedef void (*filter_complete)(
    struct option_reader *reader, const struct node *section, void *options);

/*
 * A fact that the filter may tell: for `postern check`, the manual and the web page, and
 * the bound on what a rule may ask for. stage: after which stage all facts of this key are
 * in. Values are words with blanks between; "*" stands for any word (a count, a name). is_number:
 * there is one fact of the key, a number that a rule's `score:` may name.
 */
struct fact_kind {
	const char *key;
	enum stage stage;
	const char *values;
	const char *meaning;
	bool is_number;
};

struct filter {
	const char *name;
	const char *section; /* its key under `filters:`; NULL: as its name */
	const char *summary;
	const struct fact_kind *facts; /* ends with a key NULL */
	const struct option *options;  /* of the section filters: NAME:, or NULL */
	size_t options_size;           /* of the struct that they fill */
	bool is_always_on;             /* runs also where the configuration does not name it */

	/* When the section has been read (NULL: it is not there): what hangs on several options
	 * or on further files. Faults go to the reader. NULL: nothing. */
	filter_complete complete;

	/* The DNS lists that it asks, for who looks after them. NULL: it asks none. */
	const struct dns_lists *(*lists)(const void *options);

	/* The scanner that it asks, for who asks whether that is there. NULL: it asks none. */
	void (*scanner)(const void *options, struct scanner_terms *terms);

	/* Facts whose keys the configuration names (the ids of lists): the possible values
	 * of `key`, or NULL when there is no such key. They are in after `named_stage`. */
	const char *(*named_values)(const void *options, const char *key);
	enum stage named_stage;
	enum stage (*named_stage_of)(const void *options, const char *key); /* NULL: that */

	filter_stage stages[STAGES]; /* NULL: nothing to do there */
	filter_tap raw;
	filter_part part_begin;
	filter_part_tap data, text, shown;
	filter_uri uri;
	filter_part part_end;
	filter_header header;
	bool (*adds_header)(const void *options); /* NULL: never */
	size_t state_size;
	filter_close close;
	filter_open open; /* NULL: mail->shared is NULL */
};
