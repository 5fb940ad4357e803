#include "lib/public_suffix.h"

#include <libpsl.h>

static const psl_ctx_t *public_suffixes;

void
public_suffix_open(void)
{
	if (public_suffixes == NULL)
		public_suffixes = psl_latest(NULL);
	if (public_suffixes == NULL)
		public_suffixes = psl_builtin();
}

const char *
public_suffix_registered(const char *name)
{
	public_suffix_open();
	return strchr(name, '.') != NULL ? psl_registrable_domain(public_suffixes, name) : NULL;
}

bool
public_suffix_is_top(const char *label)
{
	public_suffix_open();
	return psl_is_public_suffix2(
	    public_suffixes, label, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE);
}
