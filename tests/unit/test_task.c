#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/task.h"

/* A worker with a queue, and four tasks of which each has an arena of its own, like sessions. */
struct fixture {
	struct ev_loop *loop;
	struct task_queue queue;
	struct job {
		struct fixture *fixture;
		struct arena *arena;
		struct task *task;
		char letter;
		struct job *wakes;
		struct job *cancels;
		struct job *frees;
		int again; /* how often it wakes itself */
	} a, b, c, d;
	char order[64]; /* who has run */
};

static void
job_free(struct job *job)
{
	if (job->arena == NULL)
		return;
	arena_free(job->arena);
	job->arena = NULL;
}

static void
job_run(void *arg)
{
	struct job *job = arg;
	struct fixture *fixture = job->fixture;

	fixture->order[strlen(fixture->order)] = job->letter;
	if (job->again > 0) {
		job->again--;
		task_wake(job->task);
	}
	if (job->wakes != NULL)
		task_wake(job->wakes->task);
	if (job->cancels != NULL)
		task_cancel(job->cancels->task);
	if (job->frees != NULL)
		job_free(job->frees);
}

static void
job_init(struct job *job, struct fixture *fixture, char letter)
{
	job->fixture = fixture;
	job->arena = arena_new(4096);
	job->task = arena_alloc(job->arena, sizeof(*job->task));
	job->letter = letter;
	task_init(job->task, job->arena, &fixture->queue, job_run, job);
}

static int
fixture_setup(void **state)
{
	struct fixture *fixture = test_calloc(1, sizeof(*fixture));

	fixture->loop = ev_loop_new(EVFLAG_AUTO);
	task_queue_init(&fixture->queue, fixture->loop);
	job_init(&fixture->a, fixture, 'a');
	job_init(&fixture->b, fixture, 'b');
	job_init(&fixture->c, fixture, 'c');
	job_init(&fixture->d, fixture, 'd');
	*state = fixture;
	return 0;
}

static int
fixture_teardown(void **state)
{
	struct fixture *fixture = *state;

	job_free(&fixture->a);
	job_free(&fixture->b);
	job_free(&fixture->c);
	job_free(&fixture->d);
	ev_loop_destroy(fixture->loop);
	test_free(fixture);
	return 0;
}

static void
test_nothing_runs_by_itself(void **state)
{
	struct fixture *fixture = *state;

	task_queue_run(&fixture->queue);
	task_wake(fixture->a.task);
	assert_string_equal(fixture->order, "");
}

static void
test_order_of_waking(void **state)
{
	struct fixture *fixture = *state;

	task_wake(fixture->c.task);
	task_wake(fixture->a.task);
	task_wake(fixture->b.task);
	task_queue_run(&fixture->queue);
	assert_string_equal(fixture->order, "cab");
	task_queue_run(&fixture->queue);
	assert_string_equal(fixture->order, "cab");
}

static void
test_twice_is_as_good_as_once(void **state)
{
	struct fixture *fixture = *state;

	task_wake(fixture->a.task);
	task_wake(fixture->b.task);
	task_wake(fixture->a.task);
	task_queue_run(&fixture->queue);
	assert_string_equal(fixture->order, "ab");
	task_wake(fixture->a.task);
	task_queue_run(&fixture->queue);
	assert_string_equal(fixture->order, "aba");
}

static void
test_cancel(void **state)
{
	struct fixture *fixture = *state;

	task_cancel(fixture->a.task);
	task_wake(fixture->a.task);
	task_wake(fixture->b.task);
	task_wake(fixture->c.task);
	task_cancel(fixture->b.task);
	task_cancel(fixture->b.task);
	task_queue_run(&fixture->queue);
	assert_string_equal(fixture->order, "ac");
	task_wake(fixture->b.task);
	task_queue_run(&fixture->queue);
	assert_string_equal(fixture->order, "acb");
}

/* Who wakes itself or another while the queue runs is served in the next round. */
static void
test_woken_in_a_round(void **state)
{
	struct fixture *fixture = *state;

	fixture->a.again = 2;
	fixture->b.wakes = &fixture->c;
	task_wake(fixture->a.task);
	task_wake(fixture->b.task);
	task_queue_run(&fixture->queue);
	assert_string_equal(fixture->order, "ab");
	task_queue_run(&fixture->queue);
	assert_string_equal(fixture->order, "abac");
	task_queue_run(&fixture->queue);
	assert_string_equal(fixture->order, "abaca");
	task_queue_run(&fixture->queue);
	assert_string_equal(fixture->order, "abaca");
}

/* The task that follows in the queue, and the one after, are cancelled by one that runs. */
static void
test_cancelled_in_a_round(void **state)
{
	struct fixture *fixture = *state;

	fixture->a.cancels = &fixture->b;
	fixture->c.cancels = &fixture->d;
	task_wake(fixture->a.task);
	task_wake(fixture->b.task);
	task_wake(fixture->c.task);
	task_wake(fixture->d.task);
	task_queue_run(&fixture->queue);
	assert_string_equal(fixture->order, "ac");
}

