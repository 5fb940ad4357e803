/*
 * spf_received: the field Received-SPF (RFC 7208 9.1), for who reads the message later.
 *
 *	Received-SPF: fail (mx.example.com: -all of example.org)
 *		client-ip=192.0.2.1; envelope-from="a@example.org";
 *		helo=mail.example.org; identity=mailfrom; receiver=mx.example.com
 *
 * Strings may be a stranger's: what is no printable ASCII becomes '?', and no octet of them can
 * end a comment, a quoted string or the field. More than SPF_RECEIVED_MOST octets are cut.
 */
#pragma once

#include "lib/buf.h"

enum { SPF_RECEIVED_MOST = 255 };

struct spf_received {
	const char *result;   /* "pass" */
	const char *comment;  /* why, in words */
	const char *client;   /* its address */
	const char *from;     /* "" for the null sender */
	const char *helo;     /* NULL: none was given */
	const char *identity; /* whose result it is: "mailfrom" or "helo" */
	const char *receiver; /* NULL: nobody */
};

/* The field, with its CRLF. */
void spf_received_field(const struct spf_received *received, struct buf *out);
