#include "lib/node.h"

const struct node *
node_find(const struct node *map, const char *key)
{
	if (map == NULL || map->kind != NODE_MAP)
		return NULL;
	for (const struct node *at = map->child; at != NULL; at = at->next->next)
		if (strcmp(at->text, key) == 0)
			return at->next;
	return NULL;
}

size_t
node_count(const struct node *node)
{
	size_t count = 0;

	for (const struct node *at = node->child; at != NULL; at = at->next)
		count++;
	return node->kind == NODE_MAP ? count / 2 : count;
}

bool
node_is_empty(const struct node *node)
{
	return node->kind == NODE_TEXT && !node->quoted && !node->secret && *node->text == '\0';
}
