#include "rules/auth_results.h"

#include <ctype.h>

enum { VALUE_MOST = 255, PIECE_MOST = 2 * VALUE_MOST + 80, LINE = 76, RESULTS_MOST = 30 };

/* While the field is written. */
struct auth_results {
	const struct config *config;
	const struct mail *mail;
	struct buf *out;
	size_t column;
	size_t count; /* results so far */
};

static bool
auth_results_runs(const struct config *config, const char *filter)
{
	const struct pipeline *pipeline = &config->pipeline;

	for (size_t i = 0; i < pipeline->count; i++)
		if (strcmp(pipeline->rows[i].filter->name, filter) == 0)
			return !pipeline->rows[i].is_shadow;
	return false;
}

bool
auth_results_are_wanted(const struct config *config)
{
	return config->authentication_results &&
	    (auth_results_runs(config, "spf") || auth_results_runs(config, "dkim") ||
		auth_results_runs(config, "dmarc") || auth_results_runs(config, "arc"));
}

/* Has this filter begun with something in this scope, or in one around it, that is not over? */
static bool
auth_results_is_open(const struct scope *scope, size_t row)
{
	for (; scope != NULL; scope = scope->parent)
		for (enum stage stage = CONNECT; stage < STAGES; stage++)
			if ((scope->reached[stage] & ~scope->over[stage]) >> row & 1)
				return true;
	return false;
}

bool
auth_results_are_open(const struct config *config, const struct scope *scope)
{
	static const char *const filters[] = { "spf", "dkim", "dmarc", "arc", "ptr" };
	const struct pipeline *pipeline = &config->pipeline;

	if (!auth_results_are_wanted(config))
		return false;
	for (size_t i = 0; i < pipeline->count; i++)
		for (size_t j = 0; j < sizeof(filters) / sizeof(filters[0]); j++)
			if (strcmp(pipeline->rows[i].filter->name, filters[j]) == 0 &&
			    auth_results_is_open(scope, i))
				return true;
	return false;
}

/* ---- words ---- */

/* A token of RFC 2045 5.1. */
static bool
auth_results_is_token(const char *text)
{
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++)
		if (!isgraph((unsigned char)*text) || strchr("()<>@,;:\\\"/[]?=", *text) != NULL)
			return false;
	return true;
}

