/*
 * dns_wire: the answer section of a DNS message (RFC 1035 4.1) as records.
 *
 * The packet comes from a validating resolver, but is read as if from an enemy: each step
 * checks the end, a compression pointer must point backwards and only so many are
 * followed, records and text are counted. The owner is followed through CNAMEs in the
 * order of the packet; what does not belong (signatures, other types) is passed over.
 */
#include "lib/dns_source.h"

enum { HEADER = 12, WIRE_MOST = 255, POINTERS_MOST = 64, CLASS_IN = 1 };

struct cursor {
	const unsigned char *start, *at, *end;
	bool is_broken;
};

/* A name as in the packet (length bytes and labels, 0 at its end), in lower case. */
struct wire_name {
	unsigned char bytes[WIRE_MOST];
	size_t length;
};

struct reader {
	struct dns_answer *answer;
	struct arena *arena;
	enum dns_type type;
	struct wire_name owner; /* whose records count now */
	size_t room;            /* records */
	size_t text;            /* bytes of TXT so far */
};

static unsigned
wire_take(struct cursor *in, unsigned bytes)
{
	unsigned value = 0;

	if ((size_t)(in->end - in->at) < bytes) {
		in->is_broken = true;
		in->at = in->end;
		return 0;
	}
	while (bytes-- > 0)
		value = value << 8 | *in->at++;
	return value;
}

