/*
 * listener: the sockets that clients come to.
 *
 * The master binds them, one per worker and address (SO_REUSEPORT), before anything is
 * forked, and keeps them open for as long as it lives: connections that wait in a socket's
 * queue survive a worker's end and a reload. A worker accepts on its own only.
 */
#pragma once

#include "proxy/worker.h"

/* A bound, listening, nonblocking socket; -1: why is filled with the reason. */
enum { LISTENER_WHY = 160 };
int listener_bind(const struct config_listen *listen, bool is_shared, char why[LISTENER_WHY]);

/* Accept on fds (one per config_listen, in their order) until listener_stop(). */
struct listener;
struct listener *listener_start(struct worker *worker, const int *fds);
void listener_stop(struct listener *listener); /* closes this worker's sockets */
