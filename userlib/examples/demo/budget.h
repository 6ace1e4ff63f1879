/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Who pays. Each client is in a memory cgroup of its own, which has a limit. The
 * descriptor of the device that it opens there and sends is its budget: what the
 * service allocates on it is charged to the client's cgroup, and what is beyond
 * the limit is ENOMEM, which no other client notices.
 */
#ifndef RAM_BUDGET_H
#define RAM_BUDGET_H

#include <sys/types.h>

#include "service.h"

/* The limit of each client. */
#define BUDGET_BYTES (UINT64_C(8) << 20)

/* Makes and removes the cgroup around those of the clients. */
void budgets_open(void);
void budgets_close(void);

/* Moves the calling process, a client, into a cgroup of its own. */
void budget_enter(void);

/* Removes it again, after the client has ended. */
void budget_remove(pid_t client);

/* Has the clients ask for memory and prints what came of it. */
void print_budgets(struct service *service);

#endif /* RAM_BUDGET_H */
