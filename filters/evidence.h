/*
 * evidence: the facts, told in scopes.
 *
 * A fact is filter.key = value, with a detail for people, and at times what it is about (a
 * list, a signature, a recipient). A key may have several values (a list can hold an
 * address for two reasons). Facts are never withdrawn or changed. Telling the same fact
 * twice is telling it once, so a filter that is run again need not remember what it said.
 *
 * Facts live in scopes, one inside the other: connection, HELO, transaction, recipient. A
 * question is answered from the innermost scope outwards; a scope that ends takes its facts
 * along. Memory is the scope's arena.
 *
 * What is known about a condition is one of four things. The policy's promise (the outcome
 * does not depend on the order of answers) rests on a condition going only from LATER to
 * PENDING to NO or YES:
 *
 *	YES      such a fact is there
 *	NO       it is not, and all facts of this key are in
 *	PENDING  it is not yet; its filter has begun and waits
 *	LATER    its filter has not come to that stage (SPF before MAIL)
 *
 * What has begun and what is over is noted by the pipeline, per filter and stage.
 */
#pragma once

#include "filters/mail.h"
#include "lib/arena.h"

enum knowledge { YES, NO, PENDING, LATER };

/* What a fact is about: pairs of name and value; ends with a name NULL. Numbers as text. */
struct about {
	const char *name, *value;
};

struct fact {
	const struct fact *next; /* in the order in which they came */
	const char *filter, *key, *value, *detail;
	const struct about *about; /* NULL: nothing more to say */
	float ms;                  /* since its filter began at that stage */
};

struct evidence;

/* parent: the scope around this one; NULL for the connection. */
struct evidence *evidence_new(struct arena *arena, struct evidence *parent);

/* filter, key: static or as old as the scope; value, detail and about are copied. */
void evidence_add(struct evidence *evidence, const char *filter, const char *key, const char *value,
    const char *detail);
void evidence_add_about(struct evidence *evidence, const char *filter, const char *key,
    const char *value, const char *detail, const struct about *about);

/* For the pipeline: the filter has begun with this stage; it is over with it. */
void evidence_begin(struct evidence *evidence, const char *filter, enum stage stage);
void evidence_over(struct evidence *evidence, const char *filter, enum stage stage);

/* For a filter: all facts of this one key are in, before its stage is over. */
void evidence_finish(struct evidence *evidence, const char *filter, const char *key);

/* Is filter.key one of these values (ends with NULL)? stage: after which its facts are in. */
enum knowledge evidence_ask(const struct evidence *evidence, const char *filter, const char *key,
    enum stage stage, const char *const *values);

/* The first fact filter.key, innermost scope first; NULL: none so far. */
const struct fact *
evidence_find(const struct evidence *evidence, const char *filter, const char *key);

/* All facts of all scopes, the connection's first; ends with NULL. Begin with *place zeroed. */
struct evidence_place {
	const struct evidence *scope;
	const struct fact *fact;
};
const struct fact *evidence_next(const struct evidence *innermost, struct evidence_place *place);
