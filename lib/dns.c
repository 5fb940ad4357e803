#include "lib/dns_source.h"

#include <assert.h>
#include <stdio.h>

#include "lib/clock.h"

enum { NAME_LONGEST = 253, LABEL_LONGEST = 63, TABLE_FIRST = 8, WOKEN_MOST = 2 };

/*
 * Questions are found by a hash of name and type in chains. Its table begins inside the
 * struct, enough for an ordinary session, and is made anew four times as large when the
 * chains become long; a filter that is run again asks everything again.
 */
struct dns {
	struct arena *arena;
	struct dns_source *source;
	struct task *task;
	struct dns_question **table;
	size_t table_size; /* a power of two */
	size_t count;
	struct dns_question *first_table[TABLE_FIRST];
};

/* What a name is compared by: lower case, no last dot. */
struct dns_key {
	char name[DNS_NAME_MOST];
	size_t length;
	uint32_t hash;
};

static const struct dns_answer dns_not_a_name = { .state = DNS_NO_NAME, .why = "not a DNS name" };
static const struct dns_answer dns_too_many = { .state = DNS_FAILED,
	.why = "too many questions in one session" };

static void
dns_stop(struct dns_question *question)
{
	struct dns_source *source = question->dns->source;

	ev_timer_stop(source->loop, &question->limit);
	source->stop(source, question);
}

static void
dns_undo(void *arg)
{
	struct dns *dns = arg;

	for (size_t i = 0; i < dns->table_size; i++)
		for (struct dns_question *q = dns->table[i]; q != NULL; q = q->next)
			if (!q->is_answered) {
				dns->source->stats.waiting--;
				dns_stop(q);
			}
}

struct dns *
dns_new(struct arena *arena, struct dns_source *source, struct task *task)
{
	struct dns *dns = arena_alloc(arena, sizeof(*dns));

	*dns = (struct dns) { .arena = arena, .source = source, .task = task };
	dns->table = dns->first_table;
	dns->table_size = TABLE_FIRST;
	arena_defer(arena, dns_undo, dns);
	return dns;
}

struct arena *
dns_arena(struct dns_question *question)
{
	return question->dns->arena;
}

const struct dns_stats *
dns_source_stats(const struct dns_source *source)
{
	return &source->stats;
}

void
dns_end(struct dns_question *question, enum dns_state state, const char *why)
{
	struct dns_source *source = question->dns->source;
	struct dns_answer *answer = &question->answer;

	assert(!question->is_answered);
	ev_timer_stop(source->loop, &question->limit);
	if (state != DNS_OK)
		*answer = (struct dns_answer) { .is_secure = answer->is_secure };
	answer->state = state;
	answer->why = why != NULL ? why : "";
	answer->ms = (clock_seconds() - question->asked) * 1e3;
	question->is_answered = true;
	source->stats.waiting--;
	source->stats.failed += state == DNS_FAILED;
	if (question->is_starting) {
		source->stats.at_once++;
		return;
	}
	source->stats.ms += answer->ms;
	task_wake(question->dns->task);
}

void
dns_end_packet(struct dns_question *question, struct slice packet, bool is_secure)
{
	struct dns_answer *answer = &question->answer;
	bool is_good = dns_wire_read(answer, question->dns->arena, packet, question->type);

	answer->is_secure = is_secure && is_good;
	dns_end(question, is_good ? answer->state : DNS_FAILED, is_good ? NULL : "broken answer");
}

void
dns_end_over_limit(struct dns_question *question, const char *why)
{
	question->dns->source->stats.over_limit++;
	dns_end(question, DNS_FAILED, why);
}

/*
 * Where a server is dead, thousands of questions end at once; so that the loop stays quick, only
 * a few sessions are woken in one turn by them. The others' questions end in the next.
 */
static bool
dns_is_late(struct dns_question *question)
{
	struct dns_source *source = question->dns->source;
	unsigned turn = ev_iteration(source->loop);

	if (source->turn != turn) {
		source->turn = turn;
		source->woken = 0;
	}
	return question->dns->task->next == NULL && source->woken++ >= WOKEN_MOST;
}

static void
dns_on_limit(struct ev_loop *loop, ev_timer *limit, int events)
{
	struct dns_question *question = limit->data;

	(void)events;
	if (dns_is_late(question)) {
		ev_timer_set(limit, 0, 0);
		ev_timer_start(loop, limit);
		return;
	}
	question->dns->source->stats.timeouts++;
	dns_stop(question);
	dns_end(question, DNS_FAILED, "time limit");
}

