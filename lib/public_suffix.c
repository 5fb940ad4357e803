#include "lib/public_suffix.h"

#include <libpsl.h>
#include <stdint.h>

enum { KNOWN = 512, KNOWN_NAME = 64, NOWHERE = UINT16_MAX };

static const psl_ctx_t *public_suffixes;

/* To look a name up takes a microsecond or two, and the same ones come again and again: those asked
 * about last are kept, each in the place that its letters give. */
static struct public_suffix_known {
	char name[KNOWN_NAME];
	uint16_t found; /* of a label whether it is a top level, of a name an offset */
} public_suffix_known[KNOWN];

void
public_suffix_open(void)
{
	if (public_suffixes == NULL)
		public_suffixes = psl_latest(NULL);
	if (public_suffixes == NULL)
		public_suffixes = psl_builtin();
}

/* Is a label a top level; where does the registered part of a name begin? */
static uint16_t
public_suffix_look_up(const char *name)
{
	const char *registered;

	public_suffix_open();
	if (strchr(name, '.') == NULL)
		return psl_is_public_suffix2(
			   public_suffixes, name, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE) != 0;
	registered = psl_registrable_domain(public_suffixes, name);
	return registered != NULL ? (uint16_t)(registered - name) : NOWHERE;
}

static uint16_t
public_suffix_find(const char *name)
{
	uint32_t hash = 2166136261u;
	size_t length = 0;

	for (; length < KNOWN_NAME && name[length] != '\0'; length++)
		hash = (hash ^ (uint8_t)name[length]) * 16777619u;
	if (length == 0 || length == KNOWN_NAME)
		return public_suffix_look_up(name);
	struct public_suffix_known *known = &public_suffix_known[hash % KNOWN];

	if (strcmp(known->name, name) != 0) {
		memcpy(known->name, name, length + 1);
		known->found = public_suffix_look_up(name);
	}
	return known->found;
}

const char *
public_suffix_registered(const char *name)
{
	uint16_t offset = strchr(name, '.') != NULL ? public_suffix_find(name) : NOWHERE;

	return offset != NOWHERE ? name + offset : NULL;
}

bool
public_suffix_is_top(const char *label)
{
	return strchr(label, '.') == NULL && public_suffix_find(label) != 0;
}
