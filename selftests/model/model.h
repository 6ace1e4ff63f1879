/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model of the dataspaces of a few processes, and the processes themselves.
 *
 * A world is one model and the processes that it is about. It lies in memory
 * that they share. At any moment one thread of one of them runs: it chooses the
 * next operation at random, does it, updates the model, and checks what the
 * operation has changed. After some steps it wakes another thread. So what
 * happens in a world depends on its seed alone, though several processes do it.
 * Several worlds run at the same time in one kernel.
 *
 * Nothing in the model depends on addresses, descriptors, physical pages or
 * time, and no choice depends on what another world does.
 */
#ifndef DATASPACE_MODEL_H
#define DATASPACE_MODEL_H

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>

#include <sys/types.h>

#include <linux/types.h>

#include "control.h"
#include "uring.h"

#define WORLDS 4
#define WORLDS_MAX 16
#define OPERATIONS 26
#define MEMORIES 6
#define SPACES 256
#define PROCESSES 4
#define THREADS 2
#define HANDLES 40
#define MAPPINGS 40
#define SOCKETS 2
#define PINS 2
#define QUEUE 6
#define PAGES_MAX 1100
#define NONE (-1)

/* Whether a page is there: memory that is not lazy has no holes. */
#define HOLE 0
#define MAYBE 1
#define FILLED 2

/* What SEAL was called with. */
#define SEALED 1
#define SEALED_NOW 2

/*
 * The memory of one root, while anything covers a page of it, or may have to.
 * @cover: how many live dataspaces and mappings cover each page
 * @content: the first and the last word of each page
 * @late: pages that may go back later, as a page near them was pinned
 * @filled: whether each page is there; if not, its @pfn is 0
 * @old: nothing new is made of the memory, so that it comes to an end
 * @from, @to: the pages that were changed and are to be checked
 */
struct memory {
	bool there;
	bool old;
	bool lazy;
	int pages;
	int covered;
	int from, to;
	__u64 pfn[PAGES_MAX];
	__u64 content[PAGES_MAX];
	__u16 cover[PAGES_MAX];
	__u8 filled[PAGES_MAX];
	bool late[PAGES_MAX];
};

/*
 * A dataspace: pages [start, end) of a memory, which it may outlive if it was
 * revoked.
 * @refs: its descriptors, with those in sockets
 * @vmas: the VMAs of its mappings
 * @parent: the next ancestor that is live or mapped
 */
struct space {
	bool there;
	bool alias;
	bool lazy;
	bool contiguous;
	bool revoked;
	int seal;
	int memory;
	int start, end;
	__u32 rights;
	__u64 id;
	int refs;
	int vmas;
	int parent;
};

/* A descriptor of a process. */
struct handle {
	int space;
	int fd;
};

/*
 * What is left of a mapping, as @vmas VMAs: there[i] says whether page start +
 * i is.
 */
struct mapping {
	int space;
	int start, count;
	int vmas;
	bool writable;
	char *map;
	bool there[PAGES_MAX];
};

/* A pair of sockets, and the dataspaces that are in its queue. */
struct channel {
	bool open;
	int ends[2];
	int count;
	int spaces[QUEUE];
};

/* Pages that a process has pinned, with a ring or a pipe. */
struct pinned {
	bool there;
	bool by_ring;
	int memory;
	int start, count;
	struct uring ring;
	struct pin pipe;
};

struct world;

struct actor {
	struct world *world;
	int process;
	int thread;
	bool there;
	sem_t wake;
};

struct process {
	bool there;
	pid_t pid;
	int pagemap;
	struct actor actors[THREADS];
	struct handle handles[HANDLES];
	struct mapping mappings[MAPPINGS];
	struct channel channels[SOCKETS];
	struct pinned pins[PINS];
};

/*
 * @steps: how many operations are to be done
 * @end: when to do no more of them in any case, by seconds()
 * @done: how often each operation was done
 * @waited: pages that went back late without a reason that the model knows
 * @refused: contiguous runs that could not be allocated
 * @self: the process that runs
 * @leaving: the process that is about to exit, or NONE
 * @wrong: whether there was a difference
 * @owner: the owner of each physical page of the machine; shared by all worlds
 * @folio_pages: pages of the largest folio
 * @mail: a pair of sockets that all processes have
 */
struct world {
	int index;
	unsigned int seed;
	__u64 random;
	long steps;
	double end;
	long step;
	const char *operation;
	long done[OPERATIONS];
	long looks;
	long waited;
	long refused;
	long deepest;
	struct process *self;
	const struct actor *actor;
	int leaving;
	bool killed;
	bool ending;
	bool wrong;
	bool rings;
	int flags_fd;
	__u16 *owner;
	__u64 version;
	int folio_pages;
	struct channel mail;
	struct memory memories[MEMORIES];
	struct space spaces[SPACES];
	struct process processes[PROCESSES];
};

/* Does an operation; whether it could be done. */
typedef bool (*operation_fn)(struct world *world);

/* model_check.c: differences between the kernel and the model. */
void check_eq(struct world *world, const char *file, int line, const char *what,
	      long long expected, long long seen);
void check_info(struct world *world, const struct handle *handle);
void check_something(struct world *world);
void check_everything(struct world *world);

