// SPDX-License-Identifier: GPL-2.0-only
/*
 * Drivers of Debian's kernels that take dma-bufs or mappings of dataspaces: rules
 * 10, 15, 18, 21 and 23. They are vivid, which is two video devices that the CPU
 * stands in for, vgem, a graphics device without hardware, and udmabuf.
 */
#include <kselftest_harness.h>

#include <linux/udmabuf.h>
#include <linux/videodev2.h>
#include <stdio.h>

#include "common.h"
#include "control.h"
#include "dmabuf.h"
#include "kmod.h"
#include "pages.h"

/* The frame, in pages, and what is around it. */
#define WIDTH 640
#define HEIGHT 360
#define FRAME (WIDTH * HEIGHT * 2)
#define PAGES 256
#define FIRST 16
#define COUNT ((FRAME + page_size() - 1) / page_size())
#define END (FIRST + COUNT)

/* The graphics interface, whose headers are not with those of the C library. */
struct prime_handle {
	__u32 handle;
	__u32 flags;
	__s32 fd;
};

#define PRIME_HANDLE_TO_FD _IOWR('d', 0x2d, struct prime_handle)
#define PRIME_FD_TO_HANDLE _IOWR('d', 0x2e, struct prime_handle)

FIXTURE(driver)
{
	size_t page;
	size_t length;
	int root;
	char *map;
	/* aliases of the frame, their mappings and dma-bufs */
	int read;
	int write;
	char *view;
	char *frame;
	int read_buf;
	int write_buf;
	struct pages pages;
	const char *loaded;
};

FIXTURE_SETUP(driver)
{
	self->page = page_size();
	self->length = COUNT * self->page;
	self->root = ds_alloc_pages(PAGES);
	ASSERT_LE(0, self->root);
	self->map = ds_map(self->root, PAGES * self->page, READ_WRITE);
	ASSERT_NE(MAP_FAILED, self->map);
	pattern_write(self->map, PAGES, 0);
	ASSERT_EQ(0, pages_of_map(&self->pages, self->map, PAGES * self->page));
	self->read = ds_alias_pages(self->root, FIRST, END, RIGHTS_R);
	self->write = ds_alias_pages(self->root, FIRST, END, RIGHTS_RW);
	self->view = ds_map(self->read, self->length, PROT_READ);
	self->frame = ds_map(self->write, self->length, READ_WRITE);
	ASSERT_NE(MAP_FAILED, self->view);
	ASSERT_NE(MAP_FAILED, self->frame);
	self->read_buf = ds_export(self->read, 0);
	self->write_buf = ds_export(self->write, 0);
	ASSERT_LE(0, self->read_buf);
	ASSERT_LE(0, self->write_buf);
}

/* Whatever a driver does, nothing around the frame changes, and all goes back. */
FIXTURE_TEARDOWN(driver)
{
	EXPECT_EQ(0, pattern_wrong(self->map, FIRST, 0));
	EXPECT_EQ(0, pattern_wrong(self->map + END * self->page, PAGES - END,
				   END));
	munmap(self->map, PAGES * self->page);
	munmap(self->view, self->length);
	munmap(self->frame, self->length);
	close(self->read_buf);
	close(self->write_buf);
	close(self->read);
	close(self->write);
	close(self->root);
	EXPECT_EQ(0, pages_wait(&self->pages, 0, SOON));
	pages_forget(&self->pages);
	if (self->loaded)
		EXPECT_EQ(0, kmod_unload_driver(self->loaded));
}

/* How many pages of the frame differ from the pattern. */
static size_t changed(FIXTURE_DATA(driver) * self)
{
	return pattern_wrong(self->map + FIRST * self->page, COUNT, FIRST);
}

