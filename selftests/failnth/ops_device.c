// SPDX-License-Identifier: GPL-2.0-only
/* dma-bufs, and devices that use them: rule 23. */
#include "operation.h"

#include "common.h"
#include "control.h"
#include "dmabuf.h"
#include "lazy.h"

static long run_export(struct fixture *fixture)
{
	fixture->fd = ds_export(fixture->alias, 0);
	return fixture->fd;
}

static bool dmabuf_is_the_alias(struct fixture *fixture)
{
	fixture->length = alias_length();
	fixture->map = ds_map(fixture->fd, fixture->length, PROT_READ);
	return fixture->map != MAP_FAILED && alias_is_mapped(fixture) &&
	       lseek(fixture->fd, 0, SEEK_END) == fixture->length;
}

static bool have_name(struct fixture *fixture)
{
	struct dataspace_name arg = { .size = sizeof(arg), .name = "named" };

	return !ioctl(fixture->alias, DATASPACE_IOC_SET_NAME, &arg);
}

static bool have_lazy_root(struct fixture *fixture)
{
	fixture->length = huge_size();
	fixture->other = lazy_alloc(fixture->length);
	return fixture->other >= 0;
}

static long run_export_of_a_hole(struct fixture *fixture)
{
	fixture->fd = ds_export(fixture->other, 0);
	return fixture->fd;
}

static bool hole_is_filled(struct fixture *fixture)
{
	return ds_resident(fixture->other) == fixture->length &&
	       !pages_of_fd(&fixture->own, fixture->other, fixture->length);
}

static bool have_importer(void)
{
	const int ret = importer_load();

	return !ret || ret == -EEXIST;
}

static bool have_dmabuf(struct fixture *fixture)
{
	return have_importer() && run_export(fixture) >= 0;
}

static long run_mmap(struct fixture *fixture, int fd)
{
	void *map = mmap(far_address(fixture, 1), alias_length(), READ_WRITE,
			 MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	fixture->map = map;
	fixture->length = alias_length();
	return 0;
}

static long run_mmap_of_the_dmabuf(struct fixture *fixture)
{
	return run_mmap(fixture, fixture->fd);
}

static long run_mmap_of_the_importer(struct fixture *fixture)
{
	return run_mmap(fixture, fixture->other);
}

/* Kernels before 7.3 map it at once, too. */
static long run_attach(struct fixture *fixture)
{
	fixture->other = import(fixture->fd, 0);
	return fixture->other;
}

static long run_attach_to_be_told(struct fixture *fixture)
{
	fixture->other = import(fixture->fd, IMPORTER_TOLD);
	return fixture->other;
}

static bool device_can_map(struct fixture *fixture)
{
	return !import_map(fixture->other, BOTH_WAYS) &&
	       ds_devices(fixture->alias) == 1;
}

static bool have_attached(struct fixture *fixture)
{
	return have_dmabuf(fixture) && run_attach_to_be_told(fixture) >= 0;
}

static bool have_attached_edu(struct fixture *fixture)
{
	if (!have_dmabuf(fixture))
		return false;
	fixture->other = import(fixture->fd, IMPORTER_EDU | IMPORTER_TOLD);
	return fixture->other >= 0;
}

static long run_device_map(struct fixture *fixture)
{
	return import_map(fixture->other, BOTH_WAYS);
}

/* It writes to the second page. */
static bool device_has_it(struct fixture *fixture)
{
	const char byte = 'd';

	return ds_devices(fixture->alias) == 1 &&
	       !import_write(fixture->other, page_size(), byte) &&
	       bytes_are((char *)fixture->view +
				 (ALIAS_FIRST + 1) * page_size(),
			 64, byte);
}

static bool have_device_map(struct fixture *fixture)
{
	return have_attached(fixture) && !run_device_map(fixture);
}

static bool have_edu_map(struct fixture *fixture)
{
	return have_attached_edu(fixture) && !run_device_map(fixture);
}

static long run_device_unmap(struct fixture *fixture)
{
	return import_unmap(fixture->other);
}

static bool device_has_nothing(struct fixture *fixture)
{
	return !ds_devices(fixture->alias) &&
	       !ds_seal(fixture->root, DATASPACE_SEAL_NOW);
}

static long run_revoke(struct fixture *fixture)
{
	return ds_revoke(fixture->root);
}

static bool device_is_cut_off(struct fixture *fixture)
{
	return !ds_devices(fixture->root) && !import_unmap(fixture->other) &&
	       device_has_nothing(fixture);
}

const struct operation op_export = {
	.run = run_export,
	.works = dmabuf_is_the_alias,
	.least = 5,
};

const struct operation op_export_with_a_name = {
	.prepare = have_name,
	.run = run_export,
	.works = dmabuf_is_the_alias,
	.least = 6,
};

const struct operation op_export_of_a_hole = {
	.prepare = have_lazy_root,
	.run = run_export_of_a_hole,
	.works = hole_is_filled,
	.least = 7,
};

const struct operation op_mmap_of_the_dmabuf = {
	.prepare = have_dmabuf,
	.run = run_mmap_of_the_dmabuf,
	.works = alias_is_mapped,
	.least = 3,
};

const struct operation op_mmap_of_the_importer = {
	.prepare = have_attached,
	.run = run_mmap_of_the_importer,
	.works = alias_is_mapped,
	.least = 3,
};

const struct operation op_attach = {
	.prepare = have_dmabuf,
	.run = run_attach,
	.least = 6,
};

const struct operation op_attach_to_be_told = {
	.prepare = have_dmabuf,
	.run = run_attach_to_be_told,
	.works = device_can_map,
	.least = 3,
};

const struct operation op_device_map = {
	.prepare = have_attached,
	.run = run_device_map,
	.works = device_has_it,
	.least = 3,
};

/* And what it takes to cut the device off. */
const struct operation op_device_map_behind_an_IOMMU = {
	.prepare = have_attached_edu,
	.run = run_device_map,
	.works = device_has_it,
	.least = 5,
};

const struct operation op_device_unmap = {
	.prepare = have_device_map,
	.run = run_device_unmap,
	.works = device_has_nothing,
};

const struct operation op_device_unmap_behind_an_IOMMU = {
	.prepare = have_edu_map,
	.run = run_device_unmap,
	.works = device_has_nothing,
};

const struct operation op_revoke_from_a_device = {
	.prepare = have_edu_map,
	.run = run_revoke,
	.works = device_is_cut_off,
};
