// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include "budget.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include <dataspace.h>

#include "cgroup.h"
#include "expect.h"
#include "util.h"

#define GROUP "ram-service"
#define NAME_SIZE 64

/* The kernel brings its statistics up to date every two seconds. */
#define FLUSH_SECONDS 5

static const struct group all = { 0, 1 };
static const struct group even = { 0, 2 };
static const struct group odd = { 1, 2 };

static const char *group_of(pid_t client, char *name)
{
	snprintf(name, NAME_SIZE, GROUP "/%d", (int)client);
	return name;
}

void budgets_open(void)
{
	cgroup_share_memory("");
	cgroup_make(GROUP);
	cgroup_share_memory(GROUP);
}

void budgets_close(void)
{
	cgroup_remove(GROUP);
}

void budget_enter(void)
{
	char name[NAME_SIZE];
	char limit[32];

	cgroup_make(group_of(getpid(), name));
	snprintf(limit, sizeof(limit), "%" PRIu64, BUDGET_BYTES);
	cgroup_set(name, "memory.max", limit);
	cgroup_join(name);
}

void budget_remove(pid_t client)
{
	char name[NAME_SIZE];

	cgroup_remove(group_of(client, name));
}

/* Gives a client the memory that it asks for, if it can pay for it. */
static void serve(struct session *session)
{
	struct dataspace_alloc args = {
		.flags = DATASPACE_ALLOC_CHARGE_OPENER |
			 DATASPACE_ALLOC_SCATTERED,
		.length = request_receive(session->socket),
		.rights = DATASPACE_RW,
	};
	int ds = dataspace_alloc_from(session->budget, &args, sizeof(args));

	answer_send(session->socket, ds);
	if (ds < 0)
		return;
	session->paid_for += args.length;
	close(ds);
}

/* How many of a group have got memory, or -errno as it is expected. */
static int ask(struct service *service, struct group group,
	       enum command command, int expected)
{
	struct report report;
	int count = 0;
	unsigned int i;

	for (i = group.first; i < CLIENTS; i += group.step) {
		command_send(service->sessions[i].socket, command);
		serve(&service->sessions[i]);
		report_receive(service->sessions[i].socket, &report);
		count += !report.wrong_words && report.outcomes[0] == expected;
	}
	return count;
}

/* How many clients' cgroups are charged just for what the client has got. */
static int count_exact(const struct service *service)
{
	const struct session *session;
	char name[NAME_SIZE];
	int count = 0;
	int i;

	for (i = 0; i < CLIENTS; i++) {
		session = &service->sessions[i];
		group_of(session->pid, name);
		count += cgroup_number(name, "memory.stat", "file") ==
			 session->paid_for;
	}
	return count;
}

static int wait_for_exact(const struct service *service)
{
	int seconds = 0;
	int count;

	while ((count = count_exact(service)) < CLIENTS &&
	       seconds++ < FLUSH_SECONDS)
		sleep(1);
	return count;
}

static void print_round(const struct service *service, const char *what,
			int outcome, int count, int asked)
{
	uint64_t kills = cgroup_number(GROUP, "memory.events", "oom_kill");
	int exact = wait_for_exact(service);
	uint64_t paid = 0;
	int i;

	for (i = 0; i < CLIENTS; i++)
		paid += service->sessions[i].paid_for;
	printf("  %-42s %-9s %2d/%d %8" PRIu64 " MiB %10d/%d %9" PRIu64 "\n",
	       what, outcome_name(outcome), count, asked, paid >> 20, exact,
	       CLIENTS, kills);
	expect_equal(count, asked, what);
	expect_equal(exact, CLIENTS, "clients that are charged exactly");
	expect_equal(kills, 0, "processes killed");
}

static void give_back(struct service *service, struct report *reports)
{
	int i;

	expect_equal(service_command(service, all, COMMAND_RETURN, reports), 0,
		     "wrong words in what was paid for");
	for (i = 0; i < CLIENTS; i++)
		service->sessions[i].paid_for = 0;
}

void print_budgets(struct service *service)
{
	struct report reports[CLIENTS];
	int count;

	printf("\n%-33s %llu MiB      %-15s%13s %13s %9s\n",
	       "WHO PAYS: EACH CLIENT, LIMITED TO",
	       (unsigned long long)BUDGET_BYTES >> 20, "OUTCOME", "CHARGED",
	       "TO THE BYTE", "OOM KILLS");
	count = ask(service, all, COMMAND_ASK, OUTCOME_SUCCESS);
	print_round(service, "each asks for 1 MiB", OUTCOME_SUCCESS, count,
		    CLIENTS);
	count = ask(service, even, COMMAND_ASK_TOO_MUCH, -ENOMEM);
	print_round(service, "32 ask for 8 MiB more", -ENOMEM, count,
		    CLIENTS / 2);
	count = ask(service, odd, COMMAND_ASK, OUTCOME_SUCCESS);
	print_round(service, "the others ask for 1 MiB more", OUTCOME_SUCCESS,
		    count, CLIENTS / 2);
	give_back(service, reports);
	print_round(service, "all give it back", OUTCOME_SUCCESS, CLIENTS,
		    CLIENTS);
}
