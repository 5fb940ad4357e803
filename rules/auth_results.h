/*
 * auth_results: the field Authentication-Results (RFC 8601), from the evidence.
 *
 *	Authentication-Results: mx.example.com;
 *		spf=pass smtp.mailfrom=bounce.example.org;
 *		dkim=pass header.d=example.net header.s=s1 header.a=rsa-sha256;
 *		dmarc=pass header.from=news.example.net policy.dmarc=quarantine;
 *		iprev=pass policy.iprev=192.0.2.1
 *
 * It is for the mail server behind us and for the reader's program, and it bears our name
 * (authserv_id:); who else has put that name into a message was removed before. Only what has
 * been found out by now is in it: of a message that is streamed that is nothing which needs
 * the body. A filter in shadow mode is left out. What a stranger has written is quoted, and
 * holds nothing but printable ASCII.
 */
#pragma once

#include "lib/buf.h"
#include "rules/config.h"

/* Is it added at all? It is where one of spf, dkim, dmarc, arc runs, but for
 * `authentication_results: no`. */
bool auth_results_are_wanted(const struct config *config);

/* Is something under way that belongs into it? Then who can wait should. */
bool auth_results_are_open(const struct config *config, const struct scope *scope);

/* The field, with its CRLF. scope: the transaction's. */
void auth_results_field(const struct config *config, const struct scope *scope, struct buf *out);
