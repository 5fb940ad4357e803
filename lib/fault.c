#include "lib/fault.h"

#include <stdarg.h>

#include "lib/node.h"
#include "lib/utf8.h"

enum { WORDS_MAX = 512 };

void
faults_init(struct faults *faults, struct arena *arena)
{
	*faults = (struct faults) { .arena = arena };
}

void
faults_print(const struct faults *faults, FILE *to)
{
	for (size_t i = 0; i < faults->count && i < FAULTS_KEPT; i++) {
		const struct fault *fault = &faults->kept[i];

		if (fault->file != NULL)
			fprintf(to, "%s:", fault->file);
		if (fault->file != NULL && fault->line > 0)
			fprintf(to, "%u:%u:", fault->line, fault->column);
		fprintf(to, "%s%s\n", fault->file != NULL ? " " : "", fault->words);
	}
	if (faults->count > FAULTS_KEPT)
		fprintf(to, "and %zu more\n", faults->count - FAULTS_KEPT);
}

/* A line of the terminal or of the log must stay one line, and UTF-8 though it was cut. */
static void
fault_tidy(char *words)
{
	struct slice rest = slice_of(words);

	while (rest.length > 0) {
		size_t length = utf8_read(rest, NULL);
		char *at = words + (rest.data - words);

		if (length == 0 || (unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
		length += length == 0;
		rest.data += length;
		rest.length -= length;
	}
}

static void
fault_keep(struct faults *faults, struct fault fault, const char *format, va_list args)
{
	char words[WORDS_MAX];

	if (faults->count++ >= FAULTS_KEPT)
		return;

	int length = vsnprintf(words, sizeof(words), format, args);

	if (length >= (int)sizeof(words))
		memcpy(words + sizeof(words) - 4, "...", 4);
	fault_tidy(words);
	fault.words = arena_strdup(faults->arena, words);
	if (fault.file != NULL) {
		char *file = arena_strdup(faults->arena, fault.file);

		fault_tidy(file);
		fault.file = file;
	}
	faults->kept[faults->count - 1] = fault;
}

void
fault_add(struct faults *faults, const struct node *at, const char *format, ...)
{
	struct fault fault = { .file = NULL };
	va_list args;

	if (at != NULL)
		fault = (struct fault) { .file = at->file, .line = at->line, .column = at->column };
	va_start(args, format);
	fault_keep(faults, fault, format, args);
	va_end(args);
}

void
fault_add_place(struct faults *faults, const char *file, unsigned line, unsigned column,
    const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fault_keep(
	    faults, (struct fault) { .file = file, .line = line, .column = column }, format, args);
	va_end(args);
}
