// SPDX-License-Identifier: GPL-2.0-only
/*
 * See the header. There are two ways to map memory for the device: a container
 * of vfio, for its group, and iommufd, for itself.
 */
#include "vfio.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "common.h"

/* Vendor and device, as in sysfs. */
#define EDU "pci:v00001234d000011E8sv"
#define DEVICES "/sys/bus/pci/devices/"
#define DRIVER "vfio-pci"

/* Its registers. */
#define EDU_DMA_FROM 0x80
#define EDU_DMA_TO 0x88
#define EDU_DMA_COUNT 0x90
#define EDU_DMA_COMMAND 0x98
#define EDU_RUN 1
#define EDU_TO_MEMORY 2
#define EDU_BUFFER 0x40000

/* iommufd may be newer than the headers of the C library. */
struct ioas_alloc {
	__u32 size;
	__u32 flags;
	__u32 id;
};

struct ioas_map {
	__u32 size;
	__u32 flags;
	__u32 id;
	__u32 reserved;
	__u64 user_va;
	__u64 length;
	__u64 iova;
};

struct ioas_unmap {
	__u32 size;
	__u32 id;
	__u64 iova;
	__u64 length;
};

struct bind_iommufd {
	__u32 argsz;
	__u32 flags;
	__s32 iommufd;
	__u32 id;
};

struct attach_iommufd {
	__u32 argsz;
	__u32 flags;
	__u32 id;
};

#define IOAS_ALLOC _IO(VFIO_TYPE, 0x81)
#define IOAS_MAP _IO(VFIO_TYPE, 0x85)
#define IOAS_UNMAP _IO(VFIO_TYPE, 0x86)
#define IOAS_FIXED_IOVA 1
#define IOAS_WRITEABLE 2
#define IOAS_READABLE 4
#define BIND_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 18)
#define ATTACH_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 19)

/* The address of a device on the PCI bus, "0000:00:03.0". */
struct address {
	char text[16];
};

/* The path of a file of the device. */
static const char *file_of(const struct address *address, const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), DEVICES "%s/%s", address->text, name);
	return path;
}

/* The last part of what the link points to; "" if there is none. */
static const char *link_of(const struct address *address, const char *name)
{
	static char target[PATH_MAX];
	const char *path = file_of(address, name);
	const ssize_t length = readlink(path, target, sizeof(target) - 1);
	const char *last;

	target[length < 0 ? 0 : length] = 0;
	last = strrchr(target, '/');
	return last ? last + 1 : target;
}

static bool is_edu(const struct address *address)
{
	FILE *file = fopen(file_of(address, "modalias"), "re");
	char alias[64] = "";

	if (!file)
		return false;
	if (!fgets(alias, sizeof(alias), file))
		alias[0] = 0;
	fclose(file);
	return !strncmp(alias, EDU, strlen(EDU));
}

static bool find_edu(struct address *address)
{
	bool found = false;
	glob_t all;
	size_t i;

	if (glob(DEVICES "*", 0, NULL, &all))
		return false;
	for (i = 0; i < all.gl_pathc && !found; i++) {
		strncpy(address->text, all.gl_pathv[i] + strlen(DEVICES),
			sizeof(address->text) - 1);
		found = is_edu(address);
	}
	globfree(&all);
	return found;
}

/* Binds the device to vfio, if it is not bound already. */
static long bind_driver(const struct address *address)
{
	long ret;

	if (!strcmp(link_of(address, "driver"), DRIVER))
		return 0;
	if (access("/sys/bus/pci/drivers/" DRIVER, F_OK))
		return NO_DEVICE;
	ret = text_to_file(file_of(address, "driver_override"), DRIVER);
	return ret ? ret :
		     text_to_file("/sys/bus/pci/drivers_probe", address->text);
}

void device_give_back(void)
{
	struct address address;

	if (!find_edu(&address) || strcmp(link_of(&address, "driver"), DRIVER))
		return;
	text_to_file(file_of(&address, "driver_override"), "\n");
	text_to_file("/sys/bus/pci/drivers/" DRIVER "/unbind", address.text);
}

static long open_existing(const char *path)
{
	const int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	return errno == ENOENT ? NO_DEVICE : -errno;
}

static long open_group(struct device *device, const struct address *address)
{
	const char *group = link_of(address, "iommu_group");
	char name[NAME_MAX];
	long fd;

	snprintf(name, sizeof(name), "/dev/vfio/%.16s", group);
	fd = *group ? open_existing(name) : NO_DEVICE;
	if (fd < 0)
		return fd;
	device->group = fd;
	fd = open_existing("/dev/vfio/vfio");
	if (fd < 0)
		return fd;
	device->iommu = fd;
	return 0;
}

