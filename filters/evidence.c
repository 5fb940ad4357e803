#include "filters/evidence.h"

#include "lib/clock.h"

/* How far a filter is in this scope; with a key: that all its facts are in. */
struct progress {
	struct progress *next;
	const char *filter, *key;
	uint8_t begun, over; /* a bit per stage */
	double since;        /* when the stage now running began, clock_seconds() */
};

struct evidence {
	struct arena *arena;
	struct evidence *parent;
	struct fact *first, *last;
	struct progress *progress;
};

struct evidence *
evidence_new(struct arena *arena, struct evidence *parent)
{
	struct evidence *evidence = arena_alloc(arena, sizeof(*evidence));

	*evidence = (struct evidence) { .arena = arena, .parent = parent };
	return evidence;
}

/* Names are mostly the filter's own constants: the pointers are equal. */
static bool
evidence_same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && a[0] == b[0] && strcmp(a, b) == 0);
}

/* The filter's own row (key NULL) or a key's, in this scope only. */
static struct progress *
evidence_progress(const struct evidence *evidence, const char *filter, const char *key)
{
	struct progress *progress = evidence->progress;

	while (progress != NULL &&
	    !(evidence_same(progress->filter, filter) && evidence_same(progress->key, key)))
		progress = progress->next;
	return progress;
}

static struct progress *
evidence_note(struct evidence *evidence, const char *filter, const char *key)
{
	struct progress *progress = evidence_progress(evidence, filter, key);

	if (progress == NULL) {
		progress = arena_alloc(evidence->arena, sizeof(*progress));
		*progress = (struct progress) {
			.next = evidence->progress,
			.filter = filter,
			.key = key,
		};
		evidence->progress = progress;
	}
	return progress;
}

/* A stage that begins while an earlier one still waits is timed from that one's end. */
void
evidence_begin(struct evidence *evidence, const char *filter, enum stage stage)
{
	struct progress *progress = evidence_note(evidence, filter, NULL);

	if (progress->begun == progress->over)
		progress->since = clock_seconds();
	progress->begun |= (uint8_t)(1u << stage);
}

void
evidence_over(struct evidence *evidence, const char *filter, enum stage stage)
{
	struct progress *progress = evidence_note(evidence, filter, NULL);

	progress->begun |= (uint8_t)(1u << stage);
	progress->over |= (uint8_t)(1u << stage);
	if (progress->begun != progress->over)
		progress->since = clock_seconds();
}

void
evidence_finish(struct evidence *evidence, const char *filter, const char *key)
{
	evidence_note(evidence, filter, key);
}

static bool
evidence_same_about(const struct about *a, const struct about *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	while (a->name != NULL && b->name != NULL && evidence_same(a->name, b->name) &&
	    evidence_same(a->value, b->value))
		a++, b++;
	return a->name == NULL && b->name == NULL;
}

static bool
evidence_is_told(const struct evidence *evidence, const struct fact *new)
{
	const struct fact *fact = evidence->first;

	while (fact != NULL &&
	    !(evidence_same(fact->filter, new->filter) && evidence_same(fact->key, new->key) &&
		evidence_same(fact->value, new->value) &&
		evidence_same_about(fact->about, new->about)))
		fact = fact->next;
	return fact != NULL;
}

static const struct about *
evidence_copy_about(struct arena *arena, const struct about *about)
{
	size_t count = 0;

	if (about == NULL)
		return NULL;
	while (about[count].name != NULL)
		count++;
	struct about *copy = arena_alloc(arena, (count + 1) * sizeof(*copy));

	for (size_t i = 0; i < count; i++) {
		copy[i].name = arena_strdup(arena, about[i].name);
		copy[i].value = arena_strdup(arena, about[i].value);
	}
	return copy;
}

void
evidence_add_about(struct evidence *evidence, const char *filter, const char *key,
    const char *value, const char *detail, const struct about *about)
{
	const struct progress *progress = evidence_progress(evidence, filter, NULL);
	struct arena *arena = evidence->arena;
	struct fact new = { .filter = filter, .key = key, .value = value, .about = about };

	if (evidence_is_told(evidence, &new))
		return;
	new.value = arena_strdup(arena, value);
	new.detail = arena_strdup(arena, detail != NULL ? detail : "");
	new.about = evidence_copy_about(arena, about);
	new.ms = progress != NULL ? (float)((clock_seconds() - progress->since) * 1e3) : 0;

	struct fact *fact = arena_alloc(arena, sizeof(*fact));

	*fact = new;
	if (evidence->last != NULL)
		evidence->last->next = fact;
	else
		evidence->first = fact;
	evidence->last = fact;
}

void
evidence_add(struct evidence *evidence, const char *filter, const char *key, const char *value,
    const char *detail)
{
	evidence_add_about(evidence, filter, key, value, detail, NULL);
}

static bool
evidence_has(
    const struct evidence *evidence, const char *filter, const char *key, const char *const *values)
{
	for (const struct fact *fact = evidence->first; fact != NULL; fact = fact->next) {
		if (!evidence_same(fact->filter, filter) || !evidence_same(fact->key, key))
			continue;
		for (const char *const *value = values; *value != NULL; value++)
			if (evidence_same(fact->value, *value))
				return true;
	}
	return false;
}

/* What is known in this scope alone of facts that are not there. */
static enum knowledge
evidence_lack(
    const struct evidence *evidence, const char *filter, const char *key, enum stage stage)
{
	const struct progress *progress = evidence->progress;
	enum knowledge is = LATER;

	for (; progress != NULL; progress = progress->next) {
		if (!evidence_same(progress->filter, filter))
			continue;
		if (progress->key != NULL && evidence_same(progress->key, key))
			return NO;
		if (progress->key == NULL && progress->begun & 1u << stage)
			is = progress->over & 1u << stage ? NO : PENDING;
	}
	return is;
}

/* A stage belongs to one scope; a key may have been finished in one further out. */
enum knowledge
evidence_ask(const struct evidence *evidence, const char *filter, const char *key, enum stage stage,
    const char *const *values)
{
	enum knowledge is = LATER;

	for (; evidence != NULL; evidence = evidence->parent) {
		if (evidence_has(evidence, filter, key, values))
			return YES;
		enum knowledge here = evidence_lack(evidence, filter, key, stage);

		if (is == LATER || here == NO)
			is = here;
	}
	return is;
}

const struct fact *
evidence_find(const struct evidence *evidence, const char *filter, const char *key)
{
	for (; evidence != NULL; evidence = evidence->parent)
		for (const struct fact *fact = evidence->first; fact != NULL; fact = fact->next)
			if (evidence_same(fact->key, key) && evidence_same(fact->filter, filter))
				return fact;
	return NULL;
}

/* The scope just inside `outer` (NULL: the outermost), on the way to the innermost. */
static const struct evidence *
evidence_inside(const struct evidence *innermost, const struct evidence *outer)
{
	const struct evidence *scope = innermost;

	if (scope == outer)
		return NULL;
	while (scope->parent != outer)
		scope = scope->parent;
	return scope;
}

const struct fact *
evidence_next(const struct evidence *innermost, struct evidence_place *place)
{
	if (place->fact != NULL)
		place->fact = place->fact->next;
	while (place->fact == NULL) {
		const struct evidence *scope = evidence_inside(innermost, place->scope);

		if (scope == NULL)
			return NULL;
		place->scope = scope;
		place->fact = scope->first;
	}
	return place->fact;
}
