/*
 * uri_sum: what is told of addresses, as a number, so that two readings can be compared.
 */
#pragma once

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "lib/uri_scan.h"

/* A sum over all that is told, in any order: addresses in CSS and in the text beside it come in the
 * order in which their ends are reached. */
struct sum {
	uint64_t hash, count;
};

static const struct sum sum_of_nothing = { 14695981039346656037u, 0 };

static inline void
sum_add(struct sum *sum, const void *bytes, size_t length)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < length; i++)
		sum->hash = (sum->hash ^ byte[i]) * 1099511628211u;
}

static inline void
on_found(void *arg, const struct uri *uri)
{
	struct sum *sum = arg, one = sum_of_nothing;

	assert(strlen(uri->host.text) > 0 && strlen(uri->host.text) < HOST_TEXT_MOST);
	assert(uri->host.kind == HOST_NAME || uri->host.ip.length > 0);
	sum_add(&one, uri->host.text, strlen(uri->host.text));
	sum_add(&one, &uri->flags, sizeof(uri->flags));
	sum_add(&one, uri->text.data, uri->text.length);
	sum->hash += one.hash;
	sum->count++;
}
