#include "filters/dkim_check.h"

#include <opendkim/dkim.h>
#include <stdlib.h>

#include "lib/header.h"

/* A field with more of them is not for us: it names or copies more fields than a message has. */
enum { COLONS_MOST = 500, PIECE_MOST = 64 * 1024 };

/* The library asks for a key: it gets the one that was read and found good. */
static DKIM_CBSTAT
dkim_check_on_key(DKIM *dkim, DKIM_SIGINFO *info, u_char *room, size_t size)
{
	const struct dkim_check *check = dkim_get_user_context(dkim);

	for (size_t i = 0; i < check->count; i++) {
		const struct dkim_check_one *one = &check->one[i];

		if (one->info != info || one->word != NULL)
			continue;
		int length = snprintf((char *)room, size, "k=%s; p=%s",
		    one->signature.kind == DKIM_ED25519_SHA256 ? "ed25519" : "rsa",
		    one->record.key);

		return (size_t)length < size ? DKIM_CBSTAT_CONTINUE : DKIM_CBSTAT_NOTFOUND;
	}
	return DKIM_CBSTAT_NOTFOUND;
}

static void
dkim_check_close(void *library)
{
	dkim_close(library);
}

/* Its own ideas of what must be signed are not wanted: ours have been applied before. */
struct dkim_lib *
dkim_check_library(struct arena *arena)
{
	unsigned flags = DKIM_LIBFLAGS_BADSIGHANDLES | DKIM_LIBFLAGS_DELAYSIGPROC;
	const char *none[] = { NULL };
	DKIM_LIB *library = dkim_init(NULL, NULL);

	if (library == NULL)
		abort();
	arena_defer(arena, dkim_check_close, library);
	if (dkim_options(library, DKIM_OP_SETOPT, DKIM_OPTS_FLAGS, &flags, sizeof(flags)) !=
		DKIM_STAT_OK ||
	    dkim_options(library, DKIM_OP_SETOPT, DKIM_OPTS_REQUIREDHDRS, none,
		sizeof(u_char **)) != DKIM_STAT_OK ||
	    dkim_set_key_lookup(library, dkim_check_on_key) != DKIM_STAT_OK)
		abort();
	return library;
}

/* ---- the header ---- */

static void
dkim_check_say(struct dkim_check_one *one, const char *word, const char *why)
{
	one->word = word;
	one->why = why;
}

/* The same for all that have no word yet. */
static void
dkim_check_say_all(struct dkim_check *check, const char *word, const char *why)
{
	for (size_t i = 0; i < check->count; i++)
		if (check->one[i].word == NULL)
			dkim_check_say(&check->one[i], word, why);
}

static bool
dkim_check_is_open(const struct dkim_check *check)
{
	for (size_t i = 0; i < check->count; i++)
		if (check->one[i].word == NULL)
			return true;
	return false;
}

static bool
dkim_check_is_signature(const struct header_field *field)
{
	return slice_matches(field->name, "DKIM-Signature");
}

static void
dkim_check_read(struct dkim_check *check, const struct header_field *field, double now)
{
	struct dkim_check_one *one = &check->one[check->count++];

	dkim_signature_read(&one->signature, check->arena, field->value, now);
	dkim_check_say(one, one->signature.word, one->signature.why);
	one->key_name = arena_format(
	    check->arena, "%s._domainkey.%s", one->signature.selector, one->signature.domain);
}

static size_t
dkim_check_colons(struct slice text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.length; i++)
		count += text.data[i] == ':';
	return count;
}

/* Line ends within the field stay, the one at its end does not belong to it. */
static void
dkim_check_feed(struct dkim_check *check, struct slice whole)
{
	if (whole.length > 0 && whole.data[whole.length - 1] == '\n')
		whole.length--;
	if (whole.length > 0 && whole.data[whole.length - 1] == '\r')
		whole.length--;
	if (whole.length > 0)
		dkim_header(check->dkim, (u_char *)(uintptr_t)whole.data, whole.length);
}

