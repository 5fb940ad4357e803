/*
 * setting: the configuration of a transcript.
 *
 * It is the least that postern needs (hostname mx.example.com, listen without TLS, a backend
 * without TLS, relay for example.com), less the keys that the given lines bring themselves. In
 * a line "backend: { ... }" the servers and `tls: off` are put in where they are missing.
 */
#pragma once

#include <stdio.h>

#include "rules/config.h"

/* lines: YAML, each with its line end. NULL: faults have been printed to `complaints`. */
const struct config *setting_read(struct arena *arena, struct slice lines, FILE *complaints);
