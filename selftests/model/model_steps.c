// SPDX-License-Identifier: GPL-2.0-only
/* The operations, and how often each is chosen. */
#include "model.h"

#include "common.h"

/* After so many steps all is checked, not just what a step has changed. */
#define EVERYTHING 5000
/* So many operations are tried before another thread runs. */
#define TRIES 100

struct operation {
	const char *name;
	operation_fn run;
	int weight;
};

static const struct operation table[OPERATIONS] = {
	{ "alloc", op_alloc, 30 },
	{ "alias", op_alias, 260 },
	{ "dup", op_dup, 15 },
	{ "close", op_close, 120 },
	{ "write", op_write, 80 },
	{ "read", op_read, 60 },
	{ "map", op_map, 110 },
	{ "unmap", op_unmap, 110 },
	{ "move", op_move, 10 },
	{ "protect", op_protect, 20 },
	{ "store", op_store, 80 },
	{ "send", op_send, 50 },
	{ "receive", op_receive, 40 },
	{ "close a socket", op_drop, 6 },
	{ "revoke", op_revoke, 12 },
	{ "seal", op_seal, 4 },
	{ "seal now", op_seal_now, 2 },
	{ "pin", op_pin, 10 },
	{ "unpin", op_unpin, 8 },
	{ "fork", op_fork, 3 },
	{ "thread", op_thread, 3 },
	{ "exit", op_exit, 2 },
	{ "revoke itself", op_revoke_self, 3 },
	{ "punch", op_punch, 12 },
	{ "fill", op_fill, 4 },
	{ "advise", op_advise, 20 },
};

const char *operation_name(int operation)
{
	return table[operation].name;
}

static int pick_operation(struct world *world)
{
	int sum = 0;
	int chosen;
	int i;

	for (i = 0; i < OPERATIONS; i++)
		sum += table[i].weight;
	chosen = pick(world, sum);
	for (i = 0; chosen >= table[i].weight; i++)
		chosen -= table[i].weight;
	return i;
}

/* A process that has nothing may find no operation that it could do. */
static bool do_operation(struct world *world)
{
	int left = TRIES;
	int i;

	do {
		if (!left--)
			return false;
		i = pick_operation(world);
		world->operation = table[i].name;
	} while (!table[i].run(world));
	world->done[i]++;
	world->step++;
	return true;
}

/* A process that is about to exit is checked when it has. */
void world_step(struct world *world)
{
	if (!do_operation(world) || world->leaving != NONE)
		return;
	memories_look(world);
	if (world->step % EVERYTHING)
		check_something(world);
	else
		check_everything(world);
}