#define CHECK_EQ(world, expected, seen) \
	check_eq(world, __FILE__, __LINE__, #seen, expected, seen)

/* A number less than @below. */
int pick(struct world *world, int below);
/* A random range within [0, @count), of @most at most. */
void pick_range(struct world *world, int count, int most, int *start, int *end);

/* model_pages.c: sets of pages. */
void memory_init(struct world *world, int memory, int pages, const __u64 *pfn);
void memory_init_lazy(struct world *world, int memory, int pages);
/* A page was seen in a page table. */
void memory_see(struct world *world, int memory, int page, __u64 pfn);
/* Those that are not there any more have gone back. */
void memory_punch(struct world *world, int memory, int start, int end);
void memory_cover(struct world *world, int memory, int start, int end);
void memory_uncover(struct world *world, int memory, int start, int end);
void memory_unpin(struct world *world, const struct pinned *pinned);
bool is_pinned(const struct world *world, int memory, int page);
bool is_near_pinned(const struct world *world, int memory, int page);
/* Waits for late pages; after that the memory may be unused. */
void memory_settle(struct world *world, int memory);
/* Checks the pages that the operation has changed. */
void memories_look(struct world *world);
void memory_abandon(struct world *world, int memory);
void memory_look_at_all(struct world *world, int memory);

/*
 * model_lazy.c: the holder of [@from, @to), which has it mapped at @map, has touched
 * a page. If that was a hole, a large folio may have appeared there.
 */
void lazy_touch(struct world *world, int memory, int page, int from, int to,
		const char *map);
void lazy_touch_by_write(struct world *world, const struct handle *handle,
			 int start, int end);
bool lazy_can_tell(const struct world *world, const struct handle *handle,
		   int start, int end);
/* Pages that are there. */
int lazy_resident(const struct world *world, const struct space *space);
void check_holes(struct world *world, const struct handle *handle);
bool op_punch(struct world *world);
bool op_fill(struct world *world);

/* model_tree.c: derivation, rights, and what covers which page. */
int space_new(struct world *world, int parent);
void space_get(struct world *world, int space);
void space_put(struct world *world, int space);
__u32 space_rights(const struct space *space);
int space_depth(const struct world *world, int space);
int space_aliases(const struct world *world, int space);
int space_exclusive(const struct world *world, int space);
bool space_is_last(const struct world *world, int space);
int space_derived_vmas(const struct world *world, int space);
/* What is derived, and the dataspace itself if @itself. */
void space_revoke(struct world *world, int space, bool itself);
void space_seal(struct world *world, int space, int seal);
void mapping_begin(struct world *world, struct mapping *mapping, int space);
void mapping_copy(struct world *world, const struct mapping *mapping);
void mapping_cut(struct world *world, struct mapping *mapping, int start,
		 int end);
void mapping_end(struct world *world, struct mapping *mapping);

/* model_find.c: something at random that the running process has, or NULL. */
struct handle *some_handle(struct world *world);
struct handle *lasting_handle(struct world *world);
struct handle *free_handle(struct world *world);
struct mapping *some_mapping(struct world *world);
struct mapping *free_mapping(struct world *world);
/* A random run of pages that are there, at most @most; or all of a VMA. */
void some_run(struct world *world, const struct mapping *mapping, int most,
	      int *start, int *end);
void some_piece(struct world *world, const struct mapping *mapping, int *start,
		int *end);
int free_space(const struct world *world);
struct space *space_of(struct world *world, const struct handle *handle);

/* Operations: model_handles.c */
bool op_alloc(struct world *world);
bool op_alias(struct world *world);
bool op_dup(struct world *world);
bool op_close(struct world *world);
bool op_write(struct world *world);
bool op_read(struct world *world);
bool op_revoke(struct world *world);
bool op_revoke_self(struct world *world);
bool op_seal(struct world *world);
bool op_seal_now(struct world *world);

/* model_mappings.c */
/* Its holder touches a page of the VMA that it is in. */
void touch_page(struct world *world, const struct mapping *mapping, int page);
bool op_map(struct world *world);
bool op_unmap(struct world *world);
bool op_move(struct world *world);
bool op_protect(struct world *world);
bool op_advise(struct world *world);
bool op_store(struct world *world);
void check_load(struct world *world, const struct mapping *mapping);
/* A page of a memory is mapped at @at. */
void check_frame(struct world *world, int memory, int page, const char *at);

/* model_scm.c */
int channel_open(struct channel *channel);
/* Closes the descriptors; if they were the last, the queue is gone. */
void channel_close(const struct channel *channel);
void channel_lose(struct world *world, struct channel *channel);
bool op_send(struct world *world);
bool op_receive(struct world *world);
bool op_drop(struct world *world);

/* model_pins.c */
bool rings_work(void);
/* Unpins the pages; the descriptors are still open. */
void pinned_release(struct pinned *pinned);
void pinned_close(struct pinned *pinned);
void pinned_lose(struct world *world, struct pinned *pinned);
bool op_pin(struct world *world);
bool op_unpin(struct world *world);

/* model_sched.c */
struct actor *first_actor(struct world *world);
void actor_init(struct world *world, int process, int thread);
void sched_wake(struct actor *actor);
void sched_wait(struct actor *actor);
bool is_over(const struct world *world);
/* Runs a few steps, and then wakes another thread. */
void sched_run(struct world *world);
/* What all threads run but the first one of the first process. */
void *sched_loop(void *actor);

/* model_processes.c */
int open_pagemap(void);
void process_lose(struct world *world, struct process *process);
bool op_fork(struct world *world);
bool op_thread(struct world *world);
bool op_exit(struct world *world);

/* model_world.c */
/* Runs the world in this process; whether there was no difference. */
bool world_run(struct world *world);

/* model_steps.c */
void world_step(struct world *world);
const char *operation_name(int operation);

#endif
