/*
 * rule: which rules by regular expression hold for the message (filters/rule_set.h).
 *
 *	result   the names of those that hold, each with its reason and where it was found; or none
 *	error    the names of those of which nobody knows, as a pattern took too long; or none
 *	score    the sum of the scores of those that hold; a rule of the policy adds it to its own
 *	         by `score: rule.score`
 *
 * Of more than TOLD_MOST the first ones are told; the score is that of all. Quiet rules, which are
 * there for others only, are not told.
 */
#include "filters/filter.h"
#include "filters/rule_match.h"

enum { TOLD_MOST = 100, SCORE_TEXT = 32 };

struct rule_files {
	const struct rule_set *set;
};

struct rule_options {
	struct rule_files files;
};

static bool
rule_files_read(struct option_reader *reader, const struct node *value, void *field)
{
	struct rule_files *files = field;

	files->set = rule_set_read(reader, value, false);
	return files->set != NULL;
}

static const struct option rule_options_rows[] = {
	OPTION_CUSTOM(rule_options, files, rule_files_read, .fallback = "[ defaults/rules.yaml ]",
	    .expected = "files with rules",
	    .help = "Files with rules; * stands for any letters: [ defaults/rules.yaml, "
		    "rules/*.yaml ]. Each rule's own examples are tried when it is read."),
	{ 0 },
};

struct rule_state {
	struct rule_match match;
};

static struct rule_match *
rule_match(struct mail *mail, const void *arg)
{
	const struct rule_options *options = arg;
	struct rule_state *state = mail->state;

	if (state->match.set == NULL)
		rule_match_init(&state->match, mail->arena, options->files.set);
	return &state->match;
}

/* ---- the envelope ---- */

static enum step
rule_mail(struct mail *mail, const void *options)
{
	struct rule_match *match = rule_match(mail, options);

	if (mail->client->helo != NULL)
		rule_match_value(match, RULE_IN_HELO, slice_of(mail->client->helo), NULL);
	rule_match_value(match, RULE_IN_MAIL_FROM, slice_of(mail->from->text), NULL);
	return NEXT;
}

static enum step
rule_rcpt(struct mail *mail, const void *options)
{
	rule_match_value(
	    rule_match(mail, options), RULE_IN_RCPT_TO, slice_of(mail->recipient->text), NULL);
	return NEXT;
}

/* ---- the message ---- */

static enum step
rule_headers(struct mail *mail, const void *options)
{
	struct rule_match *match = rule_match(mail, options);
	struct header_field field;
	size_t offset = 0;

	while (header_next(mail->header, &offset, &field))
		rule_match_field(match, &field);
	return NEXT;
}

static void
rule_part_begin(struct mail *mail, const void *options, const struct part *part)
{
	if (!part->is_raw && part->name[0] != '\0')
		rule_match_value(rule_match(mail, options), RULE_IN_ATTACHMENT,
		    slice_of(part->name), part->path);
}

static void
rule_text(struct mail *mail, const void *options, const struct part *part, struct slice bytes)
{
	if (part->is_html)
		rule_match_text(
		    rule_match(mail, options), RULE_IN_HTML, part->is_raw, part->path, bytes);
}

static void
rule_shown(struct mail *mail, const void *options, const struct part *part, struct slice bytes)
{
	rule_match_text(rule_match(mail, options), RULE_IN_BODY, part->is_raw, part->path, bytes);
}

static void
rule_uri(struct mail *mail, const void *options, const struct part *part, const struct uri *uri)
{
	struct rule_match *match = rule_match(mail, options);

	rule_match_value(match, RULE_IN_URI, uri->text, part->path);
	rule_match_value(match, RULE_IN_HOST, slice_of(uri->host.text), part->path);
}

static void
rule_part_end(struct mail *mail, const void *options, const struct part *part)
{
	if (!part->is_container)
		rule_match_part_end(rule_match(mail, options), part->is_raw);
}

/* ---- the facts ---- */

static void
rule_tell_held(struct mail *mail, const struct rule_match *match, const uint8_t *standing,
    const struct rule_entry *rule)
{
	char score[SCORE_TEXT];
	const char *part, *where = rule_match_where(match, standing, rule, &part);
	const struct about about[] = { { "in", where }, { "score", score },
		{ part != NULL ? "part" : NULL, part }, { 0 } };

	snprintf(score, sizeof(score), "%g", rule->score);
	evidence_add_about(mail->evidence, "rule", "result", rule->name, rule->reason, about);
}

/* Those that stand so; without any, `none`. */
static void
rule_tell(struct mail *mail, const struct rule_match *match, const uint8_t *standing,
    enum regex_result which)
{
	const char *key = which == REGEX_YES ? "result" : "error";
	size_t told = 0;

	for (size_t i = 0; i < match->set->count && told < TOLD_MOST; i++) {
		const struct rule_entry *rule = &match->set->rules[i];

		if (standing[i] != which || rule->is_quiet)
			continue;
		told++;
		if (which == REGEX_YES)
			rule_tell_held(mail, match, standing, rule);
		else
			evidence_add(
			    mail->evidence, "rule", key, rule->name, "a pattern took too long");
	}
	if (told == 0)
		evidence_add(mail->evidence, "rule", key, "none", "");
}

static enum step
rule_end(struct mail *mail, const void *options)
{
	struct rule_match *match = rule_match(mail, options);
	uint8_t *standing = arena_alloc(mail->arena, match->set->count + 1);
	char text[SCORE_TEXT];
	double score = 0;

	rule_match_judge(match, standing);
	for (size_t i = 0; i < match->set->count; i++)
		score += standing[i] == REGEX_YES ? match->set->rules[i].score : 0;
	rule_tell(mail, match, standing, REGEX_YES);
	rule_tell(mail, match, standing, REGEX_LIMIT);
	snprintf(text, sizeof(text), "%.6g", score);
	evidence_add(mail->evidence, "rule", "score", text, "");
	return NEXT;
}

/* Both keys have the names of the rules. */
static const char *
rule_values(const void *arg, const char *key)
{
	const struct rule_options *options = arg;

	if (strcmp(key, "result") != 0 && strcmp(key, "error") != 0)
		return NULL;
	return options->files.set != NULL ? options->files.set->names : "*";
}

const struct filter rule_filter = {
	.name = "rule",
	.section = "rules",
	.summary = "rules by regular expression that hold for the message",
	.facts =
	    (const struct fact_kind[]) {
		{ "score", END, "*", "the sum of the scores of the rules that hold", true },
		{ 0 },
	    },
	.options = rule_options_rows,
	.options_size = sizeof(struct rule_options),
	.named_values = rule_values,
	.named_stage = END,
	.stages = { [MAIL] = rule_mail,
	    [RCPT] = rule_rcpt,
	    [HEADERS] = rule_headers,
	    [END] = rule_end },
	.part_begin = rule_part_begin,
	.text = rule_text,
	.shown = rule_shown,
	.uri = rule_uri,
	.part_end = rule_part_end,
	.state_size = sizeof(struct rule_state),
};
