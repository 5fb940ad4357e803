/*
 * host_form: the host of an address, in whatever disguise, in the one form in which it can be
 * compared and asked about.
 *
 * Read as a browser reads it (url.spec.whatwg.org, "Host parsing"): percent escapes are undone,
 * names beyond ASCII mapped and written as A-labels (UTS 46, not transitional: libidn2), lower
 * case, one dot at the end left out. What ends in a number is an IPv4 address, in one to four
 * numbers of base 8, 10 or 16, or it is nothing. In brackets stands an IPv6 address.
 *
 * Beyond that only what DNS can be asked about is a host: labels of 1 to 63 letters, digits, - and
 * _, 253 in all. Names of one label are.
 */
#pragma once

#include "lib/ip.h"

enum host_kind { HOST_NAME, HOST_IP4, HOST_IP6 };

enum host_flag {
	HOST_IS_ESCAPED = 1 << 0,   /* had percent escapes */
	HOST_IS_DISGUISED = 1 << 1, /* an IPv4 address other than as 192.0.2.7 */
	HOST_IS_WIDE = 1 << 2,      /* letters or dots beyond ASCII that stand for those of ASCII */
	HOST_IS_IDN = 1 << 3,       /* has A-labels */
	HOST_IS_MIXED = 1 << 4,     /* Latin letters beside Greek or Cyrillic ones in one label */
};

enum { HOST_TEXT_MOST = 254 };

struct host_form {
	enum host_kind kind;
	unsigned int flags;
	char text[HOST_TEXT_MOST]; /* "example.com", "192.0.2.7", "2001:db8::7" */
	struct ip ip; /* of an address; ::ffff:192.0.2.7 as the IPv4 address that it is */
};

/* Without port and user information; the brackets of an IPv6 address belong to it. False: it is
 * none. */
bool host_form_read(struct host_form *form, struct slice host);
