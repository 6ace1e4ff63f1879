// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that knows nothing of dataspaces: it makes a file in memory, fills it
 * through a mapping, writes the same bytes into the file that it is given, and fails if
 * the three differ. With a second argument it prints where its mapping is, and waits.
 */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* More than a page of 2 MiB. */
#define LENGTH (3 << 20)

/* No two pages are alike. */
static void fill(uint32_t *words)
{
	uint32_t word = 1;
	size_t i;

	for (i = 0; i < LENGTH / sizeof(*words); i++) {
		word = word * 1664525 + 1013904223;
		words[i] = word;
	}
}

static void save(const char *path, const void *bytes)
{
	FILE *file = fopen(path, "w");

	if (!file || fwrite(bytes, 1, LENGTH, file) != LENGTH || fclose(file))
		err(EXIT_FAILURE, "%s", path);
}

int main(int argc, char **argv)
{
	int fd = memfd_create("numbers", MFD_CLOEXEC);
	uint32_t *wanted = malloc(LENGTH);
	char *copy = malloc(LENGTH);
	char *map;

	if (argc < 2 || !wanted || !copy)
		errx(EXIT_FAILURE, "which file?");
	if (ftruncate(fd, LENGTH))
		err(EXIT_FAILURE, "ftruncate");
	map = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		err(EXIT_FAILURE, "mmap");
	fill(wanted);
	memcpy(map, wanted, LENGTH);
	if (pread(fd, copy, LENGTH, 0) != LENGTH ||
	    memcmp(copy, wanted, LENGTH) || memcmp(map, wanted, LENGTH))
		errx(EXIT_FAILURE, "the bytes are not those written");
	save(argv[1], wanted);
	printf("%d %p %d\n", fd, map, LENGTH);
	fflush(stdout);
	if (argc > 2)
		pause();
	munmap(map, LENGTH);
	close(fd);
	free(copy);
	free(wanted);
	return EXIT_SUCCESS;
}