/* Opens the device below /dev whose name in /sys begins with @name. */
static int open_video(const char *name)
{
	char path[64], text[64] = "";
	int i, fd;

	for (i = 0; i < 16; i++) {
		snprintf(path, sizeof(path),
			 "/sys/class/video4linux/video%d/name", i);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		read(fd, text, sizeof(text) - 1);
		close(fd);
		if (strncmp(text, name, strlen(name)))
			continue;
		snprintf(path, sizeof(path), "/dev/video%d", i);
		return result(open(path, O_RDWR | O_CLOEXEC));
	}
	return -ENODEV;
}

enum video {
	CAPTURE = V4L2_BUF_TYPE_VIDEO_CAPTURE,
	OUTPUT = V4L2_BUF_TYPE_VIDEO_OUTPUT,
};

/* A device that begins when it has two buffers of @memory, or -errno. */
static int video(enum video type, enum v4l2_memory memory)
{
	struct v4l2_format format = {
		.type = type,
		.fmt.pix = {
			.width = WIDTH,
			.height = HEIGHT,
			.pixelformat = V4L2_PIX_FMT_YUYV,
			.field = V4L2_FIELD_NONE,
		},
	};
	struct v4l2_requestbuffers buffers = {
		.count = 2,
		.type = type,
		.memory = memory,
	};
	int fd = open_video(type == CAPTURE ? "vivid-000-vid-cap" :
					      "vivid-000-vid-out");

	if (fd < 0)
		return fd;
	if (ioctl(fd, VIDIOC_S_FMT, &format) ||
	    ioctl(fd, VIDIOC_REQBUFS, &buffers)) {
		close(fd);
		return -errno;
	}
	return fd;
}

static int queue_dmabuf(int fd, enum video type, int index, int dmabuf)
{
	struct v4l2_buffer buffer = {
		.index = index,
		.type = type,
		.memory = V4L2_MEMORY_DMABUF,
		.field = V4L2_FIELD_NONE,
		.bytesused = FRAME,
		.m.fd = dmabuf,
	};

	return result(ioctl(fd, VIDIOC_QBUF, &buffer));
}

static int queue_map(int fd, int index, void *map, size_t length)
{
	struct v4l2_buffer buffer = {
		.index = index,
		.type = CAPTURE,
		.memory = V4L2_MEMORY_USERPTR,
		.field = V4L2_FIELD_NONE,
		.bytesused = FRAME,
		.length = length,
		.m.userptr = (unsigned long)map,
	};

	return result(ioctl(fd, VIDIOC_QBUF, &buffer));
}

/* Waits for a frame. */
static int run_video(int fd, enum video type, enum v4l2_memory memory)
{
	struct v4l2_buffer buffer = { .type = type, .memory = memory };
	int on = type;

	if (ioctl(fd, VIDIOC_STREAMON, &on) ||
	    ioctl(fd, VIDIOC_DQBUF, &buffer) ||
	    ioctl(fd, VIDIOC_STREAMOFF, &on))
		return -errno;
	return 0;
}

/* Loads vivid, with what makes it one capture and one output device. */
static int load_vivid(FIXTURE_DATA(driver) * self, bool contiguous)
{
	char parameters[64];
	int ret;

	snprintf(parameters, sizeof(parameters),
		 "node_types=0x101 allocators=%d", contiguous);
	ret = kmod_load_driver("vivid", parameters);
	if (!ret)
		self->loaded = "vivid";
	return ret;
}

/* rules 15, 18, 21 and 23: to show a frame needs no right to write */
TEST_F(driver, vivid_shows_what_may_only_be_read)
{
	int fd, ret = load_vivid(self, true);

	if (ret == -ENOENT)
		SKIP(return, "the kernel has no vivid");
	ASSERT_EQ(0, ret);
	fd = video(OUTPUT, V4L2_MEMORY_DMABUF);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, queue_dmabuf(fd, OUTPUT, 0, self->read_buf));
	EXPECT_EQ(0, queue_dmabuf(fd, OUTPUT, 1, self->read_buf));
	EXPECT_EQ(2, ds_devices(self->root));
	EXPECT_EQ(-EBUSY, ds_seal(self->root, DATASPACE_SEAL_NOW));
	EXPECT_EQ(0, run_video(fd, OUTPUT, V4L2_MEMORY_DMABUF));
	close(fd);
	EXPECT_EQ(0, ds_devices(self->root));
	EXPECT_EQ(0, changed(self));
	EXPECT_EQ(0, ds_seal(self->root, DATASPACE_SEAL_NOW));
}

