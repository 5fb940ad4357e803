/*
 * privileges: from root to the configured user.
 */
#pragma once

#include <stdbool.h>

/* Afterwards nothing can give privileges back. who: for the log, "worker". user "", or not
 * started by root: stays what it is. */
bool privileges_drop(const char *user, const char *who);