static void
test_a_task_frees_itself(void **state)
{
	struct fixture *fixture = *state;

	fixture->a.frees = &fixture->a;
	fixture->a.again = 1; /* and was woken before it did */
	task_wake(fixture->a.task);
	task_wake(fixture->b.task);
	task_queue_run(&fixture->queue);
	task_queue_run(&fixture->queue);
	assert_string_equal(fixture->order, "ab");
}

static void
test_a_task_frees_others(void **state)
{
	struct fixture *fixture = *state;

	fixture->b.frees = &fixture->c;
	fixture->d.frees = &fixture->a;
	task_wake(fixture->a.task);
	task_wake(fixture->b.task);
	task_wake(fixture->c.task);
	task_wake(fixture->d.task);
	task_queue_run(&fixture->queue);
	task_queue_run(&fixture->queue);
	assert_string_equal(fixture->order, "abd");
}

static void
test_freed_while_waiting(void **state)
{
	struct fixture *fixture = *state;

	task_wake(fixture->a.task);
	task_wake(fixture->b.task);
	job_free(&fixture->a);
	task_queue_run(&fixture->queue);
	assert_string_equal(fixture->order, "b");
}

/* The loop ends by itself: the queue alone does not keep it, tasks that wait do. */
static void
test_the_loop_runs_tasks_and_ends(void **state)
{
	struct fixture *fixture = *state;

	ev_run(fixture->loop, 0);
	fixture->a.again = 3;
	fixture->b.wakes = &fixture->c;
	task_wake(fixture->a.task);
	task_wake(fixture->b.task);
	ev_run(fixture->loop, 0);
	assert_string_equal(fixture->order, "abacaa");
}

static void
on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct fixture *fixture = timer->data;

	(void)loop, (void)events;
	fixture->order[strlen(fixture->order)] = '!';
	task_wake(fixture->a.task);
}

/* A task that wakes itself in every turn does not keep events from being seen. */
static void
test_a_busy_task_lets_the_loop_look(void **state)
{
	struct fixture *fixture = *state;
	ev_timer timer;

	ev_timer_init(&timer, on_timer, 0.001, 0.0);
	timer.data = fixture;
	ev_timer_start(fixture->loop, &timer);
	fixture->b.again = 1 << 30;
	task_wake(fixture->b.task);
	for (int turn = 0; turn < 10000000 && strchr(fixture->order, 'a') == NULL; turn++) {
		if (strlen(fixture->order) > 32 && strchr(fixture->order, '!') == NULL)
			memset(fixture->order, 0, sizeof(fixture->order));
		ev_run(fixture->loop, EVRUN_ONCE);
	}
	const char *mark = strchr(fixture->order, '!');

	assert_non_null(mark);
	assert_true(strcmp(mark, "!ba") == 0 || strcmp(mark, "!a") == 0);
}

/* Another library's watcher that runs before the loop sleeps may wake a task, too. */
static void
on_prepare(struct ev_loop *loop, ev_prepare *prepare, int events)
{
	struct fixture *fixture = prepare->data;

	(void)events;
	task_wake(fixture->a.task);
	ev_prepare_stop(loop, prepare);
}

static void
on_late(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)timer, (void)events;
	ev_break(loop, EVBREAK_ALL);
	fail_msg("the loop slept while a task waited");
}

static void
test_woken_before_sleep(void **state)
{
	struct fixture *fixture = *state;
	ev_prepare prepare;
	ev_timer late;

	ev_prepare_init(&prepare, on_prepare);
	prepare.data = fixture;
	ev_prepare_start(fixture->loop, &prepare);
	ev_timer_init(&late, on_late, 5.0, 0.0);
	ev_timer_start(fixture->loop, &late);
	fixture->a.again = 1;
	ev_run(fixture->loop, EVRUN_ONCE);
	ev_run(fixture->loop, EVRUN_NOWAIT);
	ev_timer_stop(fixture->loop, &late);
	assert_string_equal(fixture->order, "aa");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_runs_by_itself),
		TEST(test_order_of_waking),
		TEST(test_twice_is_as_good_as_once),
		TEST(test_cancel),
		TEST(test_woken_in_a_round),
		TEST(test_cancelled_in_a_round),
		TEST(test_a_task_frees_itself),
		TEST(test_a_task_frees_others),
		TEST(test_freed_while_waiting),
		TEST(test_the_loop_runs_tasks_and_ends),
		TEST(test_a_busy_task_lets_the_loop_look),
		TEST(test_woken_before_sleep),
	};

	return cmocka_run_group_tests_name("task", tests, NULL, NULL);
}
