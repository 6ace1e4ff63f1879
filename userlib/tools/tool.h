/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the files of the command share. A function that cannot do what it is asked
 * for says why and ends the program.
 */
#ifndef DATASPACE_TOOL_H
#define DATASPACE_TOOL_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <dataspace_explain.h>

/* How the program ends, beside EXIT_SUCCESS; dataspace(1) lists them. */
enum {
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
	STATUS_NO_DEVICE = 3,
	STATUS_NOT_EXECUTABLE = 126,
	STATUS_NOT_FOUND = 127,
};

/* The first descriptor that a program gets, by the convention of LISTEN_FDS. */
#define FIRST_FD 3

/* usage.c: what is wrong with the arguments. */
__attribute__((noreturn, format(printf, 1, 2))) void usage(const char *format,
							   ...);

/* parse.c */
uint64_t parse_size(const char *text);
uint32_t parse_rights(const char *text);
/* The rights as fdinfo names them, separated by @separator. */
void print_rights(FILE *stream, uint32_t rights, const char *separator);
/* "64 KiB", in one of a few buffers that are used in turn. */
const char *readable(uint64_t bytes);

/* text.c */
/*
 * Text of others for people: bytes that are not printable ASCII, and backslashes,
 * as "\ooo", in one of a few buffers that are used in turn.
 */
const char *escaped(const char *text);
/* The first @length bytes of a text of others. */
void print_json_string(const char *text, size_t length);

/* target.c */
/* A descriptor of what @text names, "FD" of this process or "PID/FD". */
int open_target(const char *text);
/*
 * getopt_long() for a command that takes the options @short_options, which begin
 * with "+", and @options.
 */
int next_option(int argc, char **argv, const char *short_options,
		const struct option *options);
/* The only argument that is left. */
const char *only_argument(int argc, char **argv);

/* run.c */
/*
 * Becomes the program @argv with @fds, of which there are @n, as its descriptors
 * from FIRST_FD on, and no other dataspace.
 */
__attribute__((noreturn)) void run_program(char **argv, const int *fds,
					   const char *const *names,
					   unsigned int n);

/* socket.c */
struct sockaddr_un;
/* A new socket, and the address that @path is. */
int socket_at(const char *path, int type, struct sockaddr_un *address);

/* The commands. */
int command_alias(int argc, char **argv);
int command_alloc(int argc, char **argv);
int command_get(int argc, char **argv);
int command_hexdump(int argc, char **argv);
int command_info(int argc, char **argv);
int command_list(int argc, char **argv);
int command_name(int argc, char **argv);
int command_publish(int argc, char **argv);
int command_recv(int argc, char **argv);
int command_revoke(int argc, char **argv);
int command_run(int argc, char **argv);
int command_seal(int argc, char **argv);
int command_send(int argc, char **argv);
int command_store(int argc, char **argv);
int command_top(int argc, char **argv);

#endif /* DATASPACE_TOOL_H */
