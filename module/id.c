// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers of dataspaces.
 *
 * Each has a serial number, in the order in which they are made, which stays within
 * the module. What others are told is the id: the same, permuted by a Feistel
 * network. It is worked out whenever somebody asks, which is seldom.
 */
#include <linux/atomic.h>
#include <linux/random.h>
#include <linux/siphash.h>

#include "private.h"

#define ID_HALF 24 /* bits */
#define ID_ROUNDS 4

static siphash_key_t dataspace_id_key;
static atomic64_t dataspace_count;

/**
 * dataspace_id - tell which dataspace it is
 * @ds: the dataspace
 *
 * Return: a number that no other dataspace has had, and from which nobody can tell
 * how many dataspaces others have made.
 */
u64 dataspace_id(const struct dataspace *ds)
{
	const u32 mask = BIT(ID_HALF) - 1;
	u32 left = (ds->serial >> ID_HALF) & mask;
	u32 right = ds->serial & mask;
	u32 round;

	for (round = 0; round < ID_ROUNDS; round++) {
		u32 mixed = left ^
			    siphash_2u32(right, round, &dataspace_id_key);

		left = right;
		right = mixed & mask;
	}
	return (u64)left << ID_HALF | right;
}

/**
 * dataspace_new_serial - number a new dataspace
 *
 * Return: its serial number.
 */
u64 dataspace_new_serial(void)
{
	return atomic64_inc_return(&dataspace_count);
}

/**
 * dataspace_newest - tell which dataspace was made last
 *
 * Return: its serial number.
 */
u64 dataspace_newest(void)
{
	return atomic64_read(&dataspace_count);
}

void __init dataspace_id_init(void)
{
	get_random_bytes(&dataspace_id_key, sizeof(dataspace_id_key));
}
