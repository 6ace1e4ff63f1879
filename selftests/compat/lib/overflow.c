// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies from a file in memory into a buffer of its own, as many bytes as it is told:
 * with more than 4096, what looks for such errors has to find the overflow.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LENGTH 1048576
#define BUFFER 4096

int main(int argc, char **argv)
{
	int fd = memfd_create("numbers", MFD_CLOEXEC);
	size_t n = argc > 1 ? atoi(argv[1]) : BUFFER;
	char *buffer = malloc(BUFFER);
	char *map;

	if (!buffer || ftruncate(fd, LENGTH))
		err(EXIT_FAILURE, "no memory");
	map = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		err(EXIT_FAILURE, "mmap");
	memset(map, 'd', LENGTH);
	memcpy(buffer, map, n);
	printf("%.4s\n", buffer);
	free(buffer);
	munmap(map, LENGTH);
	close(fd);
	return EXIT_SUCCESS;
}
