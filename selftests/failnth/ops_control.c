// SPDX-License-Identifier: GPL-2.0-only
/* Revoking, sealing and waiting: rules 17 to 19. */
#include "operation.h"

#include <sys/epoll.h>

#include "common.h"
#include "control.h"
#include "sigbus.h"

static long run_revoke(struct fixture *fixture)
{
	return ds_revoke(fixture->root);
}

static bool alias_is_revoked(struct fixture *fixture)
{
	return ds_state(fixture->alias) & DATASPACE_STATE_REVOKED &&
	       load_is_sigbus(fixture->map) && ds_ready(fixture->root);
}

static bool map_in_parts(struct fixture *fixture)
{
	return have_map(fixture) && alias_is_mapped(fixture) &&
	       !munmap((char *)fixture->map + page_size(), page_size()) &&
	       !munmap((char *)fixture->map + 7 * page_size(), page_size());
}

static bool parts_are_revoked(struct fixture *fixture)
{
	return alias_is_revoked(fixture) &&
	       load_is_sigbus((char *)fixture->map + 2 * page_size()) &&
	       load_is_sigbus((char *)fixture->map + 8 * page_size());
}

static long run_seal(struct fixture *fixture)
{
	return ds_seal(fixture->alias, 0);
}

static bool alias_is_sealed(struct fixture *fixture)
{
	return ds_state(fixture->alias) & DATASPACE_STATE_SEALED;
}

static long run_seal_now(struct fixture *fixture)
{
	return ds_seal(fixture->alias, DATASPACE_SEAL_NOW);
}

static bool alias_is_sealed_now(struct fixture *fixture)
{
	return alias_is_sealed(fixture) && store_is_sigbus(fixture->map) &&
	       alias_is_mapped(fixture);
}

static long run_poll(struct fixture *fixture)
{
	return ds_poll(fixture->alias, 0);
}

static bool alias_is_ready(struct fixture *fixture)
{
	return ds_ready(fixture->alias) && !ds_ready(fixture->root);
}

static bool have_epoll(struct fixture *fixture)
{
	fixture->fd = epoll_create1(EPOLL_CLOEXEC);
	return fixture->fd >= 0;
}

static long run_epoll_add(struct fixture *fixture)
{
	struct epoll_event event = { .events = EPOLLIN };

	if (epoll_ctl(fixture->fd, EPOLL_CTL_ADD, fixture->alias, &event))
		return -errno;
	return 0;
}

static bool epoll_is_told(struct fixture *fixture)
{
	struct epoll_event event;

	return epoll_wait(fixture->fd, &event, 1, 0) == 1;
}

const struct operation op_revoke = {
	.prepare = have_used_map,
	.run = run_revoke,
	.works = alias_is_revoked,
};

const struct operation op_revoke_of_parts = {
	.prepare = map_in_parts,
	.run = run_revoke,
	.works = parts_are_revoked,
};

const struct operation op_seal = {
	.run = run_seal,
	.works = alias_is_sealed,
};

const struct operation op_seal_now = {
	.prepare = have_used_map,
	.run = run_seal_now,
	.works = alias_is_sealed_now,
};

const struct operation op_poll = {
	.run = run_poll,
	.works = alias_is_ready,
};

const struct operation op_epoll_add = {
	.prepare = have_epoll,
	.run = run_epoll_add,
	.works = epoll_is_told,
	.least = 1,
};
