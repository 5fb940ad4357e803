#include "proxy/body.h"

#include <assert.h>
#include <stdlib.h>

#include "proxy/strip.h"

static void
body_set_fault(struct body *body, const char *reply)
{
	if (body->fault == NULL)
		body->fault = reply;
}

static void
body_undo(void *arg)
{
	struct body *body = arg;

	EVP_MD_CTX_free(body->hash);
	buf_free(&body->header);
	buf_free(&body->kept);
	spool_end(&body->spool);
}

/* To look the algorithm up costs as much as to hash a kilobyte; it stays for the process. */
static const EVP_MD *
body_sha256(void)
{
	static EVP_MD *sha256;

	if (sha256 == NULL)
		sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	return sha256;
}

void
body_begin(struct body *body, struct scope *scope, const struct config *config,
    struct spool_limits *spool, uint64_t size_most, enum unframe_framing framing,
    enum unframe_mode mode)
{
	*body = (struct body) { .config = config, .scope = scope, .size_most = size_most };
	unframe_init(&body->unframe, framing, mode);
	buf_init(&body->header, (size_t)config->limits.header_size.value);
	buf_init(&body->kept, 2 * body->header.limit);
	spool_init(&body->spool, spool);
	body->hash = EVP_MD_CTX_new();
	arena_defer(scope->mail.arena, body_undo, body);
	if (body->hash == NULL || EVP_DigestInit_ex2(body->hash, body_sha256(), NULL) != 1)
		abort();
}

/* The header is whole, or the message has ended without a body. */
static void
body_end_header(struct body *body)
{
	struct slice header = buf_slice(&body->header);

	body->has_header = true;
	if (header.length >= 2 && memcmp(header.data + header.length - 2, "\r\n", 2) == 0 &&
	    (header.length == 2 || header.data[header.length - 3] == '\n'))
		header.length -= 2; /* the empty line */
	body->scope->mail.header = header;
	if (header_count(header, "Received") > 100)
		body_set_fault(body, "554 5.4.6 too many hops: this message goes in a circle");
	if (strip_header(body->config, header, &body->kept))
		body->skipped = strip_wire_length(header);
	scope_reach(body->scope, HEADERS);
}

static void
body_header(struct body *body, struct slice piece)
{
	size_t used = header_end_feed(&body->header_end, piece);

	if (!buf_append(&body->header, (struct slice) { piece.data, used })) {
		body_set_fault(body, "552 5.3.4 the header of the message is too long");
		body->has_header = true;
		return;
	}
	if (body->header_end.is_found)
		body_end_header(body);
}

static void
body_on_content(void *arg, struct slice piece)
{
	struct body *body = arg;

	body->size += piece.length;
	if (body->size_most > 0 && body->size > body->size_most)
		body_set_fault(body, "552 5.3.4 the message is too large");
	if (body->fault != NULL)
		return;
	EVP_DigestUpdate(body->hash, piece.data, piece.length);
	if (!body->has_header)
		body_header(body, piece);
	scope_raw(body->scope, piece);
}

/* stream: the header, which was held until it was whole, and what came with it. */
static void
body_release(struct body *body)
{
	struct slice piece;
	bool is_broken = false;
	char room[CONN_INPUT_LEAST];
	uint64_t offset = body->skipped;

	if (body->sink != NULL)
		conn_write(body->sink, buf_slice(&body->kept));
	while ((piece = spool_piece(&body->spool, offset, room, sizeof(room), &is_broken)).length >
	    0) {
		if (body->sink != NULL)
			conn_write(body->sink, piece);
		offset += piece.length;
	}
	if (is_broken)
		body_set_fault(body, "451 4.3.0 the held header cannot be read");
	spool_end(&body->spool);
	body->is_released = true;
}

static void
body_on_wire(void *arg, struct slice piece)
{
	struct body *body = arg;

	if (body->fault != NULL)
		return;
	if (body->is_released) {
		if (body->sink != NULL)
			conn_write(body->sink, piece);
	} else if (!spool_append(&body->spool, piece)) {
		body_set_fault(body, "452 4.3.1 no space for the message now");
	}
}

static void
body_end(struct body *body)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	if (body->unframe.mode == UNFRAME_REJECT && unframe_is_impure(&body->unframe))
		body_set_fault(body, "550 5.6.11 the message holds a CR or LF that is not CRLF");
	if (!body->has_header)
		body_end_header(body);
	if (EVP_DigestFinal_ex(body->hash, digest, &length) != 1)
		abort();
	for (unsigned i = 0; i < length; i++) {
		body->hash_text[i * 2] = digits[digest[i] >> 4];
		body->hash_text[i * 2 + 1] = digits[digest[i] & 15];
	}
	body->scope->mail.size = body->size;
	body->scope->mail.had_bare_newline = unframe_is_impure(&body->unframe);
}

static struct unframe_sink
body_sink(struct body *body)
{
	return (
	    struct unframe_sink) { .content = body_on_content, .wire = body_on_wire, .arg = body };
}

/* Not later than this: its last line may be all that comes for a while. */
static void
body_pass_header(struct body *body)
{
	if (body->is_streamed && !body->is_released && body->has_header && body->fault == NULL)
		body_release(body);
}

size_t
body_feed(struct body *body, struct slice input)
{
	struct unframe_sink sink = body_sink(body);

	assert(!body_is_done(body));
	size_t used = unframe_feed(&body->unframe, input, &sink);

	if (body_is_done(body))
		body_end(body);
	body_pass_header(body);
	return used;
}

void
body_finish(struct body *body)
{
	struct unframe_sink sink = body_sink(body);

	assert(!body_is_done(body));
	unframe_finish(&body->unframe, &sink);
	body_end(body);
	body_pass_header(body);
}

bool
body_is_done(const struct body *body)
{
	return unframe_is_done(&body->unframe);
}

struct slice
body_field(const struct body *body, const char *name)
{
	struct header_field field;
	size_t offset = 0;

	if (header_find(body->scope->mail.header, &offset, name, &field))
		return field.value;
	return (struct slice) { "", 0 };
}