/*
 * All fields but the signatures that are not judged: those would only cost time. A field of
 * ours goes first, whose name no h= can hold, so that there is always one that is not signed.
 */
static void
dkim_check_feed_all(struct dkim_check *check, struct slice header)
{
	struct header_field field;
	size_t offset = 0, signatures = 0;

	dkim_header(check->dkim, (u_char *)(uintptr_t) "x pad: 1", 8);
	while (header_next(header, &offset, &field)) {
		if (!dkim_check_is_signature(&field)) {
			dkim_check_feed(check, field.whole);
			continue;
		}
		if (signatures == check->count)
			continue;
		signatures++;
		if (dkim_check_colons(field.value) <= COLONS_MOST)
			dkim_check_feed(check, field.whole);
	}
}

/* Which of the library's signatures is which of ours. */
static bool
dkim_check_match(struct dkim_check *check, struct slice header)
{
	struct header_field field;
	size_t offset = 0, number = 0;
	DKIM_SIGINFO **infos;
	int count = 0, next = 0;

	if (dkim_getsiglist(check->dkim, &infos, &count) != DKIM_STAT_OK)
		return false;
	while (number < check->count && header_find(header, &offset, "DKIM-Signature", &field)) {
		struct dkim_check_one *one = &check->one[number++];

		if (dkim_check_colons(field.value) > COLONS_MOST)
			dkim_check_say(one, one->word != NULL ? one->word : "policy",
			    one->word != NULL ? one->why : "too many names in it");
		else if (next < count)
			one->info = infos[next++];
	}
	return next == count;
}

static void
dkim_check_start(struct dkim_check *check, struct dkim_lib *library, struct slice header)
{
	DKIM_STAT status;

	check->dkim = dkim_verify(library, (const u_char *)"-", NULL, &status);
	if (check->dkim == NULL)
		abort();
	dkim_set_user_context(check->dkim, check);
	dkim_check_feed_all(check, header);
	status = dkim_eoh(check->dkim);
	if (status != DKIM_STAT_OK || !dkim_check_match(check, header))
		dkim_check_say_all(check, "permerror", "the header cannot be read");
}

void
dkim_check_begin(struct dkim_check *check, struct dkim_lib *library, struct arena *arena,
    struct slice header, double now)
{
	struct header_field field;
	size_t offset = 0, fields = 0;

	check->arena = arena;
	for (; header_next(header, &offset, &field); fields++) {
		if (!dkim_check_is_signature(&field))
			continue;
		if (check->count < DKIM_CHECK_MOST)
			dkim_check_read(check, &field, now);
		else
			check->surplus++;
	}
	if (fields > DKIM_CHECK_FIELDS)
		dkim_check_say_all(check, "policy", "the header has too many fields");
	if (dkim_check_is_open(check))
		dkim_check_start(check, library, header);
	if (!dkim_check_is_open(check))
		dkim_check_free(check);
}

/* ---- the body ---- */

static bool
dkim_check_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* Is there too long a line without blanks, with what came before? Only the first and the last
 * one of the piece need to be looked at, for a piece is shorter than the bound. */
static bool
dkim_check_is_too_long(struct dkim_check *check, struct slice piece)
{
	size_t first = 0, last = piece.length;

	while (first < piece.length && !dkim_check_is_blank(piece.data[first]))
		first++;
	while (last > first && !dkim_check_is_blank(piece.data[last - 1]))
		last--;
	bool is_too_long = check->line + first > DKIM_CHECK_LINE;

	check->line = piece.length - last + (first == piece.length ? check->line + first : 0);
	return is_too_long;
}

static void
dkim_check_piece(struct dkim_check *check, struct slice piece)
{
	if (dkim_check_is_too_long(check, piece)) {
		dkim_check_say_all(check, "policy", "the body has too long a line");
		dkim_check_free(check);
		return;
	}
	check->last[0] = piece.length > 1 ? piece.data[piece.length - 2] : check->last[1];
	check->last[1] = piece.data[piece.length - 1];
	check->size += piece.length;
	dkim_body(check->dkim, (u_char *)(uintptr_t)piece.data, piece.length);
}

