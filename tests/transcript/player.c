#include "tests/transcript/player.h"

#include "lib/log.h"
#include "proxy/session.h"
#include "tests/transcript/diary.h"
#include "tests/transcript/rig.h"

/* Longer than any limit of time, so often that the one behind it passes as well. */
static const double player_patience = 1000;
static const int player_patiently = 4;

struct player {
	struct rig rig;
	struct diary diary;
	const struct script *script;
	const struct script_line *line;
	enum player_way way;
	FILE *complaints;
	bool is_released[SCRIPT_ROWS];
	bool has_said_all; /* PLAYER_AT_ONCE: what this client will say has been said */
	size_t back;       /* the present connection to the backend */
};

static void
player_on_turn(void *arg)
{
	struct player *player = arg;

	diary_pull(&player->diary);
}

/* ---- what goes wrong ---- */

static void
player_show(struct player *player, const char *who, struct slice text)
{
	char line[2000];

	fprintf(player->complaints, "    %s: %s\n", who, log_printable(line, sizeof(line), text));
}

static bool
player_fails(struct player *player, const char *what, struct slice text)
{
	const struct script_line *line = player->line;
	struct rig *rig = &player->rig;

	fprintf(player->complaints, "%s:%u: %s\n", player->script->path,
	    line != NULL ? line->number : 0, what);
	player_show(player, line != NULL ? "in question" : "at the end", text);
	player_show(player, "postern has said to the client", buf_slice(&rig->front.got));
	if (player->back < rig->count)
		player_show(player, "postern has said to the backend",
		    buf_slice(&rig->backs[player->back].got));
	fprintf(player->complaints, "    its log:\n%.*s", (int)player->diary.lines.length,
	    player->diary.lines.data != NULL ? player->diary.lines.data : "");
	return false;
}

/* ---- DNS ---- */

/* Gives the next answer that was withheld; false: there is none. */
static bool
player_release(struct player *player)
{
	for (size_t i = 0; player->script->rows[i].name != NULL; i++) {
		if (player->is_released[i] || player->script->is_never[i] ||
		    dns_fake_asked(player->rig.dns, i) == 0)
			continue;
		player->is_released[i] = true;
		dns_fake_release(player->rig.dns, i);
		return true;
	}
	return false;
}

static void
player_release_at_once(struct player *player)
{
	for (size_t i = 0; player->script->rows[i].name != NULL; i++) {
		player->is_released[i] = !player->script->is_never[i];
		if (player->is_released[i])
			dns_fake_release(player->rig.dns, i);
	}
}

/* ---- to say ---- */

static struct rig_end *
player_back(struct player *player)
{
	return &player->rig.backs[player->back < RIG_BACKS ? player->back : RIG_BACKS - 1];
}

/* Before anybody acts: has all been heard? */
static bool
player_has_heard_all(struct player *player)
{
	const struct rig *rig = &player->rig;

	rig_settle(&player->rig);
	if (player->way == PLAYER_AT_ONCE && player->line != NULL)
		return true;
	if (rig->front.got.length > 0)
		return player_fails(
		    player, "before this, postern spoke to the client", buf_slice(&rig->front.got));
	for (size_t i = 0; i < rig->count; i++) {
		struct slice got = buf_slice(&rig->backs[i].got);

		if (got.length > 0 && !(player->line == NULL && slice_matches(got, "QUIT\r\n")))
			return player_fails(
			    player, "before this, postern spoke to the backend", got);
	}
	return true;
}

static void
player_say(struct player *player, struct rig_end *end, const struct script_line *line)
{
	for (unsigned i = 0; i < line->times; i++) {
		if (player->way != PLAYER_BYTE_BY_BYTE || line->times > 1) {
			rig_say(end, line->text);
			continue;
		}
		for (size_t at = 0; at < line->text.length; at++) {
			rig_say(end, (struct slice) { line->text.data + at, 1 });
			rig_settle(&player->rig);
		}
	}
}

/* The lines of this kind from here on, as a group; the player stands on the last one then. */
static void
player_say_group(struct player *player, struct rig_end *end)
{
	enum script_kind kind = player->line->kind;

	player_say(player, end, player->line);
	while (player->line->next != NULL && player->line->next->kind == kind) {
		player->line = player->line->next;
		player_say(player, end, player->line);
	}
}

static bool
player_front_says(struct player *player)
{
	struct rig_end *front = &player->rig.front;

	if (player->way == PLAYER_AT_ONCE) {
		const struct script_line *line = player->has_said_all ? NULL : player->line;

		for (; line != NULL && line->kind != SCRIPT_CLIENT; line = line->next)
			if (line->kind == SCRIPT_FRONT_SAYS)
				player_say(player, front, line);
		player->has_said_all = true;
		return true;
	}
	if (!player_has_heard_all(player))
		return false;
	player_say_group(player, front);
	return true;
}

static bool
player_back_says(struct player *player)
{
	if (!player_has_heard_all(player))
		return false;
	player_say_group(player, player_back(player));
	return true;
}

/* ---- to hear ---- */

/* false: no whole line is there now. */
static bool
player_peek(const struct rig_end *end, struct slice *line)
{
	const char *stop =
	    end->got.length > 0 ? memmem(end->got.data, end->got.length, "\r\n", 2) : NULL;

	*line = (struct slice) { end->got.data, stop != NULL ? (size_t)(stop - end->got.data) : 0 };
	return stop != NULL;
}

/* Waits for it, as long as there is an answer of DNS to be had. */
static bool
player_await(struct player *player, const struct rig_end *end, struct slice *line)
{
	rig_settle(&player->rig);
	while (!player_peek(end, line)) {
		if (!player_release(player))
			return false;
		rig_settle(&player->rig);
	}
	return true;
}

