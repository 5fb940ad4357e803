/*
 * strip: the incoming header fields that would speak in our name.
 *
 * A mail flow rule behind us believes X-Postern-Verdict, and Authentication-Results with our
 * name (authserv_id:, authserv_aliases:; RFC 8601 5); whoever sends one from outside must not
 * be believed. Such fields are taken out, wherever they stand, however the name is written:
 * in letters of either case, quoted, with comments, in U-labels. So are those of an unknown
 * version, and those of which readers could make something else: without a name, with a
 * comment or string that does not end, with a NUL, with two names. Nothing else in a message
 * is ever touched; ARC-Authentication-Results is another field.
 */
#pragma once

#include "lib/buf.h"
#include "lib/header.h"
#include "rules/config.h"

/*
 * header: the fields, without the empty line. false: there is nothing to take out. Else out
 * gets those that stay, dot-stuffed for DATA.
 */
bool strip_header(const struct config *config, struct slice header, struct buf *out);

/* How many bytes the same fields take on the wire, where lines that begin with a dot have one
 * more (RFC 5321 4.5.2). */
size_t strip_wire_length(struct slice header);