/* rules 10 and 23 */
TEST_F(driver, vivid_captures_nothing_into_what_may_only_be_read)
{
	int fd, ret = load_vivid(self, true);

	if (ret == -ENOENT)
		SKIP(return, "the kernel has no vivid");
	ASSERT_EQ(0, ret);
	fd = video(CAPTURE, V4L2_MEMORY_DMABUF);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EINVAL, queue_dmabuf(fd, CAPTURE, 0, self->read_buf));
	EXPECT_EQ(0, ds_devices(self->root));
	EXPECT_EQ(0, changed(self));
	close(fd);
}

/* rules 15, 18 and 23: vivid fills it by the CPU, in the kernel */
TEST_F(driver, vivid_captures_into_what_may_be_written_to)
{
	int fd, ret = load_vivid(self, true);

	if (ret == -ENOENT)
		SKIP(return, "the kernel has no vivid");
	ASSERT_EQ(0, ret);
	fd = video(CAPTURE, V4L2_MEMORY_DMABUF);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, queue_dmabuf(fd, CAPTURE, 0, self->write_buf));
	EXPECT_EQ(0, queue_dmabuf(fd, CAPTURE, 1, self->write_buf));
	EXPECT_LE(2, ds_devices(self->root));
	EXPECT_EQ(0, run_video(fd, CAPTURE, V4L2_MEMORY_DMABUF));
	EXPECT_EQ(COUNT, changed(self));
	EXPECT_EQ(-EBUSY, ds_seal(self->root, DATASPACE_SEAL_NOW));
	close(fd);
	EXPECT_EQ(0, ds_devices(self->root));
	EXPECT_EQ(0, ds_seal(self->root, DATASPACE_SEAL_NOW));
}

/* rules 15 and 23: where all is done by the CPU, in no direction */
TEST_F(driver, vivid_maps_into_the_kernel_what_may_be_written_to)
{
	int fd, ret = load_vivid(self, false);

	if (ret == -ENOENT)
		SKIP(return, "the kernel has no vivid");
	ASSERT_EQ(0, ret);
	fd = video(OUTPUT, V4L2_MEMORY_DMABUF);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EFAULT, queue_dmabuf(fd, OUTPUT, 0, self->read_buf));
	EXPECT_EQ(0, queue_dmabuf(fd, OUTPUT, 1, self->write_buf));
	close(fd);
	fd = video(CAPTURE, V4L2_MEMORY_DMABUF);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EFAULT, queue_dmabuf(fd, CAPTURE, 0, self->read_buf));
	EXPECT_EQ(0, changed(self));
	EXPECT_EQ(0, queue_dmabuf(fd, CAPTURE, 0, self->write_buf));
	EXPECT_EQ(0, queue_dmabuf(fd, CAPTURE, 1, self->write_buf));
	EXPECT_EQ(1, ds_devices(self->root));
	EXPECT_EQ(0, run_video(fd, CAPTURE, V4L2_MEMORY_DMABUF));
	EXPECT_EQ(COUNT, changed(self));
	close(fd);
	EXPECT_EQ(0, ds_devices(self->root));
}

