#include "lib/list_guard.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/log.h"

enum { BUCKETS = 64, ERRORS_IN_A_ROW = 5, REASON_MOST = 300 };

/* Seconds: between two checks because of errors, and until a list that was silent is asked
 * again; unless `again` is less. */
static const double guard_soon = 30;

const struct option list_guard_options[] = {
	OPTION(list_guard_options, every, .fallback = "1h", .min = 10, .max = 86400,
	    .help = "How often the test points of each list are asked."),
	OPTION(list_guard_options, again, .fallback = "5m", .min = 1, .max = 86400,
	    .help = "How soon a suspended list is checked again."),
	OPTION(list_guard_options, burst, .fallback = "20", .min = 1, .max = 100000,
	    .help = "After so many listings a list is checked before more of them are believed."),
	{ 0 },
};

/* What is wrong with a list; of several the greatest is told. */
enum guard_fault {
	GUARD_GOOD,
	GUARD_DEAD,
	GUARD_SILENT,
	GUARD_EVERYTHING,
	GUARD_OUTSIDE,
	GUARD_REFUSED,
};

/* A session that waits, or has waited. */
struct list_waiter {
	struct list_waiter *next, **link; /* in its bucket */
	struct task *task;
	unsigned round; /* of the guard when it began to wait */
	bool is_waiting;
};

struct list_check;

struct list_guard {
	struct list_guard_host host;
	const struct dns_list *list;
	const struct list_guard_options *options;
	struct list_check *check; /* NULL: none under way */
	ev_timer timer;           /* to the next one */
	enum list_state state;
	enum guard_fault fault;
	char reason[REASON_MOST];
	unsigned listings; /* that count, since the last good check began */
	unsigned errors;   /* in a row */
	unsigned round;    /* checks whose questions have left */
	unsigned good;     /* the last of them that found the list good */
	ev_tstamp checked; /* when the last one was over */
	struct list_waiter *waiters[BUCKETS];
};

/* The test points, asked. */
struct list_check {
	struct list_guard *guard;
	struct arena *arena;
	struct task task;
	struct dns *dns;
	unsigned listings; /* of the guard when the questions left */
	bool is_asked;
	enum guard_fault fault;
	char reason[REASON_MOST];
	struct list_check_point {
		char name[DNS_NAME_MOST], text[DNS_NAME_MOST];
	} listed[DNS_LIST_POINTS_MOST], unlisted[DNS_LIST_POINTS_MOST];
};

static void list_check_begin(struct list_guard *guard);

/* ---- who waits ---- */

static struct list_waiter **
guard_bucket(struct list_guard *guard, const struct task *task)
{
	return &guard->waiters[((uintptr_t)task / 64 ^ (uintptr_t)task / 4096) % BUCKETS];
}

static struct list_waiter *
guard_waiter(struct list_guard *guard, const struct task *task)
{
	struct list_waiter *waiter = *guard_bucket(guard, task);

	while (waiter != NULL && waiter->task != task)
		waiter = waiter->next;
	return waiter;
}

static void
guard_waiter_undo(void *arg)
{
	struct list_waiter *waiter = arg;

	*waiter->link = waiter->next;
	if (waiter->next != NULL)
		waiter->next->link = waiter->link;
}

static enum list_verdict
guard_wait(struct list_guard *guard, struct arena *arena, struct task *task)
{
	struct list_waiter *waiter = guard_waiter(guard, task);
	struct list_waiter **bucket = guard_bucket(guard, task);

	if (waiter == NULL) {
		waiter = arena_alloc(arena, sizeof(*waiter));
		*waiter = (struct list_waiter) { .next = *bucket, .link = bucket, .task = task };
		if (waiter->next != NULL)
			waiter->next->link = &waiter->next;
		*bucket = waiter;
		arena_defer(arena, guard_waiter_undo, waiter);
	}
	if (!waiter->is_waiting)
		waiter->round = guard->round;
	waiter->is_waiting = true;
	return LIST_WAITS;
}

static void
guard_wake_all(struct list_guard *guard)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct list_waiter *waiter = guard->waiters[i]; waiter != NULL;
		     waiter = waiter->next)
			if (waiter->is_waiting) {
				waiter->is_waiting = false;
				task_wake(waiter->task);
			}
}

/* ---- the state ---- */

static void
guard_next(struct list_guard *guard, double after)
{
	ev_timer_stop(guard->host.loop, &guard->timer);
	ev_timer_set(&guard->timer, after, 0);
	ev_timer_start(guard->host.loop, &guard->timer);
}

static double
guard_pause(const struct list_guard *guard)
{
	double again = guard->options->again.value;

	return again < guard_soon ? again : guard_soon;
}

