/*
 * A record, written anew for libspf2, for this client and this sender:
 *
 *	v=spf1 ip4:203.0.113.0/24 include:_spf.%{d2} ?a:%{l}.x.example.org/24 -all
 *	v=spf1 +include:t0.x ?a:t1.x/24 +exists:t2.x -all
 *
 * ip4 and ip6 are decided here: what does not match is left out, what matches becomes `all`.
 * Names are aliases, whose table says what they stand for; so the text holds nothing that a
 * peer has written, is short, and each question tells which term it is for. Before a term that
 * asks nothing under an alias (all, ptr) stands the question for a marker, which says that it
 * was reached. Terms beyond the limit are left out, but for the first of them, which ends the
 * evaluation when it is reached.
 */
#include "lib/spf_run.h"

#include <assert.h>
#include <stdlib.h>

enum { TEXT_MOST = 4096, ALIASES_FIRST = 32 };

struct spf_writing {
	struct spf_run *run;
	const struct spf_found *owner;
	unsigned depth;
	unsigned left; /* terms that may still be written */
	struct buf *text;
};

const struct spf_alias *
spf_rewrite_alias(struct spf_run *run, const struct spf_alias *like)
{
	struct spf_alias *alias = arena_alloc(run->arena, sizeof(*alias));

	if (run->alias_count == run->alias_room) {
		size_t room = run->alias_room > 0 ? run->alias_room * 2 : ALIASES_FIRST;
		struct spf_alias **aliases = arena_alloc(run->arena, room * sizeof(*aliases));

		if (run->alias_count > 0)
			memcpy(aliases, run->aliases, run->alias_count * sizeof(*aliases));
		run->aliases = aliases;
		run->alias_room = room;
	}
	*alias = *like;
	alias->number = run->alias_count;
	run->aliases[run->alias_count++] = alias;
	return alias;
}

/* "t7.x", or what begins with "t7.". */
const struct spf_alias *
spf_rewrite_find(const struct spf_run *run, const char *text)
{
	char *end;
	unsigned long number;

	assert(text[0] == 't');
	number = strtoul(text + 1, &end, 10);
	assert(*end == '.' && number < run->alias_count);
	return run->aliases[number];
}

static size_t
spf_rewrite_new(struct spf_writing *writing, enum spf_alias_kind kind, const struct spf_term *term,
    const char *name)
{
	const struct spf_alias alias = {
		.kind = kind,
		.term = term,
		.owner = writing->owner,
		.name = name,
		.depth = writing->depth,
	};

	return spf_rewrite_alias(writing->run, &alias)->number;
}

static void
spf_rewrite_marker(struct spf_writing *writing, const struct spf_term *term)
{
	buf_print(
	    writing->text, " exists:t%zu.x", spf_rewrite_new(writing, SPF_ALIAS_MARKER, term, ""));
}

/* The prefix length that is the client's; one of all bits is the same as none. */
static void
spf_rewrite_bits(struct spf_writing *writing, const struct spf_term *term)
{
	bool is_ip4 = writing->run->query->client.length == 4;
	uint8_t bits = is_ip4 ? term->bits4 : term->bits6;

	if (bits != SPF_NO_BITS && bits > 0)
		buf_print(writing->text, is_ip4 ? "/%u" : "//%u", bits);
}

static void
spf_rewrite_target(struct spf_writing *writing, const struct spf_term *term, const char *name)
{
	static const char *const words[] = {
		[SPF_TERM_INCLUDE] = "include:",
		[SPF_TERM_A] = "a:",
		[SPF_TERM_MX] = "mx:",
		[SPF_TERM_PTR] = "ptr:",
		[SPF_TERM_EXISTS] = "exists:",
		[SPF_TERM_REDIRECT] = "redirect=",
	};

	if (term->kind == SPF_TERM_PTR)
		spf_rewrite_marker(writing, term);
	buf_append_byte(writing->text, ' ');
	if (term->kind != SPF_TERM_REDIRECT)
		buf_append_byte(writing->text, term->qualifier);
	buf_print(writing->text, "%st%zu.x", words[term->kind],
	    spf_rewrite_new(writing, SPF_ALIAS_TERM, term, name));
	if (term->kind == SPF_TERM_A || term->kind == SPF_TERM_MX)
		spf_rewrite_bits(writing, term);
}

/* false: nothing behind it can be reached, or not yet. */
static bool
spf_rewrite_term(struct spf_writing *writing, const struct spf_term *term)
{
	struct spf_run *run = writing->run;
	bool is_network = term->kind == SPF_TERM_IP4 || term->kind == SPF_TERM_IP6;
	const char *name;

	if (is_network && !network_has(&term->network, &run->query->client))
		return true;
	if (is_network || term->kind == SPF_TERM_ALL) {
		spf_rewrite_marker(writing, term);
		buf_print(writing->text, " %call", term->qualifier);
		return false;
	}
	switch (spf_ask_target(run, writing->owner, term, &name)) {
	case SPF_TARGET:
		spf_rewrite_target(writing, term, name);
		return --writing->left > 0;
	case SPF_TARGET_NEVER:
		return true;
	case SPF_TARGET_LATER:
		buf_print(writing->text, " include:t%zu.x",
		    spf_rewrite_new(writing, SPF_ALIAS_LATER, term, ""));
		break;
	case SPF_TARGET_TOO_LONG:
		buf_print(writing->text, " include:t%zu.x",
		    spf_rewrite_new(writing, SPF_ALIAS_TOO_LONG, term, ""));
		break;
	}
	return false;
}

const char *
spf_rewrite(struct spf_run *run, const struct spf_found *found, unsigned depth)
{
	const struct spf_record *record = &found->record;
	struct spf_writing writing = {
		.run = run,
		.owner = found,
		.depth = depth,
		.left = run->query->terms + 1 - run->terms,
		.text = buf_new(run->arena, TEXT_MOST),
	};
	size_t i = 0;

	buf_append(writing.text, slice_of("v=spf1"));
	while (i < record->count && spf_rewrite_term(&writing, &record->terms[i]))
		i++;
	if (i == record->count && record->redirect != NULL)
		spf_rewrite_term(&writing, record->redirect);
	buf_append_byte(writing.text, '\0');
	assert(!writing.text->overflowed && strchr(writing.text->data, '%') == NULL);
	return writing.text->data;
}
