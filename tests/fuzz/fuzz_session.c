/*
 * A whole session, with octets from both sides; tests/transcript/witness.h says what postern
 * must not do, whatever comes. And when both sides have left and time has passed, no session
 * may live.
 *
 * The first octet picks a configuration. Then each octet is said by the present side (first
 * the client), but for those that command; what comes behind a command is no text.
 */
#include <assert.h>
#include <signal.h>
#include <stdint.h>

#include "lib/log.h"
#include "proxy/session.h"
#include "tests/transcript/rig.h"
#include "tests/transcript/setting.h"
#include "tests/transcript/witness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* None of them is in UTF-8. */
enum command {
	FRONT = 0xf5, /* the client speaks from now on */
	BACK,         /* the backend */
	PAUSE,        /* what was said so far is read before the rest comes */
	TIME,         /* and an octet: which of `times` */
	DNS,          /* and an octet: this row is answered */
	CLOSES,       /* the present side leaves; a new client comes then */
	ANSWER,       /* and an octet: the backend answers all that it owes, and how the last */
	WORKER_ENDS,
	REFUSES /* the next connection is refused */
};

enum { CLIENTS_MOST = 4, INPUT_MOST = 64 * 1024 };

static const double times[] = { 0.5, 4, 31, 121, 181, 301, 571, 2000 };

static const struct setting {
	const char *yaml;
	bool may_discard, may_be_bare;
} settings[] = {
	{ "filters: { ptr: {} }\n"
	  "policy: [ { name: nameless, when: { ptr: none }, do: defer } ]\n" },
	{ "delivery: stream\n" },
	{ "backend: { servers: [ mail.example.net, \"192.0.2.26:25\" ] }\n"
	  "listen: [ { address: \"*:25\", tls: off, auth_without_tls: yes } ]\n" },
	{ "filters: { ptr: {} }\n"
	  "policy:\n"
	  "  - { name: strict, for: c@example.com, when: { smtp.bare_newline: yes }, do: reject }\n"
	  "  - { name: moved, for: d@example.com, do: redirect, to: e@example.com }\n"
	  "  - { name: odd, when: { smtp.errors: some }, do: redirect, to: e@example.com }\n"
	  "  - { name: nameless, when: { ptr: [ none, error ] }, score: 2 }\n"
	  "  - { name: bare, when: { smtp.bare_newline: yes }, score: 3 }\n"
	  "thresholds: { tag: 2, reject: 5 }\n" },
	{ "bare_newline: reject\n"
	  "limits: { memory: 4K, header_size: 4K, message_size: 8K, errors: 3, refusals: 2 }\n" },
	{ "greet_delay: 3s\n"
	  "filters: { ptr: {} }\n"
	  "policy:\n"
	  "  - { name: early, when: { smtp.early_talker: yes }, do: reject, speak: at_once }\n"
	  "  - { name: trap, for: trap@example.com, do: discard }\n"
	  "  - { name: bare, when: { smtp.bare_newline: yes }, do: discard }\n",
	    .may_discard = true },
	{ "bare_newline: pass\n"
	  "bare_newline_peers: [ 0.0.0.0/0 ]\n"
	  "delivery: auto\n",
	    .may_be_bare = true },
};

static const struct dns_row rows[] = {
	{ DNS_PTR, "5.100.51.198.in-addr.arpa", DNS_OK, { "mx.example.org" } },
	{ DNS_A, "mx.example.org", DNS_OK, { "198.51.100.5" } },
	{ DNS_AAAA, "mx.example.org", DNS_NO_DATA },
	{ DNS_AAAA, "mail.example.net", DNS_OK, { "2001:db8::25" } },
	{ DNS_A, "mail.example.net", DNS_OK, { "192.0.2.25" } },
	{ 0 },
};

enum {
	SETTINGS = sizeof(settings) / sizeof(settings[0]),
	TIMES = sizeof(times) / sizeof(times[0]),
	ROWS = sizeof(rows) / sizeof(rows[0]) - 1
};