/* A list is good again: what it said since the questions left is not yet vouched for. */
static void
guard_pass(struct list_guard *guard, const struct list_check *check)
{
	if (guard->state == LIST_SUSPENDED && !guard->host.is_silent)
		log_line(LEVEL_WARNING, "list", "the list %s counts again", guard->list->id);
	guard->state = LIST_GOOD;
	guard->fault = GUARD_GOOD;
	guard->reason[0] = '\0';
	guard->listings -= check->listings;
	guard->good = guard->round;
	guard_next(guard, guard->options->every.value);
}

static void
guard_suspend(struct list_guard *guard, const struct list_check *check)
{
	bool is_new = guard->state != LIST_SUSPENDED || guard->fault != check->fault;

	if (is_new && !guard->host.is_silent)
		log_line(LEVEL_ERROR, "list", "the list %s (%s) does not count any more: %s",
		    guard->list->id, guard->list->shown, check->reason);
	guard->state = LIST_SUSPENDED;
	guard->fault = check->fault;
	memcpy(guard->reason, check->reason, sizeof(guard->reason));
	guard->listings = 0;
	guard_next(
	    guard, check->fault == GUARD_SILENT ? guard_pause(guard) : guard->options->again.value);
}

static void
guard_decide(struct list_guard *guard)
{
	struct list_check *check = guard->check;

	if (check->fault == GUARD_GOOD)
		guard_pass(guard, check);
	else
		guard_suspend(guard, check);
	guard->check = NULL;
	guard->errors = 0;
	guard->checked = ev_now(guard->host.loop);
	arena_free(check->arena);
	guard_wake_all(guard);
}

/* ---- a check ---- */

__attribute__((format(printf, 3, 4))) static void
list_check_fail(struct list_check *check, enum guard_fault fault, const char *format, ...)
{
	va_list args;

	if (fault <= check->fault)
		return;
	check->fault = fault;
	va_start(args, format);
	vsnprintf(check->reason, sizeof(check->reason), format, args);
	va_end(args);
}

/* Must not be listed: any address in the answer is a fault. */
static void
list_check_unlisted(struct list_check *check, const struct list_check_point *point,
    const struct dns_list_result *result)
{
	switch (result->fault) {
	case DNS_LIST_NO_ANSWER:
		list_check_fail(check, GUARD_SILENT, "%s", result->why);
		return;
	case DNS_LIST_OUTSIDE:
		list_check_fail(check, GUARD_OUTSIDE, "%s", result->why);
		return;
	case DNS_LIST_REFUSED:
	case DNS_LIST_CODE:
		list_check_fail(check, GUARD_REFUSED, "%s", result->why);
		return;
	case DNS_LIST_GOOD:
	case DNS_LIST_LOOPBACK:
	case DNS_LIST_UNKNOWN:
	case DNS_LIST_TOO_MUCH:
		break;
	}
	if (result->state != DNS_LIST_NONE)
		list_check_fail(check, GUARD_EVERYTHING,
		    "it lists %s (%s), which must not be listed: it answers everything",
		    point->text, result->count > 0 ? result->words[0].address : result->why);
}

/*
 * Must be listed. Lists give their test points codes that no client gets (all bits, or
 * DNSWL's special cases); that is fine, as long as others are not answered so.
 */
static void
list_check_listed(struct list_check *check, const struct list_check_point *point,
    const struct dns_list_result *result)
{
	bool is_compared = check->guard->list->unlisted.count > 0;

	switch (result->fault) {
	case DNS_LIST_NO_ANSWER:
		list_check_fail(check, GUARD_SILENT, "%s", result->why);
		return;
	case DNS_LIST_OUTSIDE:
	case DNS_LIST_LOOPBACK:
	case DNS_LIST_TOO_MUCH:
		list_check_fail(check, GUARD_OUTSIDE, "%s", result->why);
		return;
	case DNS_LIST_REFUSED:
		list_check_fail(check, GUARD_REFUSED, "%s", result->why);
		return;
	case DNS_LIST_CODE:
		if (!is_compared)
			list_check_fail(check, GUARD_REFUSED, "%s", result->why);
		return;
	case DNS_LIST_GOOD:
	case DNS_LIST_UNKNOWN:
		break;
	}
	if (result->state == DNS_LIST_NONE)
		list_check_fail(check, GUARD_DEAD,
		    "it does not list %s, which must be listed: the list is dead, or its zone "
		    "wrong",
		    point->text);
}

/* All of them are asked before any answer is waited for; false: one is missing. */
static bool
list_check_points(struct list_check *check, const struct list_check_point *points, size_t count,
    void (*judge)(
	struct list_check *, const struct list_check_point *, const struct dns_list_result *))
{
	bool is_whole = true;

