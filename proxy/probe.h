/*
 * probe: asks the backend what it can do, when nobody else has done so of late.
 *
 * At a worker's start, and whenever a minute has passed in which no real session taught the
 * worker the backend's EHLO, one session is opened and ended with QUIT. Until the first one
 * is over (or some seconds have passed) clients wait with their EHLO; after a failure what
 * was known last stays.
 */
#pragma once

#include "proxy/worker.h"

void probe_start(struct worker *worker);