struct fuzz {
	struct rig rig;
	struct witness witness;
	bool is_back; /* the present side */
	unsigned clients;
	struct buf text; /* not yet said */
};

static void
on_turn(void *arg)
{
	struct fuzz *fuzz = arg;

	witness_front_hears(&fuzz->witness, buf_slice(&fuzz->rig.front.got));
	buf_clear(&fuzz->rig.front.got);
	for (size_t i = 0; i < fuzz->rig.count; i++) {
		witness_back_hears(&fuzz->witness, i, buf_slice(&fuzz->rig.backs[i].got));
		buf_clear(&fuzz->rig.backs[i].got);
	}
}

/* The connection that was made last; NULL: none yet. */
static struct rig_end *
present_back(struct fuzz *fuzz)
{
	return fuzz->rig.count > 0 ? &fuzz->rig.backs[fuzz->rig.count - 1] : NULL;
}

static void
back_says(struct fuzz *fuzz, struct slice bytes)
{
	struct rig_end *back = present_back(fuzz);

	if (back == NULL || rig_is_gone(back))
		return;
	witness_back_says(&fuzz->witness, fuzz->rig.count - 1, bytes);
	rig_say(back, bytes);
}

static void
settle(struct fuzz *fuzz)
{
	if (fuzz->is_back)
		back_says(fuzz, buf_slice(&fuzz->text));
	else
		rig_say(&fuzz->rig.front, buf_slice(&fuzz->text));
	buf_clear(&fuzz->text);
	rig_settle(&fuzz->rig);
}

static const char *
good_answer(enum witness_event event)
{
	static const char *const answers[] = {
		[WITNESS_GREETING] = "220 mail.example.net\r\n",
		[WITNESS_HELLO] = "250-mail.example.net\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
				  "250-DSN\r\n250-AUTH PLAIN LOGIN\r\n250 SMTPUTF8\r\n",
		[WITNESS_AUTH] = "235 2.7.0 welcome\r\n",
		[WITNESS_COMMAND] = "250 2.0.0 fine\r\n",
		[WITNESS_DATA] = "354 go on\r\n",
		[WITNESS_DOT] = "250 2.0.0 kept\r\n",
	};

	return answers[event];
}

static void
answer(struct fuzz *fuzz, uint8_t how)
{
	static const char *const bad[] = { "250 mail.example.net\r\n", "450 4.2.0 later\r\n",
		"550-5.1.1 no\r\n550 5.1.1 never\r\n", "421 4.3.2 closing\r\n",
		"334 VXNlcm5hbWU6\r\n", "354 what\r\n", "251 2.1.5 elsewhere\r\n" };
	struct buf all = { .limit = INPUT_MOST };

	if (fuzz->rig.count == 0)
		return;
	struct slice owed = witness_owed(&fuzz->witness, fuzz->rig.count - 1);

	for (size_t i = 0; i < owed.length; i++) {
		bool is_bad = i + 1 == owed.length && how % 8 != 0;
		const char *line =
		    is_bad ? bad[how % 8 - 1] : good_answer((enum witness_event)owed.data[i]);

		buf_append(&all, slice_of(line));
	}
	back_says(fuzz, buf_slice(&all));
	buf_free(&all);
	rig_settle(&fuzz->rig);
}

static void
client_comes(struct fuzz *fuzz)
{
	if (fuzz->clients++ == CLIENTS_MOST)
		return;
	fuzz->witness.has_left = fuzz->witness.is_answering = false;
	buf_clear(&fuzz->witness.line);
	rig_client(&fuzz->rig, "198.51.100.5");
	rig_settle(&fuzz->rig);
}

/* The client has left. If commands of it wait to be done, it may have closed its side only. */
static void
front_has_left(struct fuzz *fuzz)
{
	const struct session *session = fuzz->rig.worker->sessions;

	if (session == NULL || conn_input(session->front).length == 0)
		witness_front_leaves(&fuzz->witness);
}

