#include "filters/registry.h"

const struct filter *const registry[] = {
#define FILTER(name) &name##_filter,
#include "filters/list.h"
#undef FILTER
	NULL
};

const struct filter *
registry_find(const char *name)
{
	for (size_t i = 0; registry[i] != NULL; i++)
		if (strcmp(registry[i]->name, name) == 0)
			return registry[i];
	return NULL;
}