void
dkim_check_body(struct dkim_check *check, struct slice rest)
{
	while (check->dkim != NULL && rest.length > 0) {
		size_t length = rest.length < PIECE_MOST ? rest.length : PIECE_MOST;

		dkim_check_piece(check, (struct slice) { rest.data, length });
		rest = (struct slice) { rest.data + length, rest.length - length };
	}
}

/* ---- the end ---- */

void
dkim_check_key(
    struct dkim_check *check, struct dkim_check_one *one, const struct dns_answer *answer)
{
	if (answer->state == DNS_FAILED) {
		dkim_check_say(one, "temperror", arena_strdup(check->arena, answer->why));
		return;
	}
	if (answer->count != 1) {
		dkim_check_say(one, "permerror",
		    answer->count == 0 ? "no key is published" : "several keys at one name");
		return;
	}
	dkim_record_read(&one->record, check->arena, answer->records[0], &one->signature);
	dkim_check_say(one, one->record.word, one->record.why);
}

static void
dkim_check_verified(struct dkim_check *check, struct dkim_check_one *one)
{
	const struct dkim_signature *signature = &one->signature;

	if ((dkim_sig_getflags(one->info) & DKIM_SIGFLAG_PASSED) == 0)
		dkim_check_say(one, "fail", "the signature does not match");
	else if (dkim_sig_getbh(one->info) != DKIM_SIGBH_MATCH)
		dkim_check_say(one, "fail", "the body is another");
	else if (signature->has_length && signature->length < check->size)
		dkim_check_say(one, "pass",
		    arena_format(check->arena, "of the body only the first %llu octets (l=)",
			(unsigned long long)signature->length));
	else
		dkim_check_say(one, "pass", "");
}

/* What the library has found out. */
static void
dkim_check_result(struct dkim_check *check, struct dkim_check_one *one)
{
	switch (dkim_sig_geterror(one->info)) {
	case DKIM_SIGERROR_OK:
		dkim_check_verified(check, one);
		break;
	case DKIM_SIGERROR_BADSIG:
		dkim_check_say(one, "fail",
		    dkim_sig_getbh(one->info) == DKIM_SIGBH_MISMATCH
			? "the body is another"
			: "the signature does not match");
		break;
	case DKIM_SIGERROR_TOOLARGE_L:
	case DKIM_SIGERROR_INVALID_L:
		dkim_check_say(one, "permerror", "l= is more than the body");
		break;
	case DKIM_SIGERROR_EXPIRED:
		dkim_check_say(one, "policy", "expired");
		break;
	case DKIM_SIGERROR_FUTURE:
		dkim_check_say(one, "policy", "from the future");
		break;
	default:
		dkim_check_say(one, "permerror", "it cannot be verified");
	}
}

/* A message may come without the last line end (BDAT); signers always have it. */
static void
dkim_check_finish_body(struct dkim_check *check)
{
	if (check->size > 0 && memcmp(check->last, "\r\n", 2) != 0)
		dkim_body(check->dkim, (u_char *)(uintptr_t) "\r\n", 2);
}

void
dkim_check_end(struct dkim_check *check)
{
	bool is_open = false;

	for (size_t i = 0; i < check->count; i++) {
		struct dkim_check_one *one = &check->one[i];

		is_open |= one->word == NULL;
		if (one->word != NULL && one->info != NULL && check->dkim != NULL)
			dkim_sig_ignore(one->info);
	}
	if (!is_open)
		return;
	dkim_check_finish_body(check);
	dkim_eom(check->dkim, NULL);
	for (size_t i = 0; i < check->count; i++)
		if (check->one[i].word == NULL)
			dkim_check_result(check, &check->one[i]);
}

void
dkim_check_free(struct dkim_check *check)
{
	if (check->dkim != NULL)
		dkim_free(check->dkim);
	check->dkim = NULL;
	for (size_t i = 0; i < check->count; i++)
		check->one[i].info = NULL;
}
