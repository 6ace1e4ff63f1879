// SPDX-License-Identifier: GPL-2.0-only
/* The tree of all dataspaces in debugfs: rule 24. */
#include <kselftest_harness.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "common.h"
#include "control.h"
#include "failpoint.h"
#include "kmod.h"
#include "proc.h"

#define TREE "/sys/kernel/debug/dataspace/tree"
#define TEXT_SIZE (4 << 20)

/* More than a line ever has. */
#define LINE_MAX_LENGTH 512

FIXTURE(tree)
{
	char *text;
	int root;
};

FIXTURE_SETUP(tree)
{
	if (access(TREE, F_OK))
		SKIP(return, "there is no debugfs");
	self->text = malloc(TEXT_SIZE);
	self->root = ds_alloc_pages(16);
	ASSERT_LE(0, self->root);
}

FIXTURE_TEARDOWN(tree)
{
	free(self->text);
}

/* The text of the line of a dataspace, from its id on, or NULL. */
static char *line_of(char *text, __u64 id)
{
	char key[32];

	snprintf(key, sizeof(key), "id=%llu ", id);
	return strstr(text, key);
}

/* The same with the tree read first, and ended where the line does. */
static char *read_line_of(char *text, __u64 id)
{
	char *line;

	if (proc_read(TREE, text, TEXT_SIZE) <= 0)
		return NULL;
	line = line_of(text, id);
	if (line)
		line[strcspn(line, "\n")] = '\0';
	return line;
}

/* Whether a line has a column with this text. */
static bool has(const char *line, const char *column)
{
	const char *at = line ? strstr(line, column) : NULL;
	const char end = at ? at[strlen(column)] : 'x';

	return end == ' ' || end == '\0';
}

static bool has_number(const char *line, const char *key, __u64 number)
{
	char column[64];

	snprintf(column, sizeof(column), " %s=%llu", key, number);
	return has(line, column);
}

static int depth_of(char *text, int ds)
{
	char *line = read_line_of(text, ds_id(ds));
	char *depth = line ? strstr(line, " depth=") : NULL;

	return depth ? atoi(depth + strlen(" depth=")) : -1;
}

/* rule 24 */
TEST_F(tree, has_a_line_for_a_root)
{
	const __u64 length = 16 * page_size();
	char *line = read_line_of(self->text, ds_id(self->root));
	char range[64];

	ASSERT_NE(NULL, line);
	snprintf(range, sizeof(range), " range=0-%llu", length);
	EXPECT_TRUE(has(line, range));
	EXPECT_TRUE(has_number(line, "depth", 0));
	EXPECT_TRUE(has_number(line, "length", length));
	EXPECT_TRUE(has_number(line, "exclusive", length));
	EXPECT_TRUE(has_number(line, "mappings", 0));
	EXPECT_TRUE(has_number(line, "devices", 0));
	EXPECT_TRUE(has_number(line, "pid", getpid()));
	EXPECT_TRUE(has(line, " rights=read,write,map,derive,export"));
	EXPECT_TRUE(has(line, " state=root,contiguous"));
	EXPECT_TRUE(has(line, " name="));
}

/* rule 24 */
TEST_F(tree, has_a_line_for_an_alias)
{
	int alias = ds_alias_pages(self->root, 3, 7, DATASPACE_READ);
	char *line = read_line_of(self->text, ds_id(alias));
	char range[64];

	ASSERT_NE(NULL, line);
	snprintf(range, sizeof(range), " range=%zu-%zu", 3 * page_size(),
		 7 * page_size());
	EXPECT_TRUE(has(line, range));
	EXPECT_TRUE(has_number(line, "depth", 1));
	EXPECT_TRUE(has_number(line, "length", 4 * page_size()));
	EXPECT_TRUE(has_number(line, "exclusive", 0));
	EXPECT_TRUE(has(line, " rights=read"));
	EXPECT_TRUE(has(line, " state=alias,contiguous"));
	line = read_line_of(self->text, ds_id(self->root));
	EXPECT_TRUE(has_number(line, "exclusive", 12 * page_size()));
}

