/*
 * id: case numbers.
 *
 * Eight characters of Crockford's base32 (0-9 A-Z without I L O U): 40 random bits, from
 * getrandom(2) through a pool of 256 bytes that a forked process never shares. With a million
 * cases kept, the chance that a new one is taken is one in a million; who stores cases keeps
 * time beside the number. They are names, not secrets.
 */
#pragma once

#include "lib/slice.h"

enum { ID_SIZE = 9 }; /* with its NUL */

const char *id_make(char out[ID_SIZE]); /* returns out */

/* As a person may type it: either case, I and L for 1, O for 0, spaces around. false: none. */
bool id_read(char out[ID_SIZE], struct slice text);
