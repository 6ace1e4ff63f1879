// SPDX-License-Identifier: GPL-2.0-only
/* The signal handler jumps back to the access of its thread. */
#include "sigbus.h"

#include <setjmp.h>
#include <signal.h>

#include "common.h"

static __thread sigjmp_buf touch_return;
static __thread volatile bool touching;
static __thread void *volatile touched;

static void on_signal(int signal, siginfo_t *info, void *context)
{
	const struct sigaction as_usual = { .sa_handler = SIG_DFL };

	if (!touching) {
		sigaction(signal, &as_usual, NULL);
		return;
	}
	touching = false;
	touched = info->si_addr;
	siglongjmp(touch_return, signal);
}

void sigbus_init(void)
{
	const struct sigaction action = {
		.sa_sigaction = on_signal,
		.sa_flags = SA_SIGINFO | SA_NODEFER,
	};

	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
}

int try_load(const void *at, __u64 *value)
{
	int signal = sigsetjmp(touch_return, 0);

	if (signal)
		return signal;
	touching = true;
	*value = *(const volatile __u64 *)at;
	touching = false;
	return 0;
}

int try_store(void *at, __u64 value)
{
	int signal = sigsetjmp(touch_return, 0);

	if (signal)
		return signal;
	touching = true;
	*(volatile __u64 *)at = value;
	touching = false;
	return 0;
}

void *sigbus_address(void)
{
	return touched;
}

bool load_is_sigbus(const void *at)
{
	__u64 value;

	return try_load(at, &value) == SIGBUS && touched == at;
}

bool store_is_sigbus(void *at)
{
	return try_store(at, 0) == SIGBUS && touched == at;
}

static char *last_word(const void *map, size_t page)
{
	return (char *)map + (page + 1) * page_size() - sizeof(__u64);
}

size_t pages_sigbus_on_load(const void *map, size_t pages)
{
	size_t count = 0;
	size_t i;

	for (i = 0; i < pages; i++)
		count += load_is_sigbus((char *)map + i * page_size()) &&
			 load_is_sigbus(last_word(map, i));
	return count;
}

size_t pages_sigbus_on_store(void *map, size_t pages)
{
	size_t count = 0;
	size_t i;

	for (i = 0; i < pages; i++)
		count += store_is_sigbus((char *)map + i * page_size()) &&
			 store_is_sigbus(last_word(map, i));
	return count;
}