/* What this side is to hear after `...`; NULL: it is all that has come. */
static const struct script_line *
player_next_heard(const struct player *player)
{
	const struct script_line *next = player->line->next;

	if (player->way == PLAYER_AT_ONCE)
		while (next != NULL && next->kind != player->line->kind)
			next = next->next;
	return next != NULL && next->kind == player->line->kind ? next : NULL;
}

/* `...` alone: lines up to one that the next line in the transcript describes. */
static bool
player_skip(struct player *player, struct rig_end *end)
{
	const struct script_line *next = player_next_heard(player);
	struct slice line;

	while (player_await(player, end, &line)) {
		if (next != NULL && script_matches(next->text, line))
			return true;
		buf_take(&end->got, line.length + 2);
	}
	if (next == NULL && end->is_over)
		buf_clear(&end->got); /* a line without an end */
	return true;
}

static bool
player_hear(struct player *player, struct rig_end *end)
{
	struct slice pattern = player->line->text, line;

	if (slice_equals(pattern, slice_of("...")))
		return player_skip(player, end);
	if (!player_await(player, end, &line))
		return player_fails(player, "expected, but nothing came", pattern);
	if (!script_matches(pattern, line))
		return player_fails(player, "expected, but something else came", pattern);
	buf_take(&end->got, line.length + 2);
	return true;
}

/* ---- the other lines ---- */

static bool
player_gone(struct player *player, struct rig_end *end)
{
	rig_settle(&player->rig);
	while (!end->is_over && player_release(player))
		rig_settle(&player->rig);
	if (!end->is_over)
		return player_fails(
		    player, "postern should have ended this connection", slice_of(""));
	if (end->got.length > 0)
		return player_fails(
		    player, "before its end postern said more", buf_slice(&end->got));
	return true;
}

static bool
player_client(struct player *player)
{
	struct rig_end *front = &player->rig.front;

	if (front->fd >= 0 && !rig_is_gone(front))
		return player_fails(player, "the client before has not left", slice_of(""));
	player->has_said_all = false;
	rig_client(&player->rig, arena_copy(player->rig.arena, player->line->text));
	return true;
}

static bool
player_record(struct player *player)
{
	rig_settle(&player->rig);
	if (diary_says(&player->diary, player->line->text, player->complaints))
		return true;
	return player_fails(player, "the record is another", player->line->text);
}

static bool
player_act(struct player *player)
{
	struct rig *rig = &player->rig;

	if (!player_has_heard_all(player))
		return false;
	switch (player->line->kind) {
	case SCRIPT_FRONT_CLOSES:
		rig_close(&rig->front);
		return true;
	case SCRIPT_BACK_CLOSES:
		rig_close(player_back(player));
		player->back++;
		return true;
	case SCRIPT_BACK_REFUSES:
		rig->refusals++;
		return true;
	case SCRIPT_FRONT_DEAF:
		rig->front.is_deaf = true;
		return true;
	case SCRIPT_FRONT_HEEDS:
		rig->front.is_deaf = false;
		return true;
	case SCRIPT_BACK_DEAF:
		player_back(player)->is_deaf = true;
		return true;
	case SCRIPT_BACK_HEEDS:
		player_back(player)->is_deaf = false;
		return true;
	case SCRIPT_TIME:
		rig_pass(player->line->seconds);
		return true;
	case SCRIPT_WORKER_ENDS:
		rig->worker->is_ending = true;
		session_wake_all(rig->worker);
		return true;
	default:
		return player_client(player);
	}
}

static bool
player_do(struct player *player)
{
	switch (player->line->kind) {
	case SCRIPT_FRONT_SAYS:
		return player_front_says(player);
	case SCRIPT_FRONT_HEARS:
		return player_hear(player, &player->rig.front);
	case SCRIPT_FRONT_GONE:
		return player_gone(player, &player->rig.front);
	case SCRIPT_BACK_SAYS:
		return player_back_says(player);
	case SCRIPT_BACK_HEARS:
		return player_hear(player, player_back(player));
	case SCRIPT_BACK_GONE:
		return player_gone(player, player_back(player)) && ++player->back > 0;
	case SCRIPT_RECORD:
		return player_record(player);
	default:
		return player_act(player);
	}
}

static bool
player_leave(struct player *player)
{
	struct rig *rig = &player->rig;

	if (!player_has_heard_all(player))
		return false;
	rig_close(&rig->front);
	rig_settle(rig);
	for (size_t i = 0; i < rig->count; i++)
		rig_close(&rig->backs[i]);
	for (int i = 0; i < player_patiently; i++) {
		rig_settle(rig);
		rig_pass(player_patience);
	}
	rig_settle(rig);
	if (rig->worker->sessions != NULL)
		return player_fails(player, "a session has outlived all", slice_of(""));
	return true;
}

bool
player_play(const struct script *script, enum player_way way, FILE *complaints)
{
	struct player player = { .script = script, .way = way, .complaints = complaints };
	bool is_good = true;

	diary_open(&player.diary);
	rig_begin(&player.rig, script->config, script->rows);
	player.rig.on_turn = player_on_turn;
	player.rig.arg = &player;
	if (way != PLAYER_BYTE_BY_BYTE)
		player_release_at_once(&player);
	for (player.line = script->lines; player.line != NULL; player.line = player.line->next) {
		is_good = player_do(&player);
		if (!is_good)
			break;
	}
	is_good = is_good && player_leave(&player);
	rig_end(&player.rig);
	diary_close(&player.diary);
	return is_good;
}
