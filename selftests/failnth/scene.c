// SPDX-License-Identifier: GPL-2.0-only
/* Each backing holds the module, so its use count tells of those that leak. */
#include "scene.h"

#include <string.h>

#include "common.h"

#define USERS "/sys/module/dataspace/refcnt"

static int open_root(struct scene *scene)
{
	const size_t length = SCENE_PAGES * page_size();

	scene->root = ds_alloc(length, RIGHTS_RW, 0);
	if (scene->root < 0)
		return scene->root;
	scene->view = ds_map(scene->root, length, PROT_READ);
	if (scene->view == MAP_FAILED)
		return -errno;
	if (tags_write_fd(scene->root, SCENE_PAGES, 0))
		return -EIO;
	return pages_of_map(&scene->pages, scene->view, length);
}

int scene_open(struct scene *scene)
{
	int err;

	memset(scene, 0, sizeof(*scene));
	scene->fd = -1;
	scene->other = -1;
	scene->fds = count_fds();
	scene->users = number_in_file(USERS, "");
	scene->device = ds_device();
	err = open_root(scene);
	if (err)
		return err;
	scene->alias =
		ds_alias_pages(scene->root, SCENE_FIRST, SCENE_END, RIGHTS_RW);
	return scene->alias < 0 ? scene->alias : 0;
}

static __u64 content_of(const void *map, size_t length)
{
	const __u64 *words = map;
	__u64 sum = 0;
	size_t i;

	for (i = 0; i < length / sizeof(*words); i++)
		sum = sum * 31 + words[i];
	return sum;
}

void scene_look(const struct scene *scene, struct scene_state *state)
{
	memset(state, 0, sizeof(*state));
	ds_info(scene->root, &state->root);
	ds_info(scene->alias, &state->alias);
	state->content = content_of(scene->view, SCENE_PAGES * page_size());
	state->fds = count_fds();
	state->users = number_in_file(USERS, "");
	state->held = pages_held(&scene->pages) + pages_held(&scene->own);
}

const char *scene_difference(const struct scene_state *a,
			     const struct scene_state *b)
{
	if (memcmp(&a->root, &b->root, sizeof(a->root)))
		return "INFO of the root";
	if (memcmp(&a->alias, &b->alias, sizeof(a->alias)))
		return "INFO of the alias";
	if (a->content != b->content)
		return "the content";
	if (a->fds != b->fds)
		return "the number of descriptors";
	if (a->users != b->users)
		return "the users of the module";
	return a->held != b->held ? "the pages that are held" : NULL;
}

static void close_all(struct scene *scene)
{
	if (scene->map)
		munmap(scene->map, scene->length);
	if (scene->fd >= 0)
		close(scene->fd);
	if (scene->other >= 0)
		close(scene->other);
	munmap(scene->view, SCENE_PAGES * page_size());
	close(scene->alias);
	close(scene->root);
	close(scene->device);
}

static bool is_empty(const struct scene *scene)
{
	return !pages_held(&scene->pages) && !pages_held(&scene->own) &&
	       count_fds() == scene->fds &&
	       number_in_file(USERS, "") == scene->users;
}

bool scene_close(struct scene *scene, double timeout)
{
	double end = seconds() + timeout;
	bool empty;

	close_all(scene);
	while (!(empty = is_empty(scene)) && seconds() < end)
		usleep(10000);
	pages_forget(&scene->pages);
	pages_forget(&scene->own);
	return empty;
}
