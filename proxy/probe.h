/*
 * probe: asks the backend what it can do, when nobody else has done so of late.
 *
 * At a worker's start, and whenever a minute has passed in which no real session taught the
 * worker the backend's EHLO, one session is opened and ended with QUIT. After a failure what
 * was known last stays. (Where nothing is known yet, a client's EHLO asks for itself.)
 */
#pragma once

#include "proxy/worker.h"

void probe_start(struct worker *worker);