static unsigned char
wire_lower(unsigned c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* One label of size bytes; it and the root's 0 must still fit. */
static void
wire_label(struct cursor *in, struct wire_name *name, unsigned size)
{
	if (size > 63 || name->length + size + 2 > WIRE_MOST) {
		in->is_broken = true;
		return;
	}
	name->bytes[name->length++] = (unsigned char)size;
	while (size-- > 0)
		name->bytes[name->length++] = wire_lower(wire_take(in, 1));
}

/* Compression (4.1.4): the name goes on where the pointer points; `in` only jumps over it. */
static void
wire_name_read(struct cursor *in, struct wire_name *name)
{
	struct cursor at = *in;
	unsigned pointers = 0;

	name->length = 0;
	for (unsigned size; (size = wire_take(&at, 1)) != 0 && !at.is_broken;) {
		if (size < 0xc0) {
			wire_label(&at, name, size);
			continue;
		}
		const unsigned char *here = at.at - 1;
		const unsigned char *target = at.start + ((size & 0x3f) << 8 | wire_take(&at, 1));

		if (pointers++ == 0)
			in->at = at.at;
		at.is_broken |= target >= here || pointers > POINTERS_MOST;
		at.at = at.is_broken ? at.end : target;
	}
	name->bytes[name->length++] = 0;
	if (pointers == 0)
		in->at = at.at;
	in->is_broken |= at.is_broken;
}

static bool
wire_name_equals(const struct wire_name *a, const struct wire_name *b)
{
	return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

/* As text by the rules of dns.h; a dot inside a label must not look like one between two. */
static struct slice
wire_name_text(const struct wire_name *name, struct arena *arena)
{
	char text[WIRE_MOST];
	size_t length = 0;

	for (size_t i = 0, size; (size = name->bytes[i++]) != 0;) {
		if (length > 0)
			text[length++] = '.';
		while (size-- > 0) {
			unsigned char c = name->bytes[i++];

			text[length++] = c > ' ' && c <= '~' && c != '.' ? (char)c : '?';
		}
	}
	return (struct slice) { arena_copy(arena, (struct slice) { text, length }), length };
}

/* The strings of a TXT record, joined (RFC 7208 3.3). */
static struct slice
wire_text(struct cursor *in, struct arena *arena)
{
	char *text = arena_alloc(arena, (size_t)(in->end - in->at) + 1);
	size_t length = 0;

	while (in->at < in->end && !in->is_broken)
		for (unsigned size = wire_take(in, 1); size > 0 && !in->is_broken; size--)
			text[length++] = (char)wire_take(in, 1);
	text[length] = '\0';
	return (struct slice) { text, length };
}

/* The data of one record of the type that was asked; data ends where the record does. */
static struct slice
wire_record(struct reader *reader, struct cursor *data)
{
	struct slice rest = { (const char *)data->at, (size_t)(data->end - data->at) };
	struct wire_name name;

	switch (reader->type) {
	case DNS_A:
	case DNS_AAAA:
		data->is_broken |= rest.length != (reader->type == DNS_A ? 4 : 16);
		data->at = data->end;
		return (struct slice) { arena_copy(reader->arena, rest), rest.length };
	case DNS_MX:
		reader->answer->preferences[reader->answer->count] = (uint16_t)wire_take(data, 2);
		wire_name_read(data, &name);
		return wire_name_text(&name, reader->arena);
	case DNS_CNAME:
	case DNS_PTR:
		wire_name_read(data, &name);
		return wire_name_text(&name, reader->arena);
	case DNS_TXT:
		return wire_text(data, reader->arena);
	}
	data->is_broken = true;
	return (struct slice) { "", 0 };
}

static void
wire_keep(struct reader *reader, struct cursor *data)
{
	struct dns_answer *answer = reader->answer;

	reader->text += reader->type == DNS_TXT ? (size_t)(data->end - data->at) : 0;
	if (answer->count == reader->room || reader->text > DNS_TEXT_MOST) {
		answer->is_cut = true;
		return;
	}
	struct slice record = wire_record(reader, data);

	data->is_broken |= data->at != data->end;
	answer->records[answer->count++] = record;
}

/* One record: follow it if it is the owner's CNAME, keep it if it is what was asked for. */
static void
wire_answer(struct reader *reader, struct cursor *in)
{
	struct wire_name name;

	wire_name_read(in, &name);
	enum dns_type type = (enum dns_type)wire_take(in, 2);
	unsigned class = wire_take(in, 2);
	uint32_t ttl = wire_take(in, 4);
	unsigned size = wire_take(in, 2);

	in->is_broken |= (size_t)(in->end - in->at) < size;
	if (in->is_broken)
		return;
	struct cursor data = { in->start, in->at, in->at + size, false };

	in->at += size;
	if (class != CLASS_IN || (type != reader->type && type != DNS_CNAME) ||
	    !wire_name_equals(&name, &reader->owner))
		return;
	if (ttl < reader->answer->ttl)
		reader->answer->ttl = ttl;
	if (type == reader->type)
		wire_keep(reader, &data);
	else
		wire_name_read(&data, &reader->owner);
	in->is_broken |= data.is_broken;
}

/* Room for all records of the section, as far as they fit into the bound and the packet. */
static void
wire_prepare(struct reader *reader, unsigned answers)
{
	struct dns_answer *answer = reader->answer;

	reader->room = answers < DNS_RECORDS_MOST ? answers : DNS_RECORDS_MOST;
	if (reader->room > 0)
		answer->records = arena_alloc(reader->arena, reader->room * sizeof(struct slice));
	if (reader->room > 0 && reader->type == DNS_MX)
		answer->preferences = arena_alloc(reader->arena, reader->room * sizeof(uint16_t));
	answer->ttl = UINT32_MAX;
}

bool
dns_wire_read(
    struct dns_answer *answer, struct arena *arena, struct slice packet, enum dns_type type)
{
	const unsigned char *bytes = (const unsigned char *)packet.data;
	struct cursor in = { bytes, bytes, bytes + packet.length, packet.length < HEADER };
	struct reader reader = { .answer = answer, .arena = arena, .type = type };

	wire_take(&in, 2);
	unsigned flags = wire_take(&in, 2), questions = wire_take(&in, 2),
		 answers = wire_take(&in, 2);

	wire_take(&in, 4);
	*answer = (struct dns_answer) { .state = DNS_FAILED, .why = "" };
	if (in.is_broken || questions != 1 || (flags & 0x8000) == 0)
		return false;
	wire_name_read(&in, &reader.owner);
	wire_take(&in, 4);
	wire_prepare(&reader, in.is_broken ? 0 : answers);
	while (answers-- > 0 && !in.is_broken)
		wire_answer(&reader, &in);
	if (in.is_broken || answer->count == 0)
		*answer = (struct dns_answer) { .state = DNS_FAILED, .why = "" };
	if (in.is_broken)
		return false;
	answer->state = answer->count > 0 ? DNS_OK : (flags & 15) == 3 ? DNS_NO_NAME : DNS_NO_DATA;
	return true;
}
