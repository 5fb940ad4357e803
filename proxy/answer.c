#include "proxy/answer.h"

#include <stdlib.h>

struct answer
answer_text(struct arena *arena, const char *line)
{
	char *text = arena_format(arena, "%s\r\n", line);

	return (struct answer) { atoi(line), slice_of(text) };
}

struct answer
answer_of(struct arena *arena, const struct reply *reply)
{
	bool is_odd = reply->code == 421 || (reply->code >= 300 && reply->code <= 399);

	if (is_odd)
		return (struct answer) { 451, reply_format_as(arena, reply, 451) };
	return (struct answer) { reply->code, reply_format(arena, reply) };
}

bool
answer_is_good(const struct answer *answer)
{
	return answer->code >= 200 && answer->code <= 299;
}

bool
answer_is_refusal(const struct reply *reply)
{
	return reply->code >= 400;
}
