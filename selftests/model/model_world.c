// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a world from its beginning to its end, in its first process.
 *
 * A process that is to exit wakes the first one, which waits for the exit and
 * then checks what that should have changed. When all steps are done the other
 * processes exit in this way, then the first one closes and unmaps all that it
 * has, and nothing may be left.
 */
#include "model.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "common.h"
#include "sigbus.h"

/* Seconds that a step may take on a busy machine. */
#define STEP_SECONDS 60

static void reap(struct world *world)
{
	struct process *process = &world->processes[world->leaving];
	int status = 0;

	if (world->killed)
		kill(process->pid, SIGKILL);
	CHECK_EQ(world, process->pid, waitpid(process->pid, &status, 0));
	CHECK_EQ(world, world->killed ? SIGKILL : 0, status);
	world->leaving = NONE;
	process_lose(world, process);
	memories_look(world);
	check_something(world);
}

/* Whether a process has exited that should not have. */
static bool any_died(struct world *world)
{
	siginfo_t info = {};

	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) ||
	    !info.si_pid || world->leaving != NONE)
		return false;
	CHECK_EQ(world, 0, info.si_status);
	world->wrong = true;
	return true;
}

static bool wait_a_second(struct actor *actor)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec++;
	return !sem_timedwait(&actor->wake, &until);
}

/* The first thread waits until it is woken, and watches the other processes. */
static void watch(struct actor *first)
{
	struct world *world = first->world;
	int seconds_left = STEP_SECONDS;
	long step = world->step;

	while (!wait_a_second(first) && !any_died(world)) {
		if (world->step != step)
			seconds_left = STEP_SECONDS;
		step = world->step;
		CHECK_EQ(world, true, seconds_left-- > 0);
		if (world->wrong)
			break;
	}
	world->self = world->processes;
	world->actor = first;
}

static void give_up(struct world *world)
{
	int i;

	for (i = 1; i < PROCESSES; i++) {
		struct process *process = &world->processes[i];

		if (process->there)
			kill(process->pid, SIGKILL);
	}
	while (wait(NULL) > 0)
		;
	for (i = 0; i < MEMORIES; i++)
		memory_abandon(world, i);
}

static void end_others(struct world *world)
{
	int i;

	world->operation = "exit";
	for (i = 1; i < PROCESSES && !world->wrong; i++) {
		struct actor *actor = &world->processes[i].actors[0];

		if (!actor->there)
			continue;
		world->leaving = i;
		world->killed = false;
		sched_wake(actor);
		watch(first_actor(world));
		reap(world);
	}
}

static bool has_channels(const struct world *world)
{
	int i;

	for (i = 0; i < SOCKETS; i++) {
		if (world->self->channels[i].open)
			return true;
	}
	return false;
}

static bool has_pins(const struct world *world)
{
	int i;

	for (i = 0; i < PINS; i++) {
		if (world->self->pins[i].there)
			return true;
	}
	return false;
}

/* The first process closes and unmaps all that it has, one by one. */
static void end_first(struct world *world)
{
	world->operation = "end";
	while (!world->wrong && some_handle(world)) {
		op_close(world);
		memories_look(world);
	}
	while (!world->wrong && some_mapping(world)) {
		op_unmap(world);
		memories_look(world);
	}
}

/* What is queued in sockets goes with them. */
static void end_sockets_and_pins(struct world *world)
{
	while (has_channels(world))
		op_drop(world);
	while (has_pins(world))
		op_unpin(world);
	channel_close(&world->mail);
	channel_lose(world, &world->mail);
	memories_look(world);
}

static void end_memories(struct world *world)
{
	int i;

	for (i = 0; i < MEMORIES; i++) {
		if (world->memories[i].there)
			memory_settle(world, i);
		CHECK_EQ(world, false, world->memories[i].there);
	}
	for (i = 0; i < SPACES; i++)
		CHECK_EQ(world, false, world->spaces[i].there);
}

static void world_end(struct world *world)
{
	end_others(world);
	if (world->wrong)
		return;
	end_first(world);
	end_sockets_and_pins(world);
	end_memories(world);
}

static bool world_begin(struct world *world)
{
	struct process *first = world->processes;
	int i, j;

	for (i = 0; i < PROCESSES; i++) {
		for (j = 0; j < HANDLES; j++)
			world->processes[i].handles[j].space = NONE;
		for (j = 0; j < MAPPINGS; j++)
			world->processes[i].mappings[j].space = NONE;
	}
	world->random = world->seed;
	world->version = 1;
	world->leaving = NONE;
	world->folio_pages = huge_size() / page_size();
	world->rings = rings_work();
	world->self = first;
	world->actor = first_actor(world);
	actor_init(world, 0, 0);
	first->there = true;
	first->pid = getpid();
	first->pagemap = open_pagemap();
	sigbus_init();
	return !channel_open(&world->mail);
}

bool world_run(struct world *world)
{
	if (!world_begin(world))
		return false;
	while (!is_over(world)) {
		sched_run(world);
		watch(first_actor(world));
		if (!world->wrong && world->leaving != NONE)
			reap(world);
	}
	if (!world->wrong)
		world_end(world);
	if (world->wrong)
		give_up(world);
	return !world->wrong;
}