/* rule 24: a line stands below that of the nearest ancestor that is there */
TEST_F(tree, shows_what_is_derived_from_what)
{
	int alias = ds_alias_pages(self->root, 0, 8, RIGHTS_RW);
	int derived = ds_alias_pages(alias, 0, 4, RIGHTS_RW);
	int sibling = ds_alias_pages(self->root, 8, 16, RIGHTS_RW);
	char *line;

	EXPECT_EQ(2, depth_of(self->text, derived));
	EXPECT_EQ(1, depth_of(self->text, sibling));
	EXPECT_EQ(1, depth_of(self->text, alias));
	ASSERT_LT(0, proc_read(TREE, self->text, TEXT_SIZE));
	line = line_of(self->text, ds_id(alias));
	ASSERT_NE(NULL, line);
	EXPECT_LT(line_of(self->text, ds_id(self->root)), line);
	EXPECT_EQ(0, strncmp(line - 3, "\n  ", 3));
	line = strchr(line, '\n');
	EXPECT_EQ(line + strlen("\n    "), line_of(self->text, ds_id(derived)));
	close(alias);
	EXPECT_EQ(1, depth_of(self->text, derived));
	EXPECT_EQ(0, depth_of(self->text, self->root));
	close(self->root);
	EXPECT_EQ(0, depth_of(self->text, derived));
}

/* rule 24: what has no descriptor any more, but a mapping */
TEST_F(tree, tells_of_what_is_only_mapped)
{
	const __u64 id = ds_id(self->root);
	char *map = ds_map(self->root, 16 * page_size(), READ_WRITE);
	char *line;

	ASSERT_NE(MAP_FAILED, map);
	close(self->root);
	line = read_line_of(self->text, id);
	EXPECT_TRUE(has(line, " state=root,contiguous,closed"));
	EXPECT_TRUE(has_number(line, "mappings", 1));
	EXPECT_TRUE(has_number(line, "exclusive", 0));
	munmap(map, 16 * page_size());
	EXPECT_EQ(NULL, read_line_of(self->text, id));
}

/* rule 24: and what was revoked is not there any more */
TEST_F(tree, tells_what_was_sealed_and_not_what_was_revoked)
{
	int alias = ds_alias_pages(self->root, 0, 8, RIGHTS_RW);

	ASSERT_EQ(0, ds_seal(alias, 0));
	EXPECT_TRUE(has(read_line_of(self->text, ds_id(alias)),
			" state=alias,contiguous,sealed"));
	EXPECT_TRUE(has(read_line_of(self->text, ds_id(alias)),
			" rights=read,map,derive,export"));
	ASSERT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(NULL, read_line_of(self->text, ds_id(alias)));
	EXPECT_NE(NULL, read_line_of(self->text, ds_id(self->root)));
}

static int set_name(int ds, const char *name)
{
	struct dataspace_name arg = { .size = sizeof(arg) };

	strncpy(arg.name, name, sizeof(arg.name) - 1);
	return result(ioctl(ds, DATASPACE_IOC_SET_NAME, &arg));
}

/* rule 24 */
TEST_F(tree, tells_names)
{
	ASSERT_EQ(0, set_name(self->root, "frames"));
	EXPECT_TRUE(has(read_line_of(self->text, ds_id(self->root)),
			" name=frames"));
}

/* rule 24: nobody makes lines, columns or escape sequences of a terminal */
TEST_F(tree, escapes_names_and_commands)
{
	char *line;
	int ds;

	ASSERT_EQ(0, prctl(PR_SET_NAME, "a b\n\033[1m\\\xc2\x9b"));
	ds = ds_alloc_pages(1);
	ASSERT_EQ(0, set_name(ds, "x y\\ \xc3\xa4"));
	line = read_line_of(self->text, ds_id(ds));
	EXPECT_TRUE(has(line, " command=a\\040b\\012\\033[1m\\134\\302\\233"));
	EXPECT_TRUE(has(line, " name=x\\040y\\134\\040\\303\\244"));
}

/* rule 24: it is the last line */
TEST_F(tree, has_a_total)
{
	unsigned long long count, in_use, limit;
	unsigned long long lines = 0;
	char *at;

	ASSERT_LT(0, proc_read(TREE, self->text, TEXT_SIZE));
	for (at = self->text; (at = strstr(at, "id=")); at++) {
		if (at == self->text || at[-1] == ' ' || at[-1] == '\n')
			lines += !strncmp(at + strcspn(at, " "), " depth=", 7);
	}
	at = strstr(self->text, "total ");
	ASSERT_NE(NULL, at);
	ASSERT_EQ(3,
		  sscanf(at, "total dataspaces=%llu in_use=%llu limit=%llu\n",
			 &count, &in_use, &limit));
	EXPECT_EQ(lines, count);
	EXPECT_LE(16 * page_size(), in_use);
	EXPECT_EQ('\n', at[strcspn(at, "\n")]);
	EXPECT_EQ('\0', at[strcspn(at, "\n") + 1]);
}

static int open_as_nobody(void)
{
	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		return 1;
	return open(TREE, O_RDONLY) < 0 && errno == EACCES ? 0 : 2;
}