/* False if name cannot be a DNS name. The hash is FNV-1a; a session's names are bounded. */
static bool
dns_key_read(struct dns_key *key, enum dns_type type, const char *name)
{
	size_t label = 0;

	key->hash = (2166136261u ^ (uint32_t)type) * 16777619u;
	key->length = 0;
	for (; *name != '\0' && !(*name == '.' && name[1] == '\0'); name++) {
		char c = *name >= 'A' && *name <= 'Z' ? (char)(*name | 0x20) : *name;

		if (key->length == NAME_LONGEST || (c == '.' && label == 0))
			return false;
		label = c == '.' ? 0 : label + 1;
		if (label > LABEL_LONGEST)
			return false;
		key->name[key->length++] = c;
		key->hash = (key->hash ^ (unsigned char)c) * 16777619u;
	}
	key->name[key->length] = '\0';
	return label > 0;
}

static struct dns_question *
dns_find_key(const struct dns *dns, enum dns_type type, const struct dns_key *key)
{
	struct dns_question *question = dns->table[key->hash & (dns->table_size - 1)];

	while (question != NULL &&
	    (question->hash != key->hash || question->type != type ||
		strcmp(question->name, key->name) != 0))
		question = question->next;
	return question;
}

static void
dns_put(struct dns *dns, struct dns_question *question)
{
	struct dns_question **chain = &dns->table[question->hash & (dns->table_size - 1)];

	question->next = *chain;
	*chain = question;
}

static void
dns_grow(struct dns *dns)
{
	struct dns_question **old = dns->table;
	size_t old_size = dns->table_size;

	dns->table_size = old_size * 4;
	dns->table = arena_alloc(dns->arena, dns->table_size * sizeof(struct dns_question *));
	for (size_t i = 0; i < old_size; i++)
		for (struct dns_question *q = old[i], *next; q != NULL; q = next) {
			next = q->next;
			dns_put(dns, q);
		}
}

static struct dns_question *
dns_start(struct dns *dns, enum dns_type type, const struct dns_key *key)
{
	struct dns_source *source = dns->source;
	struct dns_question *question = arena_alloc(dns->arena, sizeof(*question));

	*question = (struct dns_question) {
		.dns = dns,
		.type = type,
		.hash = key->hash,
		.asked = clock_seconds(),
		.is_starting = true,
		.name = arena_copy(dns->arena, (struct slice) { key->name, key->length }),
	};
	if (dns->count++ == dns->table_size * 2)
		dns_grow(dns);
	dns_put(dns, question);
	ev_timer_init(&question->limit, dns_on_limit, source->time_limit, 0);
	question->limit.data = question;
	source->stats.asked++;
	source->stats.waiting++;
	source->start(source, question);
	question->is_starting = false;
	if (!question->is_answered)
		ev_timer_start(source->loop, &question->limit);
	return question;
}

const struct dns_answer *
dns_ask(struct dns *dns, enum dns_type type, const char *name)
{
	struct dns_key key;

	if (!dns_key_read(&key, type, name))
		return &dns_not_a_name;
	struct dns_question *question = dns_find_key(dns, type, &key);

	if (question == NULL) {
		if (dns->count >= dns->source->question_limit) {
			dns->source->stats.over_limit++;
			dns->source->stats.failed++;
			return &dns_too_many;
		}
		question = dns_start(dns, type, &key);
	}
	return question->is_answered ? &question->answer : NULL;
}

const struct dns_answer *
dns_find(const struct dns *dns, enum dns_type type, const char *name)
{
	struct dns_key key;

	if (!dns_key_read(&key, type, name))
		return &dns_not_a_name;
	const struct dns_question *question = dns_find_key(dns, type, &key);

	return question != NULL && question->is_answered ? &question->answer : NULL;
}

const char *
dns_escape(char text[DNS_ESCAPED_MOST], const char *name)
{
	char *out = text;

	assert(strlen(name) < DNS_NAME_MOST);
	for (; *name != '\0'; name++) {
		unsigned char c = (unsigned char)*name;
		bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';

		if (is_plain) {
			*out++ = (char)c;
			continue;
		}
		*out++ = '\\';
		*out++ = (char)('0' + c / 100);
		*out++ = (char)('0' + c / 10 % 10);
		*out++ = (char)('0' + c % 10);
	}
	*out = '\0';
	return text;
}

const char *
dns_reverse(char name[DNS_NAME_MOST], struct slice address, const char *zone)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *bytes = (const unsigned char *)address.data;
	size_t length = 0;

	assert(address.length == 4 || address.length == 16);
	if (zone == NULL || zone[0] == '\0')
		zone = address.length == 4 ? "in-addr.arpa" : "ip6.arpa";
	for (size_t i = address.length; i-- > 0;)
		if (address.length == 4) {
			length += (size_t)sprintf(name + length, "%u.", bytes[i]);
		} else {
			name[length++] = digits[bytes[i] & 15];
			name[length++] = '.';
			name[length++] = digits[bytes[i] >> 4];
			name[length++] = '.';
		}
	if (length + strlen(zone) < DNS_NAME_MOST)
		memcpy(name + length, zone, strlen(zone) + 1);
	else
		name[0] = '\0';
	return name;
}
