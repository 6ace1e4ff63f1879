// SPDX-License-Identifier: GPL-2.0-only
/* See the header. */
#include "dmabuf.h"

#include <sys/syscall.h>

#include "common.h"
#include "kmod.h"
#include "vfio.h"

#define IMPORTER "/lib/dataspace_importer.ko"
#define IMPORTER_DEVICE "/dev/dataspace_importer"

int ds_export(int ds, __u32 flags)
{
	struct dataspace_export_dmabuf arg = {
		.size = sizeof(arg),
		.flags = flags,
	};

	return result(ioctl(ds, DATASPACE_IOC_EXPORT_DMABUF, &arg));
}

int dmabuf_sync(int dmabuf, __u64 flags)
{
	struct dma_buf_sync arg = { .flags = flags };

	return result(ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &arg));
}

__u64 ds_devices(int ds)
{
	struct dataspace_info info = { .size = sizeof(info) };

	return ds_info(ds, &info) ? ~0ULL : info.devices;
}

int importer_load(void)
{
	int fd = open(IMPORTER, O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0 || kmod_locked_down()) {
		close(fd);
		return -ENOENT;
	}
	device_give_back();
	ret = result(syscall(SYS_finit_module, fd, "", 0));
	close(fd);
	return ret;
}

int importer_unload(void)
{
	const char *name = "dataspace_importer";

	return result(syscall(SYS_delete_module, name, O_NONBLOCK));
}

/* Mistakes of another driver are told of only, or those of all again. */
void importer_may_overlap(bool may)
{
	text_to_file("/sys/kernel/debug/dma-api/driver_filter",
		     may ? "another" : "-");
}

int import(int dmabuf, __u32 flags)
{
	struct importer_attach arg = { .dmabuf = dmabuf, .flags = flags };
	int fd = open(IMPORTER_DEVICE, O_RDWR | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = result(ioctl(fd, IMPORTER_ATTACH, &arg));
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

int import_map(int import, enum direction direction)
{
	return result(ioctl(import, IMPORTER_MAP, direction));
}

int import_unmap(int import)
{
	return result(ioctl(import, IMPORTER_UNMAP));
}

int import_told(int import)
{
	return result(ioctl(import, IMPORTER_COUNT_TOLD));
}

int import_write(int import, __u64 offset, char byte)
{
	struct importer_access arg = {
		.offset = offset,
		.length = IMPORT_BYTES,
		.byte = (unsigned char)byte,
	};

	return result(ioctl(import, IMPORTER_WRITE, &arg));
}

int import_read(int import, __u64 offset)
{
	return import_read_behind(import, offset, 0);
}

int import_read_behind(int import, __u64 offset, __u32 behind)
{
	struct importer_access arg = {
		.offset = offset,
		.length = IMPORT_BYTES,
		.behind = behind,
	};
	int ret = result(ioctl(import, IMPORTER_READ, &arg));

	return ret ? ret : (int)arg.byte;
}