/* rule 24 */
TEST_F(tree, is_for_root_only)
{
	struct stat stats;
	pid_t child;

	ASSERT_EQ(0, stat(TREE, &stats));
	EXPECT_EQ(S_IFREG | 0400, stats.st_mode);
	EXPECT_EQ(0, stats.st_uid);
	child = fork();
	if (!child)
		_exit(open_as_nobody());
	EXPECT_EQ(0, wait_for(child));
}

#define DEEP 300

/* rules 24 and 25: who derives deeply makes the tree longer, but not wider */
TEST_F(tree, is_not_wide_where_it_is_deep)
{
	int ds = self->root;
	size_t longest = 0;
	char *at;
	int i;

	ASSERT_EQ(0, allow_fds(DEEP));
	for (i = 0; i < DEEP; i++)
		ds = ds_alias_pages(ds, 0, 1, RIGHTS_RW);
	EXPECT_EQ(DEEP, depth_of(self->text, ds));
	ASSERT_LT(0, proc_read(TREE, self->text, TEXT_SIZE));
	for (at = self->text; *at; at += strcspn(at, "\n") + 1) {
		if (strcspn(at, "\n") > longest)
			longest = strcspn(at, "\n");
	}
	EXPECT_GT(LINE_MAX_LENGTH, longest);
}

#define MANY 1000

/* Begins to read, and stops somewhere in the middle. */
static int begin_to_read(char *text, size_t size)
{
	int fd = open(TREE, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, size);

	text[got < 0 ? 0 : got] = '\0';
	return fd;
}

/* The whole rest; 0 or -errno. */
static long read_on(int fd, char *text)
{
	size_t length = strlen(text);
	ssize_t got;

	while ((got = read(fd, text + length, TEXT_SIZE - 1 - length)) > 0)
		length += got;
	text[length] = '\0';
	return got < 0 ? -errno : 0;
}

static int times_in(char *text, __u64 id)
{
	int times = 0;

	while ((text = line_of(text, id))) {
		times++;
		text++;
	}
	return times;
}

/*
 * rule 24: however many come and go while somebody reads. Aliases of aliases let
 * depths change.
 */
TEST_F(tree, has_those_that_stay_once_and_none_that_is_new)
{
	int fds[MANY], parents[MANY / 10], more[MANY];
	int i, fd;

	ASSERT_EQ(0, allow_fds(3 * MANY));
	for (i = 0; i < MANY; i++) {
		if (i % 10 == 0)
			parents[i / 10] =
				ds_alias_pages(self->root, 0, 16, RIGHTS_RW);
		fds[i] = ds_alias_pages(parents[i / 10], i % 16, i % 16 + 1,
					RIGHTS_RW);
		ASSERT_LE(0, fds[i]);
	}
	fd = begin_to_read(self->text, 64 * 1024);
	ASSERT_LE(0, fd);
	for (i = 0; i < MANY; i++) {
		more[i] = ds_alias_pages(fds[i], 0, 1, RIGHTS_RW);
		if (i % 2)
			close(fds[i]);
		if (i % 10 == 0)
			close(parents[i / 10]);
	}
	ASSERT_EQ(0, read_on(fd, self->text));
	for (i = 0; i < MANY; i += 2)
		EXPECT_EQ(1, times_in(self->text, ds_id(fds[i])));
	for (i = 0; i < MANY; i++)
		EXPECT_EQ(0, times_in(self->text, ds_id(more[i])));
	EXPECT_NE(NULL, strstr(self->text, "\ntotal "));
	close(fd);
	ASSERT_LT(0, proc_read(TREE, self->text, TEXT_SIZE));
	EXPECT_EQ(1, depth_of(self->text, fds[0]));
	EXPECT_EQ(2, depth_of(self->text, more[0]));
	EXPECT_EQ(1, depth_of(self->text, more[1]));
}

static long long in_use(void)
{
	return number_in_file(KMOD_PARAMETERS "in_use", "");
}

static bool refcnt_becomes(long long count)
{
	const double end = seconds() + SOON;

	while (number_in_file(KMOD_REFCNT, "") != count && seconds() < end)
		usleep(1000);
	return number_in_file(KMOD_REFCNT, "") == count;
}

/* rules 14 and 24: memory goes at once, and the rest of a root soon after */
TEST_F(tree, keeps_nothing_while_its_reader_pauses)
{
	const long long refcnt = number_in_file(KMOD_REFCNT, "");
	const long long before = in_use();
	int ds = ds_alloc_pages(64);
	int fds[MANY];
	int i, fd;

	ASSERT_EQ(0, allow_fds(MANY));
	for (i = 0; i < MANY; i++)
		fds[i] = ds_alias_pages(ds, i % 64, i % 64 + 1, RIGHTS_RW);
	fd = begin_to_read(self->text, 32 * 1024);
	ASSERT_LE(0, fd);
	for (i = 0; i < MANY; i++)
		close(fds[i]);
	close(ds);
	EXPECT_EQ(before, in_use());
	EXPECT_TRUE(refcnt_becomes(refcnt + 1));
	ASSERT_EQ(0, read_on(fd, self->text));
	EXPECT_NE(NULL, strstr(self->text, "\ntotal "));
	close(fd);
	EXPECT_TRUE(refcnt_becomes(refcnt));
}

