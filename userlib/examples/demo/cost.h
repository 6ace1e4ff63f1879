/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef RAM_COST_H
#define RAM_COST_H

#include <stdint.h>

#define COST_ALIASES 20000

/* Bytes of kernel memory per alias, by two accounts that differ a little. */
struct cost {
	double charged; /* what the memory cgroup of the creator is charged */
	double slab; /* what the kernel's object caches grow by */
};

/* Measures aliases of @length bytes each of the dataspace @ds. */
void cost_measure(int ds, uint64_t length, struct cost *cost);

#endif /* RAM_COST_H */