static void
close_side(struct fuzz *fuzz)
{
	struct rig_end *back = present_back(fuzz);

	if (fuzz->is_back && back != NULL)
		rig_close(back);
	if (!fuzz->is_back)
		rig_close(&fuzz->rig.front);
	rig_settle(&fuzz->rig);
	if (!fuzz->is_back)
		front_has_left(fuzz);
	if (!fuzz->is_back && fuzz->rig.worker->sessions == NULL)
		client_comes(fuzz);
}

static void
end_worker(struct fuzz *fuzz)
{
	fuzz->rig.worker->is_ending = true;
	session_wake_all(fuzz->rig.worker);
	rig_settle(&fuzz->rig);
}

/* Returns how many octets it had behind it. */
static size_t
obey(struct fuzz *fuzz, enum command command, uint8_t next)
{
	settle(fuzz);
	switch (command) {
	case FRONT:
	case BACK:
		fuzz->is_back = command == BACK;
		return 0;
	case PAUSE:
		return 0;
	case TIME:
		rig_pass(times[next % TIMES]);
		rig_settle(&fuzz->rig);
		return 1;
	case DNS:
		dns_fake_release(fuzz->rig.dns, next % ROWS);
		rig_settle(&fuzz->rig);
		return 1;
	case CLOSES:
		close_side(fuzz);
		return 0;
	case ANSWER:
		answer(fuzz, next);
		return 1;
	case WORKER_ENDS:
		end_worker(fuzz);
		return 0;
	case REFUSES:
		fuzz->rig.refusals = 1;
		return 0;
	}
	return 0;
}

static void
run(struct fuzz *fuzz, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] >= FRONT && data[i] <= REFUSES)
			i += obey(fuzz, (enum command)data[i], i + 1 < size ? data[i + 1] : 0);
		else
			buf_append_byte(&fuzz->text, (char)data[i]);
	}
	settle(fuzz);
}

/* The client leaves; the backend still says what it owes, and leaves, too; time passes, also for
 * connections that are made while it does. */
static void
leave(struct fuzz *fuzz)
{
	rig_close(&fuzz->rig.front);
	rig_settle(&fuzz->rig);
	front_has_left(fuzz);
	answer(fuzz, 0);
	answer(fuzz, 0);
	for (int i = 0; i < 4; i++) {
		for (size_t back = 0; back < fuzz->rig.count; back++)
			rig_close(&fuzz->rig.backs[back]);
		rig_settle(&fuzz->rig);
		rig_pass(4000);
	}
	rig_settle(&fuzz->rig);
	assert(fuzz->rig.worker->sessions == NULL);
}

static const struct config *
read_setting(size_t number)
{
	static const struct config *configs[SETTINGS];
	static struct arena *arena;

	if (arena == NULL) {
		arena = arena_new(SIZE_MAX);
		signal(SIGPIPE, SIG_IGN);
		log_open(&(struct log_options) { .level = LEVEL_ERROR });
	}
	if (configs[number] == NULL)
		configs[number] = setting_read(arena, slice_of(settings[number].yaml), stderr);
	assert(configs[number] != NULL);
	return configs[number];
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz fuzz = { .text = { .limit = INPUT_MOST } };

	if (size == 0 || size > INPUT_MOST)
		return 0;
	size_t number = data[0] % SETTINGS;

	rig_begin(&fuzz.rig, read_setting(number), rows);
	witness_begin(&fuzz.witness);
	fuzz.witness.may_discard = settings[number].may_discard;
	fuzz.witness.may_be_bare = settings[number].may_be_bare;
	fuzz.rig.on_turn = on_turn;
	fuzz.rig.arg = &fuzz;
	client_comes(&fuzz);
	run(&fuzz, data + 1, size - 1);
	leave(&fuzz);
	rig_end(&fuzz.rig);
	witness_end(&fuzz.witness);
	buf_free(&fuzz.text);
	return 0;
}
