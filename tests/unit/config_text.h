/*
 * config_text: for tests, a configuration from a text, and what was said about it.
 *
 * The text stands as if in the file t.yaml of the current directory. BASE is the least that a
 * configuration needs; lines of its own follow it.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "rules/config.h"

/* Five lines. */
#define BASE                                                                                       \
	"hostname: mx.example.com\n"                                                               \
	"listen:\n"                                                                                \
	"  - { address: \"*:2525\", tls: off }\n"                                                  \
	"backend: { servers: [ \"127.0.0.1:2526\" ] }\n"                                           \
	"relay: { domains: [ example.com ] }\n"

struct config_text {
	struct arena *arena;
	const struct config *config; /* NULL: there are faults */
	struct faults faults;
	char *words; /* the faults, one per line */
	size_t size;
};

static inline void
config_text_say(struct config_text *text)
{
	FILE *to = open_memstream(&text->words, &text->size);

	faults_print(&text->faults, to);
	fclose(to);
}

static inline struct config_text
config_text_read(const char *yaml)
{
	struct config_text text = { .arena = arena_new(SIZE_MAX) };

	faults_init(&text.faults, text.arena);
	text.config = config_read_bytes(text.arena, "t.yaml", slice_of(yaml), &text.faults);
	config_text_say(&text);
	assert_int_equal(text.config == NULL, text.faults.count > 0);
	return text;
}

/* One that must be good. */
static inline struct config_text
config_text_good(const char *yaml)
{
	struct config_text text = config_text_read(yaml);

	if (text.config == NULL)
		fail_msg("%s\n%s", yaml, text.words);
	return text;
}

static inline void
config_text_end(struct config_text *text)
{
	free(text->words);
	arena_free(text->arena);
}

/* What is wrong with it must be exactly these lines. */
static inline void
config_text_expect(const char *yaml, const char *words)
{
	struct config_text text = config_text_read(yaml);

	if (strcmp(text.words, words) != 0)
		fail_msg("%s\nwas said:\n%sexpected:\n%s", yaml, text.words, words);
	config_text_end(&text);
}

/* Tables of such; end with a yaml NULL. */
struct config_wrong {
	const char *yaml, *words;
};

static inline void
config_text_expect_all(const struct config_wrong *wrong)
{
	for (; wrong->yaml != NULL; wrong++)
		config_text_expect(wrong->yaml, wrong->words);
}
