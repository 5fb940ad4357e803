/*
 * list_guard: may this DNS list be believed?
 *
 * A list that begins to answer everything refuses all mail; one that has died or refuses to
 * answer helps nobody. So a list counts only while its test points are answered rightly: one
 * is listed, others are not (RFC 5782 5), among them one that is drawn at random, so that no
 * cache can answer instead of the list. They are asked
 *
 *	at the worker's start     nothing counts before this first check is over
 *	every hour
 *	after 20 listings         since the last check began; the 20th listing, and those that
 *	                          come while the check is under way, wait for it
 *	after 5 errors in a row   at most every 30 s
 *
 * A list that fails is suspended, and the reason is logged (error, event "list"), once per
 * reason. While it is, nobody asks it for a client, so a dead list costs nothing, and it is
 * checked again every 5 minutes (after 30 s where nothing had answered). So at most 19 false
 * listings are believed per worker, whatever happens to a list.
 *
 * A guard is made per worker and list, in the worker's arena, and ends with it. It has a
 * timer and tasks of its own, which only wake the tasks of those who wait.
 */
#pragma once

#include "lib/dns_list.h"
#include "lib/option.h"

struct list_guard_options {
	struct seconds every, again;
	uint32_t burst;
};

extern const struct option list_guard_options[];

/* What the worker lends; all of it lasts longer than the guard. */
struct list_guard_host {
	struct arena *arena;
	struct ev_loop *loop;
	struct task_queue *tasks;
	struct dns_source *dns;
	bool is_silent; /* nothing is logged: somebody else tells */
};

struct list_guard;

/* Begins the first check. list and options are borrowed. */
struct list_guard *list_guard_new(const struct list_guard_host *host, const struct dns_list *list,
    const struct list_guard_options *options);

enum list_state { LIST_UNCHECKED, LIST_GOOD, LIST_SUSPENDED };

enum list_state list_guard_state(const struct list_guard *guard);
const char *list_guard_reason(const struct list_guard *guard); /* "" unless suspended */

enum list_verdict { LIST_COUNTS, LIST_WAITS, LIST_COUNTS_NOT };

/*
 * What to do with an answer: tell it, or wait (the task is woken), or tell that the list is
 * suspended. To be asked once more after each wait, and not again after another verdict, for
 * this is what counts listings and errors. arena and task are the session's.
 */
enum list_verdict list_guard_ask(struct list_guard *guard, struct arena *arena, struct task *task,
    const struct dns_list_result *result);
