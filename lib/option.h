/*
 * option: what may stand in a section of the configuration, as a table.
 *
 * A row is a key, the field of a C struct that it fills, and what a person must know. The
 * kind of value comes from the field's type, so that a row cannot disagree with it; a type
 * without a kind does not compile.
 *
 *	struct limits { uint32_t sessions; struct seconds greeting_time; };
 *
 *	static const struct option limits_options[] = {
 *		OPTION(limits, sessions, .fallback = "10000", .min = 1, .max = 1000000,
 *		    .help = "sessions per worker"),
 *		OPTION(limits, greeting_time, .fallback = "5m", .min = 1, .max = 86400,
 *		    .help = "time until the first command"),
 *		{ 0 },
 *	};
 *
 * Fields and what is written for them:
 *
 *	bool                    yes no true false on off
 *	uint32_t                10000
 *	double                  4, -2.5
 *	struct seconds          500ms 30s 5m 1h 7d 0         min, max in seconds
 *	struct bytes            0 4096 256K 25M 1G 1T        (of 1024)
 *	struct choice           one of .words; the field gets its index
 *	const char *            a text                       min, max: its length
 *	struct texts            a text or a list of texts    min, max: how many
 *	OPTION_SECTION          a map; the field is a struct that has a table
 *	OPTION_MAYBE            the same; the field is a pointer to it, NULL: not there
 *	OPTION_LIST             a list of maps; the field is struct { size_t count; const
 *	                        struct item *item; }         min, max: how many
 *	OPTION_CUSTOM           what its function reads
 *
 * min and max both 0: all that fits into the field; max 0: no upper bound.
 *
 * option_read() fills all rows: those without a value in the file from their fallback,
 * which is read as if it stood there (that of texts, lists and custom rows is YAML:
 * "[a, b]"). A wrong fallback is a bug: assert. Without fallback, 0, false, NULL or no
 * items. Key twice is lib/yaml's fault; unknown keys, keys missing, impossible values and
 * values out of range are reported here, all of them, each with its place and what was
 * expected.
 *
 * All that is filled in lives in the reader's arena, and is not changed afterwards: keep the
 * struct behind a pointer to const. After a fault the struct is whole but useless.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "lib/fault.h"
#include "lib/node.h"

/* Structs of one member: units that cannot be mixed up. */
struct seconds {
	double value; /* as libev likes it; written in whole milliseconds */
};
struct bytes {
	uint64_t value;
};
struct choice {
	uint32_t value; /* index in .words */
};
struct texts {
	size_t count;
	const char **item;
};

enum option_kind {
	OPTION_END,
	OPTION_BOOL,
	OPTION_COUNT,
	OPTION_NUMBER,
	OPTION_TIME,
	OPTION_SIZE,
	OPTION_CHOICE,
	OPTION_TEXT,
	OPTION_TEXTS,
	OPTION_IS_SECTION,
	OPTION_IS_MAYBE,
	OPTION_IS_LIST,
	OPTION_IS_CUSTOM,
};

struct option;
struct watch;

/* A place in the file's hierarchy and what may stand there, for "belongs under limits:". */
struct option_scope {
	const char *path; /* "limits", "filters.spf"; "": the top; NULL ends the list */
	const struct option *table;
};

struct option_reader {
	struct arena *arena;
	struct faults *faults;
	const char *base;                  /* where relative paths in fallbacks start; NULL: here */
	const char *data;                  /* where they are also looked for; NULL: nowhere */
	const struct option_scope *scopes; /* NULL: none; their sections are looked at, too */
	struct watch *watch;               /* of files that are read besides; NULL: of none */
	const struct node *at;             /* the reader's own: the innermost map being read */
	void *context;                     /* for the custom functions */
};

/*
 * Read the value into the zeroed field. False: it is impossible; if the function added no
 * fault of its own, one is added that names the value and .expected.
 */
typedef bool (*option_function)(
    struct option_reader *reader, const struct node *value, void *field);

struct option {
	const char *key;
	const char *fallback;
	const char *help;           /* for the manual: a sentence or a few */
	const char *expected;       /* custom: "an address such as 192.0.2.1" */
	const char *const *words;   /* choice: ends with NULL */
	const struct option *table; /* section, maybe, list: ends with a key NULL */
	option_function read;       /* custom */
	const char *shorthand;      /* list: the key that an item is the value of if it is no map */
	double min, max;
	size_t offset, size; /* of the field; of one struct behind it (maybe, list) */
	enum option_kind kind;
	bool required;
	bool secret; /* never printed */
	bool path;   /* text: a relative one starts where its file lies */
};

