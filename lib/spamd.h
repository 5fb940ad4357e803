/*
 * spamd: how one talks with SpamAssassin's daemon (SPAMC/1.5, spamd/PROTOCOL).
 *
 *	SYMBOLS SPAMC/1.5		SPAMD/1.1 0 EX_OK
 *					Content-length: 11
 *	the message, to the end		Spam: True ; 15.0 / 5.0
 *	of our direction
 *					GTUBE,BULKY
 *
 * The scores of the single symbols are not said.
 */
#pragma once

#include "lib/scanner.h"
#include "lib/symbols.h"

struct spamd_answer {
	bool is_spam;
	double score, required;
	struct symbols symbols; /* each with the score 0 */
};

extern const struct scanner_talk spamd_talk; /* into: a struct spamd_answer */
extern const struct scanner_talk spamd_ping;

struct slice spamd_ping_text(void);

/* The reader of spamd_talk; into: struct spamd_answer. */
enum scanner_reading
spamd_read(void *into, struct slice bytes, bool is_over, char why[SCANNER_WHY_MOST]);