/* rules 10 and 21: it takes a mapping instead */
TEST_F(driver, vivid_captures_into_a_mapping)
{
	int fd, ret = load_vivid(self, false);

	if (ret == -ENOENT)
		SKIP(return, "the kernel has no vivid");
	ASSERT_EQ(0, ret);
	fd = video(CAPTURE, V4L2_MEMORY_USERPTR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EFAULT, queue_map(fd, 0, self->view, self->length));
	EXPECT_EQ(0, changed(self));
	ASSERT_EQ(0, queue_map(fd, 0, self->frame, self->length));
	ASSERT_EQ(0, queue_map(fd, 1, self->frame, self->length));
	EXPECT_EQ(-EBUSY, ds_seal(self->root, DATASPACE_SEAL_NOW));
	EXPECT_EQ(0, run_video(fd, CAPTURE, V4L2_MEMORY_USERPTR));
	EXPECT_EQ(COUNT, changed(self));
	close(fd);
	EXPECT_EQ(0, ds_seal(self->root, DATASPACE_SEAL_NOW));
}

static int load_vgem(FIXTURE_DATA(driver) * self)
{
	int ret = kmod_load_driver("vgem", "");

	if (!ret)
		self->loaded = "vgem";
	return ret;
}

/* Imports a dma-buf, and asks for one that may be written to; or -errno. */
static int import_and_export(int card, int dmabuf)
{
	struct prime_handle prime = { .fd = dmabuf };

	if (ioctl(card, PRIME_FD_TO_HANDLE, &prime))
		return -errno;
	prime.flags = O_RDWR | O_CLOEXEC;
	if (ioctl(card, PRIME_HANDLE_TO_FD, &prime))
		return -errno;
	return prime.fd;
}

static int open_card(void)
{
	int fd = open("/dev/dri/card0", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* rules 10 and 23 */
TEST_F(driver, vgem_does_not_write_to_what_may_only_be_read)
{
	int card, ret = load_vgem(self);

	if (ret == -ENOENT)
		SKIP(return, "the kernel has no vgem");
	ASSERT_EQ(0, ret);
	card = open_card();
	ASSERT_LE(0, card);
	/* before 7.3 a device maps it at once, in both directions */
	ret = import_and_export(card, self->read_buf);
	if (ret >= 0) {
		EXPECT_EQ(O_RDONLY, fcntl(ret, F_GETFL) & O_ACCMODE);
		EXPECT_EQ(-EACCES, ds_try_map(ret, self->length, READ_WRITE,
					      MAP_SHARED, 0));
		close(ret);
	} else {
		EXPECT_EQ(-EACCES, ret);
	}
	EXPECT_EQ(0, changed(self));
	close(card);
	EXPECT_EQ(0, ds_devices(self->root));
}

/* rules 15 and 23 */
TEST_F(driver, vgem_passes_on_what_may_be_written_to)
{
	int card, fd, ret = load_vgem(self);
	char *map;

	if (ret == -ENOENT)
		SKIP(return, "the kernel has no vgem");
	ASSERT_EQ(0, ret);
	card = open_card();
	ASSERT_LE(0, card);
	fd = import_and_export(card, self->write_buf);
	ASSERT_LE(0, fd);
	map = ds_map(fd, self->length, READ_WRITE);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, pattern_wrong(map, COUNT, FIRST));
	memset(map + self->page, 'g', self->page);
	EXPECT_EQ(1, changed(self));
	munmap(map, self->length);
	close(fd);
	close(card);
	EXPECT_EQ(0, ds_devices(self->root));
}

/* rule 10: it makes dma-bufs of memfds, which a dataspace is none of */
TEST_F(driver, udmabuf_takes_no_dataspace)
{
	struct udmabuf_create create = {
		.memfd = self->read,
		.size = self->page,
	};
	int fd = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		SKIP(return, "the kernel has no udmabuf");
	EXPECT_EQ(-EBADFD, result(ioctl(fd, UDMABUF_CREATE, &create)));
	create.memfd = self->write;
	EXPECT_EQ(-EBADFD, result(ioctl(fd, UDMABUF_CREATE, &create)));
	EXPECT_EQ(0, changed(self));
	close(fd);
}

TEST_HARNESS_MAIN
