#include "lib/dkim_canon.h"

#include <ctype.h>
#include <stdlib.h>

static void
dkim_canon_undo(void *hash)
{
	EVP_MD_CTX_free(hash);
}

void
dkim_canon_begin(struct dkim_canon *canon, struct arena *arena)
{
	*canon = (struct dkim_canon) { .hash = EVP_MD_CTX_new() };
	arena_defer(arena, dkim_canon_undo, canon->hash);
	if (canon->hash == NULL || EVP_DigestInit_ex(canon->hash, EVP_sha256(), NULL) != 1)
		abort();
}

static void
dkim_canon_flush(struct dkim_canon *canon)
{
	EVP_DigestUpdate(canon->hash, canon->room, canon->length);
	canon->length = 0;
}

static void
dkim_canon_put(struct dkim_canon *canon, char c)
{
	if (canon->length == sizeof(canon->room))
		dkim_canon_flush(canon);
	canon->room[canon->length++] = c;
}

/* An octet that counts, and before it what was held back. */
static void
dkim_canon_text(struct dkim_canon *canon, char c)
{
	for (; canon->line_ends > 0; canon->line_ends--) {
		dkim_canon_put(canon, '\r');
		dkim_canon_put(canon, '\n');
	}
	if (canon->has_blank)
		dkim_canon_put(canon, ' ');
	canon->has_blank = false;
	canon->has_text = true;
	dkim_canon_put(canon, c);
}

static void
dkim_canon_octet(struct dkim_canon *canon, char c)
{
	bool had_cr = canon->has_cr;

	canon->has_cr = c == '\r';
	if (had_cr && c == '\n') {
		canon->line_ends++;
		canon->has_blank = false;
		return;
	}
	if (had_cr)
		dkim_canon_text(canon, '\r');
	if ((c == ' ' || c == '\t') && !canon->is_simple)
		canon->has_blank = true;
	else if (c != '\r')
		dkim_canon_text(canon, c);
}

void
dkim_canon_feed(struct dkim_canon *canon, struct slice piece)
{
	for (size_t i = 0; i < piece.length; i++)
		dkim_canon_octet(canon, piece.data[i]);
}

void
dkim_canon_end(struct dkim_canon *canon, unsigned char hash[DKIM_CANON_HASH])
{
	if (canon->has_cr)
		dkim_canon_text(canon, '\r');
	dkim_canon_flush(canon);
	if (canon->has_text || canon->is_simple)
		EVP_DigestUpdate(canon->hash, "\r\n", 2);
	if (EVP_DigestFinal_ex(canon->hash, hash, NULL) != 1)
		abort();
}

static bool
dkim_canon_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void
dkim_canon_field(struct buf *out, struct slice name, struct slice value)
{
	bool has_blank = false, has_text = false;

	for (size_t i = 0; i < name.length; i++)
		buf_append_byte(out, (char)tolower((unsigned char)name.data[i]));
	buf_append_byte(out, ':');
	for (size_t i = 0; i < value.length; i++) {
		if (dkim_canon_is_blank(value.data[i])) {
			has_blank = true;
			continue;
		}
		if (has_blank && has_text)
			buf_append_byte(out, ' ');
		buf_append_byte(out, value.data[i]);
		has_blank = false;
		has_text = true;
	}
}
