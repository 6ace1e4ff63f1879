// SPDX-License-Identifier: GPL-2.0-only
/*
 * Schedules the threads of a world: one runs a few steps at a time, all others
 * wait.
 *
 * A thread that finds a difference, that all steps are done, or that a process
 * is about to exit, wakes the first thread of the first process.
 */
#include "model.h"

#include <unistd.h>

#include "common.h"

/* The most steps that a thread runs before another one is woken. */
#define SLICE 16

void sched_wake(struct actor *actor)
{
	sem_post(&actor->wake);
}

void sched_wait(struct actor *actor)
{
	struct world *world = actor->world;

	while (sem_wait(&actor->wake))
		;
	world->self = &world->processes[actor->process];
	world->actor = actor;
}

struct actor *first_actor(struct world *world)
{
	return &world->processes[0].actors[0];
}

static struct actor *some_actor(struct world *world)
{
	struct actor *actor;

	do {
		struct process *process =
			&world->processes[pick(world, PROCESSES)];

		actor = &process->actors[pick(world, THREADS)];
	} while (!actor->there);
	return actor;
}

bool is_over(const struct world *world)
{
	return world->wrong || world->step >= world->steps ||
	       seconds() > world->end;
}

static void sched_next(struct world *world)
{
	if (is_over(world) || world->leaving != NONE)
		sched_wake(first_actor(world));
	else
		sched_wake(some_actor(world));
}

/*
 * Does what the kernel does when a process exits, but that takes longer for
 * rings.
 */
static void leave(struct world *world, struct process *process)
{
	int i;

	for (i = 0; i < PINS; i++) {
		if (process->pins[i].there)
			pinned_release(&process->pins[i]);
	}
	sched_wake(first_actor(world));
	if (!world->killed)
		_exit(0);
	for (;;)
		pause();
}

void sched_run(struct world *world)
{
	struct process *process = world->self;
	int steps = 1 + pick(world, SLICE);

	while (steps-- && !is_over(world) && world->leaving == NONE)
		world_step(world);
	if (world->leaving == process - world->processes)
		leave(world, process);
	sched_next(world);
}

/* All threads but the first one of the first process run this. */
void *sched_loop(void *arg)
{
	struct actor *actor = arg;
	struct world *world = actor->world;

	for (;;) {
		sched_wait(actor);
		if (world->leaving != NONE)
			leave(world, world->self);
		sched_run(world);
	}
	return NULL;
}

void actor_init(struct world *world, int process, int thread)
{
	struct actor *actor = &world->processes[process].actors[thread];

	actor->world = world;
	actor->process = process;
	actor->thread = thread;
	actor->there = true;
	sem_init(&actor->wake, 1, 0);
}
