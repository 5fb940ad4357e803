#include "lib/domain.h"

bool
domain_matches(struct slice domain, const char *pattern)
{
	size_t length = strlen(pattern);

	if (domain.length > 0 && domain.data[domain.length - 1] == '.')
		domain.length--;
	if (domain.length == 0 || length == 0)
		return false;
	if (pattern[0] != '.')
		return slice_matches(domain, pattern);
	if (domain.length <= length || domain.data[0] == '.')
		return false;
	return strncasecmp(domain.data + domain.length - length, pattern, length) == 0;
}