/* [local-part] "@" domain-name, both without quotes (RFC 8601 2.2). */
static bool
auth_results_is_address(const char *text)
{
	const char *at = strchr(text, '@');

	for (const char *c = text; at != NULL && c < at; c++)
		if (!isalnum((unsigned char)*c) && strchr("!#$%&'*+-/=?^_`{|}~.", *c) == NULL)
			return false;
	if (at == NULL || at[1] == '\0' || text[0] == '.' || (at > text && at[-1] == '.'))
		return false;
	return strspn(
		   at + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
	    strlen(at + 1);
}

/* A value of a property; as it is, or quoted. What is longer than any honest one is cut. */
static const char *
auth_results_quote(char out[PIECE_MOST], const char *text)
{
	char *end = out;

	if (strlen(text) <= VALUE_MOST &&
	    (auth_results_is_token(text) || auth_results_is_address(text)))
		return text;
	*end++ = '"';
	for (size_t i = 0; text[i] != '\0' && i < VALUE_MOST; i++) {
		if (text[i] == '"' || text[i] == '\\')
			*end++ = '\\';
		*end++ = text[i];
		if (text[i] < ' ' || text[i] > '~')
			end[-1] = '?';
	}
	*end++ = '"';
	*end = '\0';
	return out;
}

/* A piece that is not broken; before it a blank, or a new line. */
static void
auth_results_put(struct auth_results *results, bool on_new_line, const char *piece)
{
	size_t length = strlen(piece);

	if (on_new_line || results->column + 1 + length > LINE) {
		buf_append(results->out, slice_of("\r\n\t"));
		results->column = 8;
	} else {
		buf_append_byte(results->out, ' ');
		results->column++;
	}
	buf_append(results->out, slice_of(piece));
	results->column += length;
}

static void
auth_results_method(struct auth_results *results, const char *method, const char *word)
{
	char piece[PIECE_MOST];

	buf_append_byte(results->out, ';');
	snprintf(piece, sizeof(piece), "%s=%s", method, word);
	auth_results_put(results, true, piece);
	results->count++;
}

/* "header.d", value; nothing where there is none. */
static void
auth_results_property(struct auth_results *results, const char *name, const char *value)
{
	char quoted[PIECE_MOST], piece[PIECE_MOST + 32];

	if (value == NULL || value[0] == '\0')
		return;
	snprintf(piece, sizeof(piece), "%s=%s", name, auth_results_quote(quoted, value));
	auth_results_put(results, false, piece);
}

static const char *
auth_results_about(const struct fact *fact, const char *name)
{
	for (const struct about *about = fact->about; about != NULL && about->name != NULL; about++)
		if (strcmp(about->name, name) == 0)
			return about->value;
	return NULL;
}

/* ---- the methods ---- */

static void
auth_results_spf(struct auth_results *results, const struct fact *fact)
{
	const char *identity = auth_results_about(fact, "identity");
	bool is_helo = strcmp(fact->key, "helo") == 0;

	if (!is_helo && strcmp(fact->key, "result") != 0)
		return;
	/* For the null sender the result is that of the HELO name, and is said already. */
	if (!is_helo && identity != NULL && strcmp(identity, "helo") == 0)
		return;
	auth_results_method(results, "spf", fact->value);
	auth_results_property(
	    results, is_helo ? "smtp.helo" : "smtp.mailfrom", auth_results_about(fact, "domain"));
}

static void
auth_results_dkim(struct auth_results *results, const struct fact *fact)
{
	bool is_none = strcmp(fact->key, "result") == 0 && strcmp(fact->value, "none") == 0;

	if (!is_none && (strcmp(fact->key, "signature") != 0 || fact->about == NULL))
		return;
	auth_results_method(results, "dkim", fact->value);
	if (is_none)
		return;
	if (strcmp(fact->value, "pass") != 0)
		auth_results_property(results, "reason", fact->detail);
	auth_results_property(results, "header.d", auth_results_about(fact, "domain"));
	auth_results_property(results, "header.i", auth_results_about(fact, "identity"));
	auth_results_property(results, "header.s", auth_results_about(fact, "selector"));
	auth_results_property(results, "header.a", auth_results_about(fact, "algorithm"));
}

/* RFC 9989 9.1; the policy is the one that applies: of a domain that is testing one level lower. */
static void
auth_results_dmarc(struct auth_results *results, const struct fact *fact)
{
	if (strcmp(fact->key, "result") != 0)
		return;
	auth_results_method(
	    results, "dmarc", strcmp(fact->value, "error") == 0 ? "temperror" : fact->value);
	auth_results_property(results, "header.from", auth_results_about(fact, "domain"));
	auth_results_property(results, "policy.dmarc", auth_results_about(fact, "policy"));
}

/* RFC 8617 10.1 */
static void
auth_results_arc(struct auth_results *results, const struct fact *fact)
{
	if (strcmp(fact->key, "result") != 0)
		return;
	auth_results_method(results, "arc", fact->value);
	if (strcmp(fact->value, "fail") == 0)
		auth_results_property(results, "reason", fact->detail);
}

/* RFC 8601 2.7.3 */
static void
auth_results_iprev(struct auth_results *results, const struct fact *fact)
{
	static const char *const words[][2] = { { "pass", "pass" }, { "generic", "pass" },
		{ "mismatch", "fail" }, { "none", "permerror" }, { "error", "temperror" } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(fact->key, "result") != 0 || strcmp(fact->value, words[i][0]) != 0)
			continue;
		auth_results_method(results, "iprev", words[i][1]);
		auth_results_property(results, "policy.iprev", results->mail->client->text);
	}
}

/* RFC 8601 2.7.4 */
static void
auth_results_auth(struct auth_results *results, const struct fact *fact)
{
	if (strcmp(fact->key, "auth") != 0 || strcmp(fact->value, "yes") != 0)
		return;
	auth_results_method(results, "auth", "pass");
	auth_results_property(results, "smtp.auth", fact->detail);
}

static const struct auth_results_row {
	const char *filter;
	void (*put)(struct auth_results *results, const struct fact *fact);
} auth_results_rows[] = {
	{ "smtp", auth_results_auth },
	{ "spf", auth_results_spf },
	{ "dkim", auth_results_dkim },
	{ "dmarc", auth_results_dmarc },
	{ "arc", auth_results_arc },
	{ "ptr", auth_results_iprev },
};

static void
auth_results_put_row(struct auth_results *results, const struct auth_results_row *row)
{
	struct evidence_place place = { 0 };
	const struct fact *fact;

	if (!auth_results_runs(results->config, row->filter))
		return;
	while ((fact = evidence_next(results->mail->evidence, &place)) != NULL)
		if (strcmp(fact->filter, row->filter) == 0 && results->count < RESULTS_MOST)
			row->put(results, fact);
}

void
auth_results_field(const struct config *config, const struct scope *scope, struct buf *out)
{
	struct auth_results results = { .config = config, .mail = &scope->mail, .out = out };

	buf_print(out, "Authentication-Results: %s", config->authserv_id);
	for (size_t i = 0; i < sizeof(auth_results_rows) / sizeof(auth_results_rows[0]); i++)
		auth_results_put_row(&results, &auth_results_rows[i]);
	buf_append(out, slice_of(results.count == 0 ? "; none\r\n" : "\r\n"));
}
