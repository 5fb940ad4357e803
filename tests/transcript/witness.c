#include "tests/transcript/witness.h"

#include <assert.h>
#include <stdlib.h>

enum { WITNESS_BUFFER = 64 * 1024 * 1024 };

void
witness_begin(struct witness *witness)
{
	*witness = (struct witness) { .arena = arena_new(SIZE_MAX) };
	buf_init(&witness->line, WITNESS_BUFFER);
}

void
witness_end(struct witness *witness)
{
	for (size_t i = 0; i < RIG_BACKS; i++) {
		buf_free(&witness->backs[i].owed);
		buf_free(&witness->backs[i].said);
		buf_free(&witness->backs[i].line);
	}
	buf_free(&witness->line);
	arena_free(witness->arena);
}

/* ---- the backend ---- */

static struct witness_back *
witness_back(struct witness *witness, size_t number)
{
	struct witness_back *back = &witness->backs[number];

	if (back->is_begun)
		return back;
	back->is_begun = true;
	buf_init(&back->owed, WITNESS_BUFFER);
	buf_init(&back->said, WITNESS_BUFFER);
	buf_init(&back->line, WITNESS_BUFFER);
	reply_reader_init(&back->reader, witness->arena);
	buf_append_byte(&back->owed, WITNESS_GREETING);
	return back;
}

static void
witness_begin_text(struct witness_back *back)
{
	back->is_in_text = true;
	memcpy(back->last, "\0\0\0\r\n", 5); /* the text begins with a line */
}

static void
witness_reply(struct witness *witness, struct witness_back *back, int code)
{
	enum witness_event event;

	if (back->owed.length == 0) {
		back->is_tainted = true;
		return;
	}
	event = (enum witness_event)back->owed.data[0];
	buf_take(&back->owed, 1);
	back->is_in_auth = event == WITNESS_AUTH && code == 334;
	if (event == WITNESS_DATA && code == 354)
		witness_begin_text(back);
	if (event == WITNESS_DOT && code / 100 == 2 && !back->is_tainted)
		witness->accepts++;
}

void
witness_back_says(struct witness *witness, size_t number, struct slice bytes)
{
	struct witness_back *back = witness_back(witness, number);
	size_t used;

	buf_append(&back->said, bytes);
	while (back->said.length > 0 && !back->is_tainted) {
		enum reply_result result = reply_read(&back->reader, buf_slice(&back->said), &used);

		buf_take(&back->said, used);
		if (result == REPLY_NEED_MORE)
			return;
		if (result == REPLY_BAD)
			back->is_tainted = true;
		else
			witness_reply(witness, back, back->reader.reply.code);
		reply_reader_init(&back->reader, witness->arena);
	}
}

static bool
witness_begins(struct slice line, const char *begin)
{
	return line.length >= strlen(begin) && memcmp(line.data, begin, strlen(begin)) == 0;
}

static void
witness_command(struct witness_back *back, struct slice line)
{
	static const struct {
		const char *begin;
		enum witness_event event;
	} commands[] = {
		{ "EHLO ", WITNESS_HELLO },
		{ "HELO ", WITNESS_HELLO },
		{ "AUTH ", WITNESS_AUTH },
		{ "MAIL FROM:<", WITNESS_COMMAND },
		{ "RCPT TO:<", WITNESS_COMMAND },
		{ "DATA\r\n", WITNESS_DATA },
		{ "RSET\r\n", WITNESS_COMMAND },
		{ "QUIT\r\n", WITNESS_COMMAND },
	};

	assert(!back->has_quit);
	assert(memchr(line.data, '\r', line.length) == line.data + line.length - 2);
	back->has_quit = witness_begins(line, "QUIT\r\n");
	if (back->is_in_auth) {
		back->is_in_auth = false;
		buf_append_byte(&back->owed, WITNESS_AUTH);
		return;
	}
	size_t row = 0;

	while (row < sizeof(commands) / sizeof(commands[0]) &&
	    !witness_begins(line, commands[row].begin))
		row++;
	assert(row < sizeof(commands) / sizeof(commands[0])); /* else postern never says it */
	buf_append_byte(&back->owed, (char)commands[row].event);
}

/* An octet of the text. last: those before it. */
static void
witness_text(struct witness *witness, struct witness_back *back, unsigned char byte)
{
	unsigned char *last = back->last;

	if (!witness->may_be_bare) {
		assert((last[4] == '\r') == (byte == '\n'));
		if (last[4] == '.' && last[3] == '\n')
			assert(byte == '.' || byte == '\r');
	}
	memmove(last, last + 1, 4);
	last[4] = byte;
	if (memcmp(last, "\r\n.\r\n", 5) != 0)
		return;
	back->is_in_text = false;
	assert(!back->is_tainted && back->said.length == 0);
	assert(!witness->has_left);
	assert(++witness->dots <= witness->texts);
	buf_append_byte(&back->owed, WITNESS_DOT);
}

void
witness_back_hears(struct witness *witness, size_t number, struct slice bytes)
{
	struct witness_back *back = witness_back(witness, number);

	for (size_t i = 0; i < bytes.length; i++) {
		if (back->is_in_text) {
			witness_text(witness, back, (unsigned char)bytes.data[i]);
			continue;
		}
		buf_append_byte(&back->line, bytes.data[i]);
		if (bytes.data[i] != '\n')
			continue;
		witness_command(back, buf_slice(&back->line));
		buf_clear(&back->line);
	}
}

struct slice
witness_owed(struct witness *witness, size_t number)
{
	return buf_slice(&witness_back(witness, number)->owed);
}

/* ---- the client ---- */

static void
witness_front_reply(struct witness *witness, int code)
{
	if (witness->is_answering && code / 100 == 2) {
		witness->taken++;
		assert(witness->may_discard || witness->taken <= witness->accepts);
	}
	witness->is_answering = code == 354;
	witness->texts += code == 354;
}

static void
witness_front_line(struct witness *witness, struct slice line)
{
	assert(line.length >= 6 && line.length <= REPLY_CLIENT_LINE);
	assert(line.data[0] >= '2' && line.data[0] <= '5');
	assert(line.data[1] >= '0' && line.data[1] <= '9');
	assert(line.data[2] >= '0' && line.data[2] <= '9');
	assert(line.data[3] == ' ' || line.data[3] == '-');
	for (size_t i = 0; i < line.length - 2; i++)
		assert((unsigned char)line.data[i] >= ' ' || line.data[i] == '\t');
	assert(line.data[line.length - 2] == '\r');
	if (line.data[3] == ' ')
		witness_front_reply(witness, atoi(line.data));
}

void
witness_front_hears(struct witness *witness, struct slice bytes)
{
	for (size_t i = 0; i < bytes.length; i++) {
		buf_append_byte(&witness->line, bytes.data[i]);
		if (bytes.data[i] != '\n')
			continue;
		witness_front_line(witness, buf_slice(&witness->line));
		buf_clear(&witness->line);
	}
}

void
witness_front_leaves(struct witness *witness)
{
	witness->has_left = true;
}
