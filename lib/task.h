/*
 * task: work that is woken.
 *
 * Events do one thing: they wake a task. task_wake() only puts the task into its worker's
 * run queue (twice is as good as once); the queue is run once per turn of the loop, when
 * no library's code stands on the stack. So a task's function may do what no callback
 * may: free the session, and with it the timers, sockets and queries whose callbacks woke
 * it.
 *
 * A task woken while the queue runs (also by itself) has its turn in the next round,
 * after the loop has looked at the sockets; nobody can starve the others.
 *
 * A task lives in its owner's arena. task_init() defers task_cancel() there, so that a
 * task cannot outlive its owner in the queue.
 */
#pragma once

#include <ev.h>

#include "lib/arena.h"

typedef void (*task_function)(void *arg);

struct task {
	struct task *next, *previous; /* in the run queue; NULL: not woken */
	struct task_queue *queue;
	task_function run;
	void *arg;
};

struct task_queue {
	struct task head; /* a ring; head.next has waited longest */
	struct task mark; /* in the ring while a round runs: its end */
	struct ev_loop *loop;
	ev_prepare turn; /* runs the queue before the loop may sleep */
	ev_idle awake;   /* active while tasks wait: no sleep then */
};

/* A worker has one queue; it does not by itself keep ev_run() running. */
void task_queue_init(struct task_queue *queue, struct ev_loop *loop);
void task_queue_run(struct task_queue *queue); /* one round; tests call it */

void task_init(
    struct task *task, struct arena *arena, struct task_queue *queue, task_function run, void *arg);
void task_wake(struct task *task);
void task_cancel(struct task *task);