	for (size_t i = 0; i < count; i++) {
		const struct dns_answer *answer = dns_ask(check->dns, DNS_A, points[i].name);
		struct dns_list_result result;

		if (answer == NULL) {
			is_whole = false;
			continue;
		}
		dns_list_judge(&result, check->guard->list, answer);
		judge(check, &points[i], &result);
	}
	return is_whole;
}

/* Judged anew at each run: the reason must not hang on which answer came first. */
static void
list_check_run(void *arg)
{
	struct list_check *check = arg;
	struct list_guard *guard = check->guard;
	bool is_whole = true;

	if (!check->is_asked) {
		check->is_asked = true;
		check->listings = guard->listings;
		guard->round++;
	}
	check->fault = GUARD_GOOD;
	is_whole &=
	    list_check_points(check, check->listed, guard->list->listed.count, list_check_listed);
	is_whole &= list_check_points(
	    check, check->unlisted, guard->list->unlisted.count, list_check_unlisted);
	if (is_whole)
		guard_decide(guard);
}

static void
list_check_draw(const struct dns_list *list, const struct dns_list_points *points,
    struct list_check_point drawn[DNS_LIST_POINTS_MOST])
{
	for (size_t i = 0; i < points->count; i++)
		dns_list_point(drawn[i].name, list, &points->item[i], drawn[i].text);
}

/* The questions leave from the task: who comes to wait in this turn has come before them. */
static void
list_check_begin(struct list_guard *guard)
{
	struct arena *arena;
	struct list_check *check;

	if (guard->check != NULL)
		return;
	ev_timer_stop(guard->host.loop, &guard->timer);
	arena = arena_new(SIZE_MAX);
	check = arena_alloc(arena, sizeof(*check));
	check->guard = guard;
	check->arena = arena;
	list_check_draw(guard->list, &guard->list->listed, check->listed);
	list_check_draw(guard->list, &guard->list->unlisted, check->unlisted);
	task_init(&check->task, arena, guard->host.tasks, list_check_run, check);
	check->dns = dns_new(arena, guard->host.dns, &check->task);
	guard->check = check;
	task_wake(&check->task);
}

/* ---- the guard ---- */

static void
guard_on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop, (void)events;
	list_check_begin(timer->data);
}

static void
guard_undo(void *arg)
{
	struct list_guard *guard = arg;

	ev_timer_stop(guard->host.loop, &guard->timer);
	if (guard->check != NULL)
		arena_free(guard->check->arena);
}

struct list_guard *
list_guard_new(const struct list_guard_host *host, const struct dns_list *list,
    const struct list_guard_options *options)
{
	struct list_guard *guard = arena_alloc(host->arena, sizeof(*guard));

	*guard = (struct list_guard) { .host = *host, .list = list, .options = options };
	ev_timer_init(&guard->timer, guard_on_timer, 0, 0);
	guard->timer.data = guard;
	arena_defer(host->arena, guard_undo, guard);
	list_check_begin(guard);
	return guard;
}

enum list_state
list_guard_state(const struct list_guard *guard)
{
	return guard->state;
}

const char *
list_guard_reason(const struct list_guard *guard)
{
	return guard->reason;
}

static void
guard_count_error(struct list_guard *guard)
{
	ev_tstamp passed = ev_now(guard->host.loop) - guard->checked;

	if (++guard->errors >= ERRORS_IN_A_ROW && passed >= guard_pause(guard))
		list_check_begin(guard);
}

/* Was the list found good by questions that left after this session had begun to wait? That
 * holds for the listing that had to wait, not for those that come later. */
static bool
guard_vouches(struct list_guard *guard, const struct task *task)
{
	struct list_waiter *waiter = guard_waiter(guard, task);
	bool vouches = waiter != NULL && waiter->round < guard->good;

	if (vouches)
		waiter->round = guard->good;
	return vouches;
}

enum list_verdict
list_guard_ask(struct list_guard *guard, struct arena *arena, struct task *task,
    const struct dns_list_result *result)
{
	switch (guard->state) {
	case LIST_SUSPENDED:
		return LIST_COUNTS_NOT;
	case LIST_UNCHECKED:
		return guard_wait(guard, arena, task);
	case LIST_GOOD:
		break;
	}
	if (result->state == DNS_LIST_ERROR) {
		guard_count_error(guard);
		return LIST_COUNTS;
	}
	guard->errors = 0;
	if (result->state == DNS_LIST_NONE || guard_vouches(guard, task))
		return LIST_COUNTS;
	if (guard->listings + 1 >= guard->options->burst) {
		list_check_begin(guard);
		return guard_wait(guard, arena, task);
	}
	guard->listings++;
	return LIST_COUNTS;
}
