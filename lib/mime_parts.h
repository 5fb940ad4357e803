/*
 * mime_parts: the insides of lib/mime, which see.
 *
 *	mime_lines.c    finds lines that may be delimiters, per layer
 *	mime_entity.c   what begins behind the header of a part
 *	mime.c          content, delimiters, begin and end
 *
 * A layer is a stream of lines: the message, or what comes out of an encoded multipart or
 * message in the layer below. A frame is a container that is open: the top of the stack is the
 * innermost one. Only the uppermost layer can be within a header or leaf; those below it hand
 * their content to the next one.
 */
#pragma once

#include "lib/mime.h"
#include "lib/mime_header.h"
#include "lib/mime_leaf.h"

enum {
	MIME_CANDIDATE = 1100, /* a line that may be a delimiter */
	MIME_SNIFF = 80,
	MIME_POOL = 16 * 1024,                 /* bytes of all boundaries that are open */
	MIME_FRAMES = MIME_DEPTH + MIME_LAYERS /* an encoded multipart stands in two layers */
};

struct mime_layer {
	enum mime_state {
		MIME_IN_HEADER,
		MIME_IN_LEAF,
		MIME_IN_BESIDE, /* before or behind the parts of a multipart */
		MIME_IN_INNER   /* for the next layer */
	} state;
	size_t multiparts;    /* frames in this layer that have boundaries */
	struct decode decode; /* of what the layer below hands over */
	bool is_sniffing;     /* whether that is encoded at all */
	size_t sniff_length;
	char sniff[MIME_SNIFF];

	bool is_line_start;
	size_t newline; /* held: its length */
	char newline_text[2];
	size_t line_length;
	char line[MIME_CANDIDATE]; /* held: it may be a delimiter */
};

struct mime_frame {
	size_t layer;
	unsigned depth;
	unsigned count; /* of parts so far */
	size_t path_length;
	size_t pool_length; /* before it */
	size_t boundaries;  /* 0: a message */
	uint16_t offset[MIME_BOUNDARIES], length[MIME_BOUNDARIES];
	bool is_digest, is_closed, is_doubtful;
	bool is_encoded; /* stands in the next layer too; or is that */
};

/* Zero at first, but for what stands from layers on: most of it no message needs. */
struct mime {
	struct mime_sink sink;
	size_t layer_count, frame_count, pool_length;
	bool was_junk; /* of the header: it has begun to be given as text */
	size_t left_length;
	struct mime_leaf leaf, raw;
	char path[MIME_PATH];
	size_t path_length;
	unsigned count, depth;
	uint64_t faults;
	char first[MIME_FAULTS][MIME_FIRST];
	bool had_cr; /* the last byte was one */
	bool is_over;

	struct mime_layer layers[MIME_LAYERS];
	struct mime_frame frames[MIME_FRAMES];
	struct mime_header header;
	char left[MIME_HEADER_LINE + 1];
	char pool[MIME_POOL];
};

/* One more, in which nothing has come by yet. */
struct mime_layer *mime_add_layer(struct mime *mime, enum decode_encoding encoding);

/* The frame that is open; NULL: none. */
struct mime_frame *mime_top(struct mime *mime);
void mime_note(struct mime *mime, uint64_t faults);

/* The lines of a layer. */
void mime_lines(struct mime *mime, size_t layer, struct slice input);

/* What is held of a line: there is no more. */
void mime_flush(struct mime *mime, size_t layer);

/* Content of a layer, without delimiters. How much it took: less than all when a header ended. */
size_t mime_content(struct mime *mime, size_t layer, struct slice bytes);

/* Which of the frames that are open in this layer a line without blanks at its end delimits;
 * frame_count: none. *is_end: it closes it. */
size_t mime_find(const struct mime *mime, size_t layer, struct slice line, bool *is_end);

/* Is the line a delimiter in this layer? Then that is done which it says. */
bool mime_delimiter(struct mime *mime, size_t layer, struct slice line);

/* A header is read: its part begins. */
void mime_entity(struct mime *mime, size_t layer);

/* The header of a part in the container that is open. type: if it says none. */
void mime_begin_header(struct mime *mime, size_t layer, const char *type);

/* Text beside the parts. */
void mime_beside(struct mime *mime, struct slice bytes);
void mime_close_leaves(struct mime *mime);
