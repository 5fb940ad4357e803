#include "lib/suffix.h"

#include <libpsl.h>
#include <stddef.h>

static const psl_ctx_t *suffix_list;

void
suffix_load(void)
{
	if (suffix_list == NULL)
		suffix_list = psl_latest(NULL);
	if (suffix_list == NULL)
		suffix_list = psl_builtin();
}

const char *
suffix_registered(const char *name)
{
	suffix_load();
	return suffix_list != NULL ? psl_registrable_domain(suffix_list, name) : NULL;
}
