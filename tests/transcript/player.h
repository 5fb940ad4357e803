/*
 * player: plays a transcript against a rig, in one of three ways.
 *
 *	PLAYER_AS_WRITTEN   lines that follow each other leave in one write
 *	PLAYER_BYTE_BY_BYTE each octet of either side on its own; answers of DNS come only
 *	                    when nothing else can go on
 *	PLAYER_AT_ONCE      all that the client will say, as soon as it says anything
 *
 * In the first two ways nobody says anything before the transcript has heard all that postern
 * had to say: so an answer that comes too early is a fault. In all ways, nothing may be left
 * unheard at the end but a QUIT to the backend; and when both sides have left and time has
 * passed, no session may live.
 */
#pragma once

#include "tests/transcript/script.h"

enum player_way { PLAYER_AS_WRITTEN, PLAYER_BYTE_BY_BYTE, PLAYER_AT_ONCE };

/* false: what went otherwise has been printed to complaints. */
bool player_play(const struct script *script, enum player_way way, FILE *complaints);
