/*
 * strip: the incoming header fields that would speak in our name.
 *
 * A mail flow rule behind us believes X-Postern-Verdict, and Authentication-Results with our
 * name (RFC 8601 5); whoever sends one from outside must not be believed. Such fields are
 * taken out, wherever they stand; nothing else in a message is ever touched.
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
