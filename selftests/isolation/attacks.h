/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the holder of one page does to make others wait. Each attack gets the page and
 * a function to call once all is set up, and never returns.
 */
#ifndef DATASPACE_ATTACKS_H
#define DATASPACE_ATTACKS_H

/* How many there are of what an attacker multiplies: fewer on a debug kernel. */
int many(int count);

/* Maps @ds @count times; ends the process if that fails. */
void map_often(int ds, int count);

void attack_with_seal_now(int ds, void (*ready)(void));
void attack_with_info(int ds, void (*ready)(void));
void attack_with_revoke(int ds, void (*ready)(void));
void attack_with_mappings(int ds, void (*ready)(void));
void attack_with_revoked_mappings(int ds, void (*ready)(void));
void attack_with_pin_and_mappings(int ds, void (*ready)(void));
void attack_with_pollers(int ds, void (*ready)(void));
void attack_with_seal(int ds, void (*ready)(void));
void attack_with_exports(int ds, void (*ready)(void));
void attack_with_devices(int ds, void (*ready)(void));
void attack_with_the_mm(int ds, void (*ready)(void));
void attack_with_the_tree(int ds, void (*ready)(void));
void attack_with_nested_aliases(int ds, void (*ready)(void));
void attack_with_SCHED_IDLE(int ds, void (*ready)(void));
void attack_with_stopped_holders(int ds, void (*ready)(void));
void attack_with_stalled_copies(int ds, void (*ready)(void));

/* Needs a cgroup of this name, which has the cpu controller. */
#define THROTTLED "throttled"

void attack_with_cpu_max(int ds, void (*ready)(void));

#endif
