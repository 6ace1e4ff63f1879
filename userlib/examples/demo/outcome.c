// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <stddef.h>

#include "attempts.h"

#define NAME(error)              \
	{                        \
		-(error), #error \
	}

static const struct {
	int outcome;
	const char *name;
} names[] = {
	NAME(EACCES),
	NAME(EBADF),
	NAME(EBADFD),
	NAME(EEXIST),
	NAME(EFAULT),
	NAME(EINVAL),
	NAME(EIO),
	NAME(ENODEV),
	NAME(ENOMEM),
	NAME(ENOSPC),
	NAME(ENOTTY),
	NAME(ENXIO),
	NAME(EOPNOTSUPP),
	NAME(EPERM),
	NAME(ESPIPE),
	NAME(ESTALE),
	{ OUTCOME_SIGBUS, "SIGBUS" },
	{ OUTCOME_SIGSEGV, "SIGSEGV" },
	{ OUTCOME_SUCCESS, "SUCCEEDED" },
	{ 0, "0 bytes" },
};

const char *outcome_name(int outcome)
{
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].outcome == outcome)
			return names[i].name;
	return outcome < 0 ? "errno?" : "moved";
}