static long open_by_group(struct device *device, const struct address *address)
{
	long ret = open_group(device, address);

	if (ret)
		return ret;
	if (ioctl(device->group, VFIO_GROUP_SET_CONTAINER, &device->iommu) ||
	    ioctl(device->iommu, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return -errno;
	device->fd =
		ioctl(device->group, VFIO_GROUP_GET_DEVICE_FD, address->text);
	return device->fd < 0 ? -errno : 0;
}

static long open_node(struct device *device, const struct address *address)
{
	char name[NAME_MAX];
	glob_t found;
	long fd;

	if (glob(file_of(address, "vfio-dev/vfio*"), 0, NULL, &found))
		return NO_DEVICE;
	snprintf(name, sizeof(name), "/dev/vfio/devices/%.16s",
		 strrchr(found.gl_pathv[0], '/') + 1);
	globfree(&found);
	fd = open_existing(name);
	if (fd < 0)
		return fd;
	device->fd = fd;
	return 0;
}

static long attach_iommufd(struct device *device)
{
	struct bind_iommufd bind = {
		.argsz = sizeof(bind),
		.iommufd = device->iommu,
	};
	struct ioas_alloc space = { .size = sizeof(space) };
	struct attach_iommufd attach = { .argsz = sizeof(attach) };

	if (ioctl(device->fd, BIND_IOMMUFD, &bind) ||
	    ioctl(device->iommu, IOAS_ALLOC, &space))
		return -errno;
	device->space = space.id;
	attach.id = space.id;
	return result(ioctl(device->fd, ATTACH_IOMMUFD, &attach));
}

static long open_by_iommufd(struct device *device,
			    const struct address *address)
{
	long fd = open_existing("/dev/iommu");
	long ret;

	if (fd < 0)
		return fd;
	device->iommu = fd;
	ret = open_node(device, address);
	return ret ? ret : attach_iommufd(device);
}

/* The offset of a region in the device's descriptor, or -errno. */
static long long region_at(const struct device *device, __u32 index)
{
	struct vfio_region_info info = { .argsz = sizeof(info),
					 .index = index };

	if (ioctl(device->fd, VFIO_DEVICE_GET_REGION_INFO, &info))
		return -errno;
	return info.offset;
}

/* Enables memory accesses and bus mastering. */
static long device_start(struct device *device)
{
	const __u16 command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	const long long config =
		region_at(device, VFIO_PCI_CONFIG_REGION_INDEX);

	device->registers = region_at(device, VFIO_PCI_BAR0_REGION_INDEX);
	if (config < 0 || device->registers < 0)
		return -EIO;
	if (pwrite(device->fd, &command, sizeof(command),
		   config + PCI_COMMAND) < 0)
		return -errno;
	return 0;
}

long device_open(struct device *device, bool iommufd)
{
	struct address address = {};
	long ret;

	*device = (struct device){ iommufd, -1, -1, -1 };
	if (!find_edu(&address))
		return NO_DEVICE;
	ret = bind_driver(&address);
	if (ret)
		return ret;
	ret = iommufd ? open_by_iommufd(device, &address) :
			open_by_group(device, &address);
	return ret ? ret : device_start(device);
}

void device_close(struct device *device)
{
	close(device->fd);
	close(device->group);
	close(device->iommu);
}

static long map_by_iommufd(struct device *device, __u64 at, void *map,
			   size_t length, int prot)
{
	struct ioas_map arg = {
		.size = sizeof(arg),
		.flags = IOAS_FIXED_IOVA | IOAS_READABLE,
		.id = device->space,
		.user_va = (uintptr_t)map,
		.length = length,
		.iova = at,
	};

	if (prot & PROT_WRITE)
		arg.flags |= IOAS_WRITEABLE;
	return result(ioctl(device->iommu, IOAS_MAP, &arg));
}

static long map_by_group(struct device *device, __u64 at, void *map,
			 size_t length, int prot)
{
	struct vfio_iommu_type1_dma_map arg = {
		.argsz = sizeof(arg),
		.flags = VFIO_DMA_MAP_FLAG_READ,
		.vaddr = (uintptr_t)map,
		.iova = at,
		.size = length,
	};

	if (prot & PROT_WRITE)
		arg.flags |= VFIO_DMA_MAP_FLAG_WRITE;
	return result(ioctl(device->iommu, VFIO_IOMMU_MAP_DMA, &arg));
}

long device_map(struct device *device, __u64 at, void *map, size_t length,
		int prot)
{
	if (device->iommufd)
		return map_by_iommufd(device, at, map, length, prot);
	return map_by_group(device, at, map, length, prot);
}

long device_unmap(struct device *device, __u64 at, size_t length)
{
	struct vfio_iommu_type1_dma_unmap arg = {
		.argsz = sizeof(arg),
		.iova = at,
		.size = length,
	};
	struct ioas_unmap other = {
		.size = sizeof(other),
		.id = device->space,
		.iova = at,
		.length = length,
	};

	if (device->iommufd)
		return result(ioctl(device->iommu, IOAS_UNMAP, &other));
	return result(ioctl(device->iommu, VFIO_IOMMU_UNMAP_DMA, &arg));
}

static long set_register(const struct device *device, int at, __u32 value)
{
	const off_t where = device->registers + at;

	return pwrite(device->fd, &value, sizeof(value), where) < 0 ? -errno :
								      0;
}

static bool is_running(const struct device *device)
{
	__u32 command = EDU_RUN;

	if (pread(device->fd, &command, sizeof(command),
		  device->registers + EDU_DMA_COMMAND) < 0)
		return true;
	return command & EDU_RUN;
}

static long device_run(const struct device *device, __u32 to, __u32 from,
		       __u32 count, __u32 command)
{
	const double end = seconds() + 20;

	if (set_register(device, EDU_DMA_FROM, from) ||
	    set_register(device, EDU_DMA_TO, to) ||
	    set_register(device, EDU_DMA_COUNT, count) ||
	    set_register(device, EDU_DMA_COMMAND, command))
		return -errno;
	while (is_running(device)) {
		if (seconds() > end)
			return -ETIMEDOUT;
		usleep(10000);
	}
	return 0;
}

long device_copy(struct device *device, __u64 to, __u64 from, size_t length)
{
	long ret = device_run(device, EDU_BUFFER, from, length, EDU_RUN);

	return ret ? ret :
		     device_run(device, to, EDU_BUFFER, length,
				EDU_RUN | EDU_TO_MEMORY);
}
