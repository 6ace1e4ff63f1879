// SPDX-License-Identifier: GPL-2.0-only
/*
 * All dataspaces as a tree, in debugfs, for root.
 *
 * One line for each, what is derived from it below it and further to the right. That
 * they are many and deep is in the hands of their holders: a line is of limited
 * length, and what it takes to read all of them grows with their number, times log
 * n. How a pass through them gets by without disturbing anybody is in registry.c.
 *
 * While debugfs is missing, or there is no memory for the file, there is no tree,
 * and all else works.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/string_helpers.h>

#include "private.h"

/* Lines are not indented further than this; they tell the depth as well */
#define TREE_INDENT_MAX 16U

static struct dentry *tree_dir;

/**
 * struct tree - somebody who reads the tree
 * @reader: how far
 * @depth: of the dataspace that is next
 * @count: how many dataspaces have been shown
 */
struct tree {
	struct backing_reader reader;
	u32 depth;
	u64 count;
};

/* The next dataspace, with a reference; after the last one the tree, for a total */
static void *tree_get(struct tree *tree, loff_t pos)
{
	struct dataspace *ds = backing_reader_get(&tree->reader, &tree->depth);

	if (ds)
		return ds;
	return pos == tree->count ? tree : NULL;
}

/* What did not fit into the buffer is asked for again, and nobody has passed it */
static void *tree_start(struct seq_file *m, loff_t *pos)
{
	struct tree *tree = m->private;

	if (!*pos) {
		tree->count = 0;
		backing_reader_rewind(&tree->reader);
	}
	return tree_get(tree, *pos);
}

static void tree_stop(struct seq_file *m, void *v)
{
	if (v && v != m->private)
		dataspace_put(v);
}

static void *tree_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct tree *tree = m->private;

	++*pos;
	if (v == tree)
		return NULL;
	tree->count++;
	backing_reader_pass(&tree->reader, v);
	dataspace_put(v);
	cond_resched();
	return tree_get(tree, *pos);
}

/* What a process has chosen: neither a line, a column nor a terminal is upset by it */
static void tree_show_name(struct seq_file *m, const char *key,
			   const char *name)
{
	seq_puts(m, key);
	seq_escape_str(m, name, ESCAPE_OCTAL | ESCAPE_NAP | ESCAPE_APPEND,
		       " \\");
}

static void tree_show_dataspace(struct seq_file *m, struct dataspace *ds,
				u32 depth)
{
	char name[DATASPACE_NAME_MAX];
	struct dataspace_info info;
	u64 start = (u64)(ds->start - ds->backing->start) << PAGE_SHIFT;

	dataspace_get_info(ds, &info);
	dataspace_get_name(ds, name);
	seq_printf(m, "%*sid=%llu depth=%u range=%llu-%llu length=%llu",
		   2 * min(depth, TREE_INDENT_MAX), "", info.id, depth, start,
		   start + info.length, info.length);
	seq_printf(m, " exclusive=%llu mappings=%llu devices=%llu rights=",
		   info.exclusive, info.mappings, info.devices);
	dataspace_show_rights(m, info.rights, ',');
	seq_puts(m, " state=");
	dataspace_show_state(m, info.state, ',');
	if (!READ_ONCE(ds->live) && !(info.state & DATASPACE_STATE_REVOKED))
		seq_puts(m, ",closed");
	seq_printf(m, " pid=%d", ds->creator);
	tree_show_name(m, " command=", ds->creator_name);
	tree_show_name(m, " name=", name);
	seq_putc(m, '\n');
}

static int tree_show(struct seq_file *m, void *v)
{
	struct tree *tree = m->private;

	if (v != tree)
		tree_show_dataspace(m, v, tree->depth);
	else
		seq_printf(m, "total dataspaces=%llu in_use=%llu limit=%llu\n",
			   tree->count, backing_in_use_bytes(),
			   backing_limit_bytes());
	return 0;
}

static const struct seq_operations tree_ops = {
	.start = tree_start,
	.next = tree_next,
	.stop = tree_stop,
	.show = tree_show,
};

static int tree_open(struct inode *inode, struct file *file)
{
	return seq_open_private(file, &tree_ops, sizeof(struct tree));
}

static int tree_release(struct inode *inode, struct file *file)
{
	struct seq_file *m = file->private_data;
	struct tree *tree = m->private;

	backing_reader_end(&tree->reader);
	return seq_release_private(inode, file);
}

static const struct file_operations tree_fops = {
	.owner = THIS_MODULE,
	.open = tree_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = tree_release,
};

void __init dataspace_debugfs_init(void)
{
	tree_dir = debugfs_create_dir("dataspace", NULL);
	debugfs_create_file("tree", 0400, tree_dir, NULL, &tree_fops);
}

void dataspace_debugfs_exit(void)
{
	debugfs_remove(tree_dir);
}