#define OPTION_KIND(field)                                                                         \
	_Generic((field),                                                                       \
	    bool: OPTION_BOOL,                                                                  \
	    uint32_t: OPTION_COUNT,                                                             \
	    double: OPTION_NUMBER,                                                              \
	    struct seconds: OPTION_TIME,                                                        \
	    struct bytes: OPTION_SIZE,                                                          \
	    struct choice: OPTION_CHOICE,                                                       \
	    const char *: OPTION_TEXT,                                                          \
	    struct texts: OPTION_TEXTS)

#define OPTION_FIELD(type, field) (((struct type *)0)->field)

/* A pointer to other structs does not compile, nor does a list's field of another shape. */
#define OPTION_ITEM(pointer, itemtype)                                                             \
	(sizeof(struct itemtype) + 0 * sizeof((pointer) == (const struct itemtype *)0))
#define OPTION_SHAPE(type, field)                                                                  \
	(0 *                                                                                       \
	    sizeof(char[offsetof(struct type, field.item) - offsetof(struct type, field) ==        \
			sizeof(size_t)                                                             \
		    ? 1                                                                            \
		    : -1]))

/* For a key that is no name in C: OPTION_AS("for", rule, for_whom, ...). */
#define OPTION_AS(name, type, field, ...)                                                          \
	{                                                                                          \
		.key = name, .offset = offsetof(struct type, field),                               \
		.kind = OPTION_KIND(OPTION_FIELD(type, field)), __VA_ARGS__                        \
	}

#define OPTION(type, field, ...) OPTION_AS(#field, type, field, __VA_ARGS__)

#define OPTION_SECTION(type, field, rows, ...)                                                     \
	{                                                                                          \
		.key = #field, .offset = offsetof(struct type, field), .kind = OPTION_IS_SECTION,  \
		.table = rows, __VA_ARGS__                                                         \
	}

#define OPTION_MAYBE(type, field, itemtype, rows, ...)                                             \
	{                                                                                          \
		.key = #field, .offset = offsetof(struct type, field), .kind = OPTION_IS_MAYBE,    \
		.size = OPTION_ITEM(OPTION_FIELD(type, field), itemtype), .table = rows,           \
		__VA_ARGS__                                                                        \
	}

#define OPTION_LIST(type, field, itemtype, rows, ...)                                              \
	{                                                                                          \
		.key = #field, .offset = offsetof(struct type, field), .kind = OPTION_IS_LIST,     \
		.size = OPTION_ITEM(OPTION_FIELD(type, field).item, itemtype) +                    \
		    OPTION_SHAPE(type, field),                                                     \
		.table = rows, __VA_ARGS__                                                         \
	}

#define OPTION_CUSTOM(type, field, function, ...)                                                  \
	{                                                                                          \
		.key = #field, .offset = offsetof(struct type, field), .kind = OPTION_IS_CUSTOM,   \
		.read = function, .size = sizeof(OPTION_FIELD(type, field)), __VA_ARGS__           \
	}

/*
 * Fill the struct from the map and the table's fallbacks. No map (NULL): from fallbacks
 * alone; required keys are missing then. Whether all was well.
 */
bool option_read(
    struct option_reader *reader, const struct option *table, const struct node *map, void *target);

/* The fault for a key that the table has not, with what was probably meant. */
void
option_unknown(struct option_reader *reader, const struct option *table, const struct node *key);

/* The fault for a value of which something else was expected. */
void
option_impossible(struct option_reader *reader, const struct node *value, const char *expected);

/* The path that a text in a file means; it need not exist. */
const char *option_path(struct option_reader *reader, const struct node *text);

/*
 * The struct as YAML which, read again, fills the same struct. The map it was read from (or
 * NULL) says which values are secret, and what custom rows had.
 */
void
option_print_yaml(FILE *to, const struct option *table, const void *filled, const struct node *map);

/* The rows in roff (man macros), one .TP each, nested tables indented. */
void option_write_man(FILE *to, const struct option *table);
