/*
 * Any bytes as a file of DNS lists. What is read without a fault judges answers made of the same
 * bytes: no listing comes of an address that is an error everywhere, the words are those of the
 * table, and names that are asked fit. No file is opened (see fuzz_config.c).
 */
#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/dns_lists.h"
#include "lib/yaml.h"

static bool
fuzz_names_files(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '/' && (i + 1 == size || !isdigit(data[i + 1])))
			return true;
		if (data[i] == '\\' || data[i] == '$' || data[i] == '%')
			return true;
	}
	return false;
}

static bool
fuzz_has_word(const char *words, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = words; (at = strstr(at, word)) != NULL; at++)
		if ((at == words || at[-1] == ' ') && at[length] == ' ')
			return true;
	return false;
}

static void
fuzz_judge(const struct dns_list *list, const uint8_t *bytes, size_t count)
{
	struct slice records[3];
	struct dns_list_result result;
	struct dns_answer answer = {
		.state = DNS_OK, .why = "", .count = count, .records = records
	};
	bool is_error = false;

	for (size_t i = 0; i < count; i++) {
		const uint8_t *a = bytes + 4 * i;

		records[i] = (struct slice) { (const char *)a, 4 };
		is_error |= a[0] != 127 || (a[1] == 255 && a[2] == 255) ||
		    (a[1] == 0 && a[2] == 0 && a[3] == 1);
	}
	dns_list_judge(&result, list, &answer);
	assert(result.state != DNS_LIST_NONE);
	assert((result.state == DNS_LIST_LISTED) == (result.count > 0));
	assert(!is_error || result.state == DNS_LIST_ERROR);
	for (size_t i = 0; i < result.count; i++)
		assert(fuzz_has_word(list->words, result.words[i].word));
}

static void
fuzz_names(const struct dns_list *list, const struct dns_list_points *points)
{
	char name[DNS_NAME_MOST], text[DNS_NAME_MOST];

	assert(points->count <= DNS_LIST_POINTS_MOST);
	for (size_t i = 0; i < points->count; i++) {
		dns_list_point(name, list, &points->item[i], text);
		assert(name[0] != '\0' && strlen(name) < DNS_NAME_MOST);
	}
}

/* Codes of the table, and addresses of any kind. */
static void
fuzz_list(const struct dns_list *list, const uint8_t *data, size_t size)
{
	uint8_t bytes[12] = { 127, 0, 0, 2, 127, 0, 0, 4, 127, 0, 0, 9 };

	fuzz_names(list, &list->listed);
	fuzz_names(list, &list->unlisted);
	for (size_t i = 0; i < list->codes.count && i < 8; i++) {
		memcpy(bytes, list->codes.item[i].first, 4);
		bytes[0] = 127;
		fuzz_judge(list, bytes, 1 + i % 3);
	}
	for (size_t i = 0; i + 12 <= size && i < 240; i += 12) {
		memcpy(bytes, data + i, 12);
		fuzz_judge(list, bytes, 1 + i % 3);
		bytes[0] = bytes[4] = bytes[8] = 127;
		fuzz_judge(list, bytes, 1 + i % 3);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct faults faults;
	struct option_reader reader = { .arena = arena, .faults = &faults };

	faults_init(&faults, arena);
	if (!fuzz_names_files(data, size)) {
		const struct node *root = yaml_read(arena, "/nowhere/lists.yaml",
		    (struct slice) { (const char *)data, size }, NULL, &faults);
		struct dns_lists lists = { 0 };

		if (root != NULL)
			lists = dns_lists_read(&reader, root);
		for (size_t i = 0; faults.count == 0 && i < lists.count && i < 16; i++)
			if (lists.item[i].zone[0] != '\0')
				fuzz_list(&lists.item[i], data, size);
	}
	arena_free(arena);
	return 0;
}
