// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device, and coming and going of the module.
 *
 * Start reading at backing.c, which tells how the parts work together.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "private.h"

/**
 * ioctl_get - get the structure of an ioctl from user space
 * @arg: filled in, with zeroes where the caller's structure is shorter
 * @size: size of the structure, which is that of its first version
 * @from: the caller's; its first field is a __u32, its size
 *
 * Return: 0, -EFAULT, -EINVAL if the structure is shorter than the first
 * version, or -E2BIG if it is longer and the rest is not zero.
 */
int ioctl_get(void *arg, size_t size, const void __user *from)
{
	u32 user_size;

	if (get_user(user_size, (const u32 __user *)from))
		return -EFAULT;
	if (user_size < size)
		return -EINVAL;
	return copy_struct_from_user(arg, size, from, user_size);
}

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case DATASPACE_IOC_VERSION:
		return DATASPACE_ABI_VERSION;
	case DATASPACE_IOC_ALLOC:
		return alloc_ioctl(file, (void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "dataspace",
	.fops = &device_fops,
	.mode = 0660,
};

static int __init main_init(void)
{
	int ret = dataspace_init();

	if (ret)
		return ret;
	ret = backing_init();
	if (ret)
		goto out_dataspace;
	dataspace_pool_init();
	ret = misc_register(&device);
	if (ret)
		goto out_pool;
	return 0;

out_pool:
	backing_exit();
	dataspace_pool_exit();
out_dataspace:
	dataspace_exit();
	return ret;
}

static void __exit main_exit(void)
{
	misc_deregister(&device);
	backing_exit();
	dataspace_pool_exit(); /* until then memory may have gone back to it */
	dataspace_exit();
}

module_init(main_init);
module_exit(main_exit);

MODULE_DESCRIPTION("Memory objects that can be handed out in part");
MODULE_LICENSE("GPL");
