#include "lib/task.h"

#include <assert.h>

static void
task_queue_on_turn(struct ev_loop *loop, ev_prepare *turn, int events)
{
	struct task_queue *queue = turn->data;

	(void)loop, (void)events;
	task_queue_run(queue);
	if (queue->head.next != &queue->head)
		ev_idle_start(queue->loop, &queue->awake);
	else
		ev_idle_stop(queue->loop, &queue->awake);
}

static void
task_queue_on_awake(struct ev_loop *loop, ev_idle *awake, int events)
{
	(void)loop, (void)awake, (void)events;
}

void
task_queue_init(struct task_queue *queue, struct ev_loop *loop)
{
	*queue = (struct task_queue) { .loop = loop };
	queue->head.next = queue->head.previous = &queue->head;
	queue->mark.queue = queue;
	ev_idle_init(&queue->awake, task_queue_on_awake);
	ev_prepare_init(&queue->turn, task_queue_on_turn);
	queue->turn.data = queue;
	ev_set_priority(&queue->turn, EV_MINPRI); /* after all others that may wake a task */
	ev_prepare_start(loop, &queue->turn);
	ev_unref(loop);
}

/* Exactly the tasks that wait now: a mark is put behind the last one. */
void
task_queue_run(struct task_queue *queue)
{
	struct task *task;

	assert(queue->mark.next == NULL); /* not from inside a task */
	task_wake(&queue->mark);
	while ((task = queue->head.next) != &queue->mark) {
		task_cancel(task);
		task->run(task->arg); /* may free the task */
	}
	task_cancel(&queue->mark);
}

static void
task_undo(void *arg)
{
	task_cancel(arg);
}

void
task_init(
    struct task *task, struct arena *arena, struct task_queue *queue, task_function run, void *arg)
{
	*task = (struct task) { .queue = queue, .run = run, .arg = arg };
	arena_defer(arena, task_undo, task);
}

void
task_wake(struct task *task)
{
	struct task *head = &task->queue->head;

	if (task->next != NULL)
		return;
	task->next = head;
	task->previous = head->previous;
	head->previous->next = task;
	head->previous = task;
}

void
task_cancel(struct task *task)
{
	if (task->next == NULL)
		return;
	task->next->previous = task->previous;
	task->previous->next = task->next;
	task->next = task->previous = NULL;
}
