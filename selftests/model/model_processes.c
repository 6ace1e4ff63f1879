// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes of a world fork and exit.
 *
 * The first one exists from the beginning to the end; any of them forks others,
 * which are all children of the first. A child inherits the dataspaces and
 * mappings of the process that has forked, and closes its sockets, pipes and
 * rings before anything else happens.
 */
#include "model.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "common.h"

static int start_thread(struct actor *actor)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int err;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 256 << 10);
	err = pthread_create(&thread, &attributes, sched_loop, actor);
	pthread_attr_destroy(&attributes);
	return err;
}

bool op_thread(struct world *world)
{
	struct actor *actor = &world->self->actors[1];

	if (actor->there)
		return false;
	actor_init(world, world->self - world->processes, 1);
	CHECK_EQ(world, 0, start_thread(actor));
	return true;
}

int open_pagemap(void)
{
	return result(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
}

static void close_inherited(const struct process *parent)
{
	int i;

	close(parent->pagemap);
	for (i = 0; i < SOCKETS; i++) {
		if (parent->channels[i].open)
			channel_close(&parent->channels[i]);
	}
	for (i = 0; i < PINS; i++) {
		struct pinned pinned = parent->pins[i];

		if (pinned.there)
			pinned_close(&pinned);
	}
}

static void inherit(struct world *world, struct process *child,
		    const struct process *parent)
{
	int i;

	memcpy(child->handles, parent->handles, sizeof(child->handles));
	memcpy(child->mappings, parent->mappings, sizeof(child->mappings));
	memset(child->actors, 0, sizeof(child->actors));
	memset(child->channels, 0, sizeof(child->channels));
	memset(child->pins, 0, sizeof(child->pins));
	child->there = true;
	for (i = 0; i < HANDLES; i++) {
		if (child->handles[i].space != NONE)
			space_get(world, child->handles[i].space);
	}
	for (i = 0; i < MAPPINGS; i++) {
		if (child->mappings[i].space != NONE)
			mapping_copy(world, &child->mappings[i]);
	}
}

static void begin_child(struct world *world, const struct process *parent,
			struct process *child, struct actor *waiting)
{
	close_inherited(parent);
	child->pagemap = open_pagemap();
	sched_wake(waiting);
	sched_loop(&child->actors[0]);
}

/* Whichever process forks, the child is one of the first process. */
static pid_t fork_for_first(struct world *world)
{
	int flags = SIGCHLD;

	if (world->self != world->processes)
		flags |= CLONE_PARENT;
	return syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
}

static struct process *free_process(struct world *world)
{
	int i;

	for (i = 0; i < PROCESSES; i++) {
		if (!world->processes[i].there)
			return &world->processes[i];
	}
	return NULL;
}

bool op_fork(struct world *world)
{
	struct actor *actor = (struct actor *)world->actor;
	struct process *parent = world->self;
	struct process *child = free_process(world);
	pid_t pid;

	if (!child)
		return false;
	inherit(world, child, parent);
	actor_init(world, child - world->processes, 0);
	pid = fork_for_first(world);
	if (!pid)
		begin_child(world, parent, child, actor);
	CHECK_EQ(world, true, pid > 0);
	child->pid = pid;
	if (pid > 0)
		sched_wait(actor);
	CHECK_EQ(world, true, child->pagemap >= 0);
	return true;
}

bool op_exit(struct world *world)
{
	if (world->self == world->processes)
		return false;
	world->leaving = world->self - world->processes;
	world->killed = pick(world, 2);
	return true;
}

void process_lose(struct world *world, struct process *process)
{
	int i;

	for (i = 0; i < PINS; i++) {
		if (process->pins[i].there)
			pinned_lose(world, &process->pins[i]);
	}
	for (i = 0; i < SOCKETS; i++) {
		if (process->channels[i].open)
			channel_lose(world, &process->channels[i]);
	}
	for (i = 0; i < MAPPINGS; i++) {
		if (process->mappings[i].space != NONE)
			mapping_end(world, &process->mappings[i]);
	}
	for (i = 0; i < HANDLES; i++) {
		if (process->handles[i].space != NONE)
			space_put(world, process->handles[i].space);
	}
	process->there = false;
	memset(process->actors, 0, sizeof(process->actors));
}
