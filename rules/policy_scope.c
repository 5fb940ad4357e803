#include "rules/policy_parts.h"

#include <ctype.h>

#include "lib/nearest.h"
#include "lib/smtp_path.h"
#include "rules/domain_pattern.h"

/* The three lists while they grow. */
struct lists {
	const char **recipients, **domains, **listeners;
	size_t recipient_count, domain_count, listener_count;
};

static bool
policy_is_name(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] <= ' ' || strchr("@<>\"", text[i]) != NULL)
			return false;
	return length > 0;
}

/* "c@example.com", or "postmaster@": that local part in each domain. */
static const char *
policy_recipient(struct option_reader *reader, const struct node *node)
{
	const char *at = strrchr(node->text, '@');
	struct smtp_path path;
	bool is_good = at[1] == '\0'
	    ? policy_is_name(node->text, (size_t)(at - node->text))
	    : smtp_path_read_mailbox(&path, slice_of(node->text)) && path.domain.length > 0;

	if (is_good)
		return arena_strdup(reader->arena, node->text);
	option_impossible(reader, node, "a recipient such as c@example.com, or postmaster@");
	return NULL;
}

static const char *
policy_listener(struct option_reader *reader, const struct node *node, const char *address,
    const struct policy_terms *terms)
{
	const char *meant;

	while (isblank((unsigned char)*address))
		address++;
	for (const char *const *one = terms->listeners; *one != NULL; one++)
		if (strcmp(*one, address) == 0)
			return *one;
	meant = nearest_of(address, terms->listeners);
	if (meant == NULL)
		meant = terms->listeners[0];
	fault_add(reader->faults, node, "no listener \"%.60s\"%s%s", address,
	    meant != NULL ? "; did you mean listener " : "", meant != NULL ? meant : "");
	return NULL;
}

static void
policy_add(const char **list, size_t *count, const char *item)
{
	if (item != NULL)
		list[(*count)++] = item;
}

static void
policy_scope_item(struct option_reader *reader, const struct node *item,
    const struct policy_terms *terms, struct lists *lists)
{
	static const char listener[] = "listener";
	size_t length = sizeof(listener) - 1;

	if (item->kind != NODE_TEXT || *item->text == '\0')
		option_impossible(
		    reader, item, "c@example.com, postmaster@, example.com or \"listener *:25\"");
	else if (strncmp(item->text, listener, length) == 0 &&
	    isblank((unsigned char)item->text[length]))
		policy_add(lists->listeners, &lists->listener_count,
		    policy_listener(reader, item, item->text + length, terms));
	else if (strchr(item->text, '@') != NULL)
		policy_add(
		    lists->recipients, &lists->recipient_count, policy_recipient(reader, item));
	else
		policy_add(lists->domains, &lists->domain_count,
		    domain_pattern_read(reader, item, item->text));
}

struct rule_scope
policy_scope_read(
    struct option_reader *reader, const struct node *node, const struct policy_terms *terms)
{
	if (node == NULL)
		return (struct rule_scope) { 0 };

	size_t count = node->kind == NODE_LIST ? node_count(node) : 1;
	size_t size = (count + 1) * sizeof(const char *);
	const struct node *item = node->kind == NODE_LIST ? node->child : node;
	struct lists lists = {
		.recipients = arena_alloc(reader->arena, size),
		.domains = arena_alloc(reader->arena, size),
		.listeners = arena_alloc(reader->arena, size),
	};

	if (count == 0)
		option_impossible(reader, node, "recipients, domains or listeners");
	for (size_t i = 0; i < count; i++, item = item->next)
		policy_scope_item(reader, item, terms, &lists);
	return (struct rule_scope) {
		.recipients = lists.recipient_count > 0 ? lists.recipients : NULL,
		.domains = lists.domain_count > 0 ? lists.domains : NULL,
		.listeners = lists.listener_count > 0 ? lists.listeners : NULL,
	};
}

bool
policy_address_check(struct option_reader *reader, const struct node *node)
{
	struct smtp_path path;

	if (node->kind == NODE_TEXT && smtp_path_read_mailbox(&path, slice_of(node->text)) &&
	    path.domain.length > 0)
		return true;
	option_impossible(reader, node, "an address such as abuse@example.com");
	return false;
}
