#include "tests/transcript/diary.h"

#include <assert.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/yaml.h"
#include "tests/transcript/script.h"

enum { DIARY_MOST = 16 * 1024 * 1024 };

void
diary_open(struct diary *diary)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	*diary = (struct diary) { .fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) };
	buf_init(&diary->lines, DIARY_MOST);
	buf_init(&diary->record, LOG_RECORD_MOST);
	snprintf(diary->path, sizeof(diary->path), "diary.%d", (int)getpid());
	unlink(diary->path);
	memcpy(address.sun_path, diary->path, sizeof(diary->path));
	int result = bind(diary->fd, (struct sockaddr *)&address, sizeof(address));

	assert(result == 0);
	bool is_open = log_open(&(struct log_options) { .target = LOG_TO_SYSLOG,
	    .format = LOG_AS_JSON,
	    .level = LEVEL_INFO,
	    .syslog_path = diary->path });

	assert(is_open);
}

void
diary_pull(struct diary *diary)
{
	static char line[LOG_RECORD_MOST];
	ssize_t count;

	while ((count = recv(diary->fd, line, sizeof(line), MSG_DONTWAIT)) > 0) {
		const char *json = memchr(line, '{', (size_t)count);
		struct slice text = { json, (size_t)(line + count - json) };

		assert(json != NULL);
		buf_append(&diary->lines, text);
		buf_append_byte(&diary->lines, '\n');
		if (memmem(text.data, text.length, "\"verdict\":", 10) == NULL)
			continue;
		buf_clear(&diary->record);
		buf_append(&diary->record, text);
		diary->records++;
	}
}

void
diary_close(struct diary *diary)
{
	log_close();
	close(diary->fd);
	unlink(diary->path);
	buf_free(&diary->lines);
	buf_free(&diary->record);
}

/* In the list of facts, the value of filter's key. */
static const struct node *
diary_fact(const struct node *facts, const char *filter, const char *key)
{
	for (const struct node *fact = facts->child; fact != NULL; fact = fact->next)
		if (strcmp(node_find(fact, "filter")->text, filter) == 0 &&
		    strcmp(node_find(fact, "key")->text, key) == 0)
			return node_find(fact, "value");
	return NULL;
}

/* In a list, the item of this number. */
static const struct node *
diary_item(const struct node *list, const char *number)
{
	const struct node *item = list->child;

	for (int i = atoi(number); i > 0 && item != NULL; i--)
		item = item->next;
	return item;
}

static const struct node *
diary_find(const struct node *node, char *path)
{
	char *state = NULL, *key = strtok_r(path, ".", &state);

	for (; key != NULL && node != NULL; key = strtok_r(NULL, ".", &state)) {
		char *next = state;

		if (node->kind == NODE_MAP)
			node = node_find(node, key);
		else if (node->kind == NODE_LIST && *next != '\0' && node->child != NULL &&
		    node_find(node->child, "filter") != NULL)
			node = diary_fact(node, key, strtok_r(NULL, ".", &state));
		else
			node = diary_item(node, key);
	}
	return node;
}

bool
diary_says(const struct diary *diary, struct slice claim, FILE *complaints)
{
	const char *equals = memchr(claim.data, '=', claim.length);
	struct arena *arena = arena_new(SIZE_MAX);
	struct faults faults;
	bool is_true;

	if (equals == NULL) {
		is_true = slice_equals(claim, slice_of("none")) && diary->records == 0;
	} else {
		struct slice key = { claim.data, (size_t)(equals - claim.data) };
		struct slice value = { equals + 1, claim.length - key.length - 1 };

		faults_init(&faults, arena);
		const struct node *found =
		    diary_find(yaml_read(arena, "record", buf_slice(&diary->record), NULL, &faults),
			arena_copy(arena, key));

		is_true = found != NULL && found->kind == NODE_TEXT &&
		    script_matches(value, slice_of(found->text));
	}
	arena_free(arena);
	if (!is_true)
		fprintf(complaints, "the record does not say %.*s: %.*s\n", (int)claim.length,
		    claim.data, (int)diary->record.length,
		    diary->record.data != NULL ? diary->record.data : "");
	return is_true;
}
