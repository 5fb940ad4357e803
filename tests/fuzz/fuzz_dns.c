/*
 * DNS answers and names. The first byte says which type was asked and, with its highest bit,
 * whether the rest is a name or a packet.
 */
#include <assert.h>
#include <stdlib.h>

#include "lib/dns_fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const enum dns_type types[] = {
	DNS_A,
	DNS_AAAA,
	DNS_PTR,
	DNS_MX,
	DNS_TXT,
	DNS_CNAME,
	DNS_A,
	DNS_PTR,
};

static void
fuzz_no_run(void *arg)
{
	(void)arg;
}

/* A name is asked twice, then as a resolver gets it: an escape is four bytes and never cut. */
static void
fuzz_name(struct dns *dns, enum dns_type type, const char *name)
{
	const struct dns_answer *answer = dns_ask(dns, type, name);
	char text[DNS_ESCAPED_MOST];

	assert(answer != NULL && answer->state == DNS_NO_NAME && answer->count == 0);
	assert(answer == dns_ask(dns, type, name) && answer == dns_find(dns, type, name));
	if (answer->why[0] != '\0')
		return;
	assert(strlen(name) <= 254);
	size_t bytes = 0;

	for (const char *at = dns_escape(text, name); *at != '\0'; at++, bytes++)
		if (*at == '\\') {
			assert(strspn(at + 1, "0123456789") >= 3 && strncmp(at + 1, "046", 3) != 0);
			at += 3;
		}
	assert(bytes == strlen(name));
}

static void
fuzz_packet(struct arena *arena, struct dns *dns, enum dns_type type, struct slice packet)
{
	struct dns_answer answer = { 0 };
	bool is_good = dns_wire_read(&answer, arena, packet, type);
	size_t text = 0;

	assert(is_good || answer.count == 0);
	assert(answer.count <= DNS_RECORDS_MOST && (answer.state == DNS_OK) == (answer.count > 0));
	for (size_t i = 0; i < answer.count; i++) {
		struct slice record = answer.records[i];

		assert(record.data[record.length] == '\0');
		assert(type != DNS_A || record.length == 4);
		assert(type != DNS_AAAA || record.length == 16);
		assert((type == DNS_MX) == (answer.preferences != NULL));
		text += record.length;
		if (type != DNS_PTR && type != DNS_MX && type != DNS_CNAME)
			continue;
		assert(record.length <= 253 && strlen(record.data) == record.length);
		if (record.length > 0)
			assert(dns_ask(dns, DNS_A, record.data)->why[0] == '\0');
	}
	assert(text <= DNS_TEXT_MOST);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct dns_row no_rows[] = { { 0 } };
	static struct ev_loop *loop;
	static struct task_queue queue;

	if (size == 0)
		return 0;
	if (loop == NULL) {
		loop = ev_loop_new(EVFLAG_AUTO);
		task_queue_init(&queue, loop);
	}
	struct arena *arena = arena_new(1 << 20);
	struct dns_fake *fake = dns_fake_new(arena, loop, no_rows);
	struct task *task = arena_alloc(arena, sizeof(*task));

	dns_fake_allow_unknown(fake);
	task_init(task, arena, &queue, fuzz_no_run, NULL);
	struct dns *dns = dns_new(arena, dns_fake_source(fake), task);
	struct slice rest = { (const char *)data + 1, size - 1 };

	if (data[0] & 0x80)
		fuzz_name(dns, types[data[0] & 7], arena_copy(arena, rest));
	else
		fuzz_packet(arena, dns, types[data[0] & 7], rest);
	arena_free(arena);
	return 0;
}
