/*
 * hash: of bytes, for tables whose keys strangers choose.
 *
 * hash_keyed() is SipHash-2-4 (Aumasson, Bernstein 2012): who does not know the key cannot
 * make two texts fall together. For memory, since the key is made anew at each start.
 *
 * hash_digest() is the front of SHA-256: the same at all times and on all machines, and too
 * long to be met by chance or intent. For keys on disk.
 */
#pragma once

#include <stdint.h>

#include "lib/slice.h"

enum { HASH_DIGEST = 16 };

uint64_t hash_keyed(const uint64_t key[2], struct slice bytes);
void hash_digest(unsigned char out[HASH_DIGEST], struct slice bytes);
