#include "lib/smtp_fault.h"

struct slice
smtp_fault_format(struct arena *arena, const struct smtp_fault *fault)
{
	return slice_of(
	    arena_format(arena, "%d %s %s\r\n", fault->code, fault->enhanced, fault->text));
}
