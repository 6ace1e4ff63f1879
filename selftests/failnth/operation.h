/* SPDX-License-Identifier: GPL-2.0-only */
/* The operations that failnth.c lets fail; each file ops_*.c has one subject. */
#ifndef DATASPACE_OPERATION_H
#define DATASPACE_OPERATION_H

#include <stdbool.h>

#include "fixture.h"

/*
 * @prepare: what comes before, without failures, or NULL
 * @run: the operation; 0, a number, or -errno
 * @works: whether the operation has done what it should, or NULL
 * @least: how many failures the operation must have met, lest nothing was tested
 * @errors: what @run may return besides ENOMEM and EFAULT
 * @kernel_warns: whether the kernel logs a warning when an allocation fails that
 *	is not the module's; then the console shows errors only
 */
struct operation {
	bool (*prepare)(struct fixture *fixture);
	long (*run)(struct fixture *fixture);
	bool (*works)(struct fixture *fixture);
	unsigned int least;
	int errors[2];
	bool kernel_warns;
};

/* ops_alloc.c */
extern const struct operation op_alloc_page;
extern const struct operation op_alloc_2m;
extern const struct operation op_alloc_3m;
extern const struct operation op_alloc_page_scattered;
extern const struct operation op_alloc_3m_scattered;
extern const struct operation op_alloc_8m;
extern const struct operation op_alloc_page_for_the_opener;
extern const struct operation op_alloc_3m_for_the_opener;
extern const struct operation op_open_of_the_device;

/* ops_alias.c */
extern const struct operation op_alias;
extern const struct operation op_info;
extern const struct operation op_fdinfo;
extern const struct operation op_maps;

/* ops_map.c */
extern const struct operation op_first_mmap;
extern const struct operation op_second_mmap;
extern const struct operation op_mmap_populate;
extern const struct operation op_first_load;
extern const struct operation op_first_store;
extern const struct operation op_first_load_of_several_large_folios;
extern const struct operation op_first_private_store;
extern const struct operation op_mremap;

/* ops_io.c */
extern const struct operation op_pread;
extern const struct operation op_pwrite;
extern const struct operation op_splice;
extern const struct operation op_splice_into;

/* ops_lazy.c */
extern const struct operation op_lazy_store;
extern const struct operation op_lazy_store_to_a_page;
extern const struct operation op_lazy_write;
extern const struct operation op_lazy_fill;
extern const struct operation op_lazy_punch;

/* ops_device.c */
extern const struct operation op_export;
extern const struct operation op_export_with_a_name;
extern const struct operation op_export_of_a_hole;
extern const struct operation op_mmap_of_the_dmabuf;
extern const struct operation op_mmap_of_the_importer;
extern const struct operation op_attach;
extern const struct operation op_attach_to_be_told;
extern const struct operation op_device_map;
extern const struct operation op_device_map_behind_an_IOMMU;
extern const struct operation op_device_unmap;
extern const struct operation op_device_unmap_behind_an_IOMMU;
extern const struct operation op_revoke_from_a_device;

/* ops_release.c */
extern const struct operation op_munmap_of_a_part;
extern const struct operation op_close_of_a_part;
extern const struct operation op_close_of_all;
extern const struct operation op_mprotect_of_a_part;

/* ops_process.c */
extern const struct operation op_fork;
extern const struct operation op_dup;
extern const struct operation op_pass;

/* ops_control.c */
extern const struct operation op_revoke;
extern const struct operation op_revoke_of_parts;
extern const struct operation op_seal;
extern const struct operation op_seal_now;
extern const struct operation op_poll;
extern const struct operation op_epoll_add;

#endif
