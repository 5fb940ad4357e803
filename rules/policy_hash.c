/* The policy as one JSON text that is the same for the same rules, and its SHA-256. */
#include <assert.h>
#include <openssl/evp.h>

#include "lib/json.h"
#include "rules/policy_parts.h"

static void
policy_hash_texts(struct json *json, const char *key, const char *const *texts)
{
	if (texts == NULL)
		return;
	json_open_array(json_key(json, key));
	for (; *texts != NULL; texts++)
		json_text(json, *texts);
	json_close_array(json);
}

static void
policy_hash_conditions(struct json *json, const char *key, const struct condition *condition)
{
	json_open_array(json_key(json, key));
	for (; condition != NULL && condition->filter != NULL; condition++) {
		json_open_object(json);
		json_text(json_key(json, "filter"), condition->filter);
		json_text(json_key(json, "key"), condition->key);
		policy_hash_texts(json, "values", condition->values);
		json_close_object(json);
	}
	json_close_array(json);
}

static void
policy_hash_rule(struct json *json, const struct rule *rule)
{
	json_open_object(json);
	json_text(json_key(json, "name"), rule->name);
	policy_hash_conditions(json, "when", rule->when);
	policy_hash_conditions(json, "unless", rule->unless);
	policy_hash_texts(json, "recipients", rule->scope.recipients);
	policy_hash_texts(json, "domains", rule->scope.domains);
	policy_hash_texts(json, "listeners", rule->scope.listeners);
	json_text(json_key(json, "do"), action_name(rule->action));
	json_double(json_key(json, "score"), rule->score);
	if (rule->adds.filter != NULL) {
		json_text(json_key(json, "adds"), rule->adds.filter);
		json_text(json_key(json, "adds_key"), rule->adds.key);
	}
	if (rule->ban > 0)
		json_double(json_key(json, "ban"), rule->ban);
	json_text(json_key(json, "text"), rule->text);
	json_text(json_key(json, "to"), rule->redirect);
	json_bool(json_key(json, "shadow"), rule->is_shadow);
	json_bool(json_key(json, "at_once"), rule->speaks_at_once);
	json_close_object(json);
}

static const char *
policy_hash_digest(struct arena *arena, struct slice bytes)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	int done = EVP_Digest(bytes.data, bytes.length, digest, &length, EVP_sha256(), NULL);
	char *text = arena_alloc(arena, 2 * (size_t)length + 1);

	assert(done == 1);
	for (unsigned i = 0; i < length; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	return text;
}

const char *
policy_hash(struct arena *arena, const struct policy *policy)
{
	struct buf buf;
	struct json json;

	buf_init(&buf, SIZE_MAX / 4);
	json_init(&json, &buf);
	json_open_object(&json);
	json_open_array(json_key(&json, "rules"));
	for (const struct rule *rule = policy->rules; rule->name != NULL; rule++)
		policy_hash_rule(&json, rule);
	json_close_array(&json);
	json_double(json_key(&json, "tag"), policy->tag);
	json_double(json_key(&json, "reject"), policy->reject);
	json_bool(json_key(&json, "shadow"), policy->is_shadow);
	json_close_object(&json);

	const char *hash = policy_hash_digest(arena, buf_slice(&buf));

	buf_free(&buf);
	return hash;
}