/* rules 16 and 24 */
TEST_F(tree, that_is_open_keeps_the_module)
{
	int fd, ret;

	if (!kmod_can_load())
		SKIP(return, "the module can't be loaded again here");
	fd = begin_to_read(self->text, 1);
	ASSERT_LE(0, fd);
	close(self->root);
	ret = kmod_unload();
	EXPECT_TRUE(ret == -EAGAIN || ret == -EBUSY);
	close(fd);
	ASSERT_EQ(0, kmod_unload());
	EXPECT_NE(0, access(TREE, F_OK));
	ASSERT_EQ(0, kmod_load(""));
	EXPECT_EQ(0, access(TREE, F_OK));
}

/* rule 24: without memory it fails, or it has all */
TEST_F(tree, fails_without_memory_and_nothing_else)
{
	unsigned int nth;
	bool hit = true;

	if (!failpoint_possible())
		SKIP(return, "no /proc/self/fail-nth in this kernel");
	for (nth = 1; hit && nth < 100; nth++) {
		long got;

		ASSERT_EQ(0, failpoint_arm(nth));
		got = proc_read(TREE, self->text, TEXT_SIZE);
		hit = failpoint_disarm();
		EXPECT_TRUE(got > 0 || got == -ENOMEM || got == -EFAULT);
		EXPECT_TRUE(got < 0 || line_of(self->text, ds_id(self->root)));
	}
	EXPECT_FALSE(hit);
}

#define RACE_SECONDS 3

/* Aliases of aliases, mapped, closed, revoked, and roots that go. */
static void come_and_go(unsigned int seed)
{
	int fds[16];
	int i;

	for (i = 0; i < ARRAY_LENGTH(fds); i++)
		fds[i] = -1;
	for (;;) {
		int *fd = &fds[rand_r(&seed) % ARRAY_LENGTH(fds)];
		int source = fds[rand_r(&seed) % ARRAY_LENGTH(fds)];

		if (rand_r(&seed) % 8 == 0)
			ds_revoke_flags(source,
					rand_r(&seed) %
						(DATASPACE_REVOKE_SELF + 1));
		close(*fd);
		*fd = ds_alias(source, 0, page_size(), RIGHTS_RW);
		if (*fd < 0)
			*fd = ds_alloc_pages(1);
		if (rand_r(&seed) % 4 == 0) {
			char *map = ds_map(*fd, page_size(), READ_WRITE);

			if (map != MAP_FAILED && rand_r(&seed) % 2)
				munmap(map, page_size());
			else if (map != MAP_FAILED)
				mmap(map, page_size(), PROT_NONE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
				     -1, 0);
		}
	}
}

/* Makes new ones just where a reader comes next, for ever. */
static void nest_for_ever(unsigned int root)
{
	int last = ds_alias(root, 0, page_size(), RIGHTS_RW);

	for (;;) {
		int next = ds_alias(last, 0, page_size(), RIGHTS_RW);

		close(last);
		last = next;
	}
}

static pid_t start(void (*function)(unsigned int arg), unsigned int arg)
{
	pid_t child = fork();

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		function(arg);
	}
	return child;
}

/* rules 24 and 25: nobody can draw out a reading, or gets in its way */
TEST_F(tree, is_read_while_all_come_and_go)
{
	const double end = seconds() + RACE_SECONDS;
	pid_t children[4];
	int passes = 0;
	int i;

	children[0] = start(nest_for_ever, self->root);
	for (i = 1; i < ARRAY_LENGTH(children); i++)
		children[i] = start(come_and_go, random_seed() + i);
	while (seconds() < end) {
		ASSERT_LT(0, proc_read(TREE, self->text, TEXT_SIZE));
		ASSERT_EQ(1, times_in(self->text, ds_id(self->root)));
		ASSERT_NE(NULL, strstr(self->text, "\ntotal "));
		passes++;
	}
	for (i = 0; i < ARRAY_LENGTH(children); i++) {
		kill(children[i], SIGKILL);
		wait_for(children[i]);
	}
	TH_LOG("read %d times", passes);
	EXPECT_LT(0, passes);
}

TEST_HARNESS_MAIN
