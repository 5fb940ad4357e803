/*
 * dns_fake: a table of answers for tests, given in any order.
 *
 * A row's answer is withheld until dns_fake_release(); a question for a released row is
 * answered at once, from inside dns_ask(), as a cache does. dns_fake_release_all() makes
 * a resolver of it that answers everything at once. Several sessions may ask one fake.
 *
 * A question without a row follows a row of type DNS_CNAME for its name, if there is one
 * (its records[0] is the target). If there is none either, it ends the test, unless
 * dns_fake_allow_unknown() was called: then it is answered at once with DNS_NO_DATA if
 * another row has its name, else DNS_NO_NAME.
 */
#pragma once

#include "lib/dns_source.h"

enum { DNS_FAKE_RECORDS_MOST = 24 };

/*
 * records: addresses as text, PTR names, MX "10 mx.example" (null MX "0 ."), TXT strings;
 * ends with NULL. A text that cannot be read so ends the test. Names in lower case.
 */
struct dns_row {
	enum dns_type type;
	const char *name;
	enum dns_state state;
	const char *records[DNS_FAKE_RECORDS_MOST];
	const char *why; /* for DNS_FAILED; may be NULL */
	uint32_t ttl;
	bool is_secure;
};

struct dns_fake;

/* rows ends with a name NULL; it is not copied. Limits: 3600 s, DNS_QUESTIONS_MOST. */
struct dns_fake *
dns_fake_new(struct arena *arena, struct ev_loop *loop, const struct dns_row *rows);
struct dns_source *dns_fake_source(struct dns_fake *fake);

void dns_fake_allow_unknown(struct dns_fake *fake);

/* Answers all that wait for the row; their tasks are woken. Again: nothing. */
void dns_fake_release(struct dns_fake *fake, size_t row);
void dns_fake_release_all(struct dns_fake *fake); /* in the table's order */

size_t dns_fake_waiting(const struct dns_fake *fake);           /* questions under way */
size_t dns_fake_asked(const struct dns_fake *fake, size_t row); /* how often, by all sessions */
