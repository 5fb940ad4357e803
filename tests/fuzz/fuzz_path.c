/*
 * Paths and parameters of MAIL and RCPT. What is read must be made of what was given, within
 * the limits, and must be read as the same again when it is said to a backend.
 */
#include <assert.h>
#include <stdint.h>

#include "lib/smtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 1024 * 1024, ALL = 0xffff };

static void
check_inside(struct slice part, struct slice whole)
{
	assert(part.data >= whole.data && part.data + part.length <= whole.data + whole.length);
}

static void
check_path(const struct smtp_path *path, struct slice argument)
{
	assert(path->text.length + 2 <= SMTP_PATH_MOST);
	assert(path->domain.length <= SMTP_DOMAIN_MOST);
	check_inside(path->text, argument);
	check_inside(path->local, path->text);
	check_inside(path->domain, path->text);
	for (size_t i = 0; i < path->text.length; i++)
		assert((unsigned char)path->text.data[i] >= ' ' && path->text.data[i] != 0x7f);
	smtp_path_is_routing(path);
}

static void
check_again(struct arena *arena, const struct smtp_path *path, const struct smtp_params *params,
    bool is_mail)
{
	struct slice line = is_mail ? smtp_mail_format(arena, path, params, ALL)
				    : smtp_rcpt_format(arena, path, params, ALL);
	struct smtp_line state = { .is_dropping = false };
	struct smtp_command command;
	struct smtp_path again;
	struct smtp_params params_again;
	size_t used;

	assert(smtp_line_find(&state, line, line.length, &line, &used) == SMTP_LINE_HAS);
	assert(smtp_command_read(&command, line) == NULL);
	if (is_mail)
		assert(smtp_mail_read(&again, &params_again, command.argument, ALL, 0) == NULL);
	else
		assert(smtp_rcpt_read(&again, &params_again, command.argument, ALL, true) == NULL);
	assert(slice_equals(again.text, path->text) && !again.has_route);
	assert(params_again.size == params->size && params_again.body == params->body);
	for (size_t i = 0; i < SMTP_PARAM_COUNT; i++)
		assert(params_again.text[i].length == params->text[i].length);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice argument = { (const char *)data, size };
	struct arena *arena = arena_new(LIMIT);
	struct smtp_params params;
	struct smtp_path path;

	if (smtp_mail_read(&path, &params, argument, ALL, 0) == NULL) {
		check_path(&path, argument);
		check_again(arena, &path, &params, true);
	}
	if (smtp_rcpt_read(&path, &params, argument, ALL, true) == NULL) {
		assert(!path.is_null);
		check_path(&path, argument);
		check_again(arena, &path, &params, false);
		path = smtp_path_copy(arena, &path);
		params = smtp_params_copy(arena, &params);
		check_again(arena, &path, &params, false);
	}
	if (smtp_path_read_mailbox(&path, argument))
		check_path(&path, argument);
	arena_free(arena);
	return 0;
}
