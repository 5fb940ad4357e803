#include "lib/spf.h"

#include <assert.h>

#include "lib/author.h"
#include "lib/spf_run.h"

const char *
spf_word(enum spf_result result)
{
	static const char *const words[] = {
		[SPF_PASS] = "pass",
		[SPF_FAIL] = "fail",
		[SPF_SOFTFAIL] = "softfail",
		[SPF_NEUTRAL] = "neutral",
		[SPF_NONE] = "none",
		[SPF_TEMPERROR] = "temperror",
		[SPF_PERMERROR] = "permerror",
	};

	return words[result];
}

static bool
spf_is_ascii(struct slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if ((unsigned char)text.data[i] >= 0x80)
			return false;
	return true;
}

/*
 * The domain as it is asked: without its last dot, in A-labels (RFC 8616 4). NULL: it is no
 * name of several labels that DNS can have, or a literal (4.3).
 */
static const char *
spf_domain(struct arena *arena, struct slice text)
{
	size_t label = 0, dots = 0;

	if (text.length > 0 && text.data[text.length - 1] == '.')
		text.length--;
	const char *domain =
	    spf_is_ascii(text) ? arena_copy(arena, text) : author_domain(arena, text);

	if (domain == NULL || domain[0] == '[' || strlen(domain) > SPF_NAME_MOST)
		return NULL;
	for (const char *c = domain; *c != '\0'; c++) {
		if (*c == '.' && label == 0)
			return NULL;
		label = *c == '.' ? 0 : label + 1;
		dots += *c == '.';
		if (label > 63)
			return NULL;
	}
	return label > 0 && dots > 0 ? domain : NULL;
}

/* The one record at the name of exp=, if that is one of text (6.2); NULL: none so far. */
static const struct slice *
spf_explanation_record(struct spf_run *run, struct buf *expanded)
{
	const struct spf_found *found = run->explained;
	enum spf_target target =
	    spf_ask_expanded(run, found->domain, found->record.explanation, expanded);

	run->waits = target == SPF_TARGET_LATER;
	if (target != SPF_TARGET)
		return NULL;
	const struct dns_answer *answer =
	    dns_ask(run->dns, DNS_TXT, spf_macro_name(run->arena, buf_slice(expanded)));

	run->waits = answer == NULL;
	buf_clear(expanded);
	if (answer == NULL || answer->count != 1 ||
	    !spf_macro_is(answer->records[0], SPF_MACRO_EXPLANATION))
		return NULL;
	return &answer->records[0];
}

static const char *
spf_explanation(struct spf_run *run)
{
	struct buf *expanded = buf_new(run->arena, SPF_EXPANDED_MOST);
	const struct slice *text = NULL;

	if (run->explained->record.explanation.length > 0)
		text = spf_explanation_record(run, expanded);
	if (text == NULL)
		return "";
	enum spf_target target = spf_ask_expanded(run, run->explained->domain, *text, expanded);

	run->waits = target == SPF_TARGET_LATER;
	return target == SPF_TARGET ? arena_copy(run->arena, buf_slice(expanded)) : "";
}

static const char *
spf_cut(struct arena *arena, struct slice text)
{
	if (text.length > SPF_WORDS_MOST)
		text.length = SPF_WORDS_MOST;
	return arena_copy(arena, text);
}

static void
spf_tell(struct spf_verdict *verdict, struct arena *arena, const struct spf_run *run,
    const char *explanation)
{
	bool is_decided = run->decides != NULL && !run->is_over;

	*verdict = (struct spf_verdict) {
		.result = run->result,
		.term = is_decided ? spf_cut(arena, run->decides->term->text) : "",
		.domain = spf_cut(
		    arena, slice_of(is_decided ? run->decides->owner->domain : run->query->domain)),
		.why = !is_decided ? spf_cut(arena, slice_of(run->why)) : "",
		.explanation = spf_cut(arena, slice_of(explanation)),
	};
}

/* false: wait. */
static bool
spf_run(struct spf_run *run, struct spf_verdict *verdict, struct arena *arena)
{
	const struct spf_found *found = spf_ask_record(run, run->query->domain);
	const char *explanation = "";

	run->why = found->why;
	switch (found->state) {
	case SPF_WAITS:
		return false;
	case SPF_HAS_RECORD:
		spf_evaluate(run, found);
		if (run->waits)
			spf_ask_early(run);
		else if (run->result == SPF_FAIL && run->query->wants_explanation)
			explanation = spf_explanation(run);
		break;
	case SPF_HAS_NONE:
		run->result = SPF_NONE;
		break;
	case SPF_IS_WRONG:
		run->result = SPF_PERMERROR;
		break;
	case SPF_NOT_KNOWN:
		run->result = SPF_TEMPERROR;
		break;
	}
	if (run->waits)
		return false;
	spf_tell(verdict, arena, run, explanation);
	return true;
}

bool
spf_check(struct spf_verdict *verdict, struct arena *arena, struct dns *dns,
    const struct spf_query *query)
{
	struct spf_query own = *query;
	struct spf_run run = { .query = &own, .dns = dns, .arena = arena_new(SIZE_MAX) };
	bool is_known = true;

	assert(query->terms <= SPF_LIMIT_MOST && query->voids <= SPF_LIMIT_MOST);
	own.domain = spf_domain(run.arena, slice_of(query->domain));
	if (own.domain != NULL) {
		is_known = spf_run(&run, verdict, arena);
	} else {
		own.domain = query->domain;
		run.result = SPF_NONE;
		run.why = "not a domain name";
		spf_tell(verdict, arena, &run, "");
	}
	arena_free(run.arena);
	return is_known;
}
