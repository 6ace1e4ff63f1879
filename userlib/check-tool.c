// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Tests of the command dataspace: scripts that call it, with the status and a part
 * of the output that they are to have. The command is linked into this program,
 * which is the command if it is called with arguments, so that it can be taken to
 * a machine that has the device and no compiler.
 *
 *	check-tool		needs /dev/dataspace and a shell
 */
#include <dataspace.h>
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check-folder.h"

/* main() of the command. */
int tool_main(int argc, char **argv);

/* What dataspace(1) shows a screen of, with a program that waits. */
#define SCREEN(command)                                                    \
	"printf '#!/bin/sh\\nread x <>wait\\n' >camera; chmod +x camera; " \
	"[ -e wait ] || mkfifo wait; "                                     \
	"dataspace alloc -n frames 16M -- sh -c '"                         \
	"dataspace alias -l 4M -r rw 3 -- ./camera & "                     \
	"until dataspace list | grep -q camera; do :; done; " command      \
	"; kill $!'"

/* In a shell that is called as could upset a terminal, or who reads JSON. */
#define HOSTILE(command)                                                 \
	"dataspace alloc 4K -- sh -c 'printf \"a\\033[2J\\n\\042\\134"   \
	"\\377\\302\\233\\360\\237\\230\\200\" >/proc/$$/comm; " command \
	"; :'"
#define HOSTILE_ESCAPED \
	"a\\033[2J\\012\"\\134\\377\\302\\233\\360\\237\\230\\200"

/* With an alias of an alias, and the lines about the three. */
#define NESTED(command)                                                      \
	"echo 'dataspace name 3 b; dataspace alias -l 4K 3 -- sh inner; :' " \
	">outer; echo 'dataspace name 3 c; " command "; :' >inner; "         \
	"dataspace alloc -n a 12K -- sh -c '"                                \
	"dataspace alias -l 8K 3 -- sh outer; :' | "                         \
	"sed -n 's/^\\( *dataspace\\) .* \\(\"[abc]\"\\)$/\\1 \\2/p'"

static const struct test {
	const char *name;
	const char *script;
	int status;
	const char *expected;
} tests[] = {
	{ "alloc", "dataspace alloc 64K -- dataspace info 3", 0,
	  "length       64 KiB\n" },
	{ "alloc with rights",
	  "dataspace alloc -r read,map 4K -- dataspace info 3", 0,
	  "rights       read map\n" },
	{ "alloc with a name",
	  "dataspace alloc -sn 'my buffer' 4K -- dataspace list", 0,
	  "\"my buffer\"" },
	{ "alloc with a name, too long",
	  "dataspace alloc -n 12345678901234567890123456789012 4K -- true", 1,
	  "not named: a name has at most 31 bytes\n" },
	{ "alloc, right to read", "dataspace alloc -r map 4K -- true", 1,
	  "the right to read is missing" },
	{ "alloc says why", "dataspace alloc 0 -- true", 1, "the length is 0" },
	{ "alloc, convention",
	  "dataspace alloc -n x 4K -- sh -c 'echo $LISTEN_FDS $LISTEN_FDNAMES $(($LISTEN_PID - $$))'",
	  0, "1 x 0\n" },
	{ "alias",
	  "dataspace alloc 64K -- dataspace alias -o 4K -l 8K 3 -- dataspace info 3",
	  0, "length       8 KiB\n" },
	{ "alias, rest",
	  "dataspace alloc 64K -- dataspace alias -o 16K 3 -- dataspace info 3",
	  0, "length       48 KiB\n" },
	{ "alias, no other",
	  "dataspace alloc 8K -- dataspace run --fd 3 --fd 3=two -- dataspace alias 4 -- dataspace info 4",
	  1, "Bad file descriptor" },
	{ "alias clipped",
	  "dataspace alloc -r ro 4K -- dataspace alias -cr rw 3 -- dataspace info 3",
	  0, "read map derive export\n" },
	{ "alias, offset",
	  "dataspace alloc 8K -- dataspace alias -o 1 -l 4K 3 -- true", 1,
	  "the offset is not a multiple of the page size" },
	{ "alias, length",
	  "dataspace alloc 8K -- dataspace alias -l 1 3 -- true", 1,
	  "the length is not a multiple of the page size" },
	{ "alias, range",
	  "dataspace alloc 8K -- dataspace alias -l 64K 3 -- true", 1,
	  "the range does not lie in the dataspace" },
	{ "alias, end", "dataspace alloc 8K -- dataspace alias -o 8K 3 -- true",
	  1, "the length is 0" },
	{ "alias, read",
	  "dataspace alloc 8K -- dataspace alias -r map 3 -- true", 1,
	  "the right to read is missing" },
	{ "alias, right",
	  "dataspace alloc -r ro 8K -- dataspace alias -r rw 3 -- true", 1,
	  "an alias cannot have a right that the dataspace lacks" },
	{ "alias, derive",
	  "dataspace alloc -r read 8K -- dataspace alias -r read 3 -- true", 1,
	  "lacks the right to derive" },
	{ "alias, sealed",
	  "dataspace alloc 8K -- sh -c 'dataspace seal 3; dataspace alias -r rw 3 -- true'",
	  1, "is sealed" },
	{ "run, names",
	  "dataspace alloc 4K -- dataspace run -f 3=a -f 3=b -- sh -c 'echo $LISTEN_FDS $LISTEN_FDNAMES'",
	  0, "2 a:b\n" },
	{ "run, what it was given itself",
	  "dataspace alloc -n x 4K -- dataspace run -- sh -c 'echo $LISTEN_FDS $LISTEN_FDNAMES $(($LISTEN_PID - $$)); dataspace info 3 >info || echo no'",
	  0, "1 x 0\n" },
	{ "run, what somebody else was given",
	  "dataspace alloc 4K -- sh -c 'sh -c \"dataspace run -- sh -c \\\"dataspace info 3 2>info || echo none\\\"; true\"'",
	  0, "none\n" },
	{ "hexdump",
	  "dataspace alloc 4K -- sh -c 'printf hello >&3; dataspace hexdump 3'",
	  0,
	  "00000000  68 65 6c 6c 6f 00 00 00  00 00 00 00 00 00 00 00  |hello...........|\n"
	  "00000010  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n"
	  "*\n00001000\n" },
	{ "hexdump of a part",
	  "dataspace alloc 4K -- sh -c 'printf hello >&3; dataspace hexdump -o 1 -n 3 3'",
	  0, "00000001  65 6c 6c   " },
	{ "seal",
	  "dataspace alloc 4K -- sh -c 'dataspace seal --now 3; dataspace info 3'",
	  0, "sealed" },
	{ "seal without the right",
	  "dataspace alloc -r ro 4K -- dataspace seal 3", 1,
	  "lacks the right to write" },
	{ "revoke",
	  "mkfifo fifo; dataspace alloc 4K -- sh -c 'dataspace alias 3 -- sh -c \"read x <fifo; dataspace info 3\" & until dataspace info 3 | grep -q \"aliases      1\"; do :; done; dataspace revoke 3; echo >fifo; wait'",
	  0, "contiguous revoked\n" },
	{ "revoke itself",
	  "dataspace alloc 4K -- sh -c 'dataspace revoke -s 3; dataspace revoke 3'",
	  1, "the dataspace was revoked" },
	{ "name",
	  "dataspace alloc 4K -- sh -c 'dataspace name 3 other; dataspace list'",
	  0, "\"other\"" },
	{ "name, too long",
	  "dataspace alloc 4K -- dataspace name 3 12345678901234567890123456789012",
	  1, "at most 31 bytes" },
	{ "name, control character",
	  "dataspace alloc 4K -- dataspace name 3 \"$(printf 'a\\tb')\"", 1,
	  "not named: a name has no control characters\n" },
	{ "another process",
	  "dataspace alloc -n held 12K -- sleep 60 & until dataspace list | grep -q held; do :; done; dataspace info $!/3; kill $!",
	  0, "length       12 KiB\n" },
	{ "no such process", "dataspace info 99999999/3", 1,
	  "process 99999999" },
	{ "no dataspace", "dataspace info 0", 1, "it is not a dataspace" },
	{ "send and recv",
	  "dataspace recv socket -- dataspace info 4 & until dataspace alloc 20K -- dataspace send socket 3 3 2>/dev/null; do :; done; wait $!",
	  0, "length       20 KiB\n" },
	{ "list, mapped", "dataspace list", 0, "maps 64 KiB\n" },
	{ "list as JSON", "dataspace alloc 64K -- dataspace list --json", 0,
	  "65536, \"rights\": [\"read\", \"write\", \"map\", \"derive\", \"export\"], \"state\"" },
	{ "top", "dataspace alloc 1M -- dataspace top -n 1", 0,
	  "           1        1 MiB          0 B  " },
	{ "list, hostile process", HOSTILE("dataspace list"), 0,
	  " " HOSTILE_ESCAPED " descriptor 3\n" },
	{ "list as JSON, hostile process", HOSTILE("dataspace list -j"), 0,
	  "\"command\": \"a\\u001b[2J\\u000a\\\"\\\\\\ufffd\\u009b\\ud83d\\ude00\", " },
	{ "top, hostile process", HOSTILE("dataspace top -n 1"), 0,
	  "  " HOSTILE_ESCAPED "\n" },
	{ "list, name", "dataspace alloc -n 'f\xc3\xbcr' 4K -- dataspace list",
	  0, "\"f\\303\\274r\"\n" },
	{ "list as JSON, name",
	  "dataspace alloc -n 'f\xc3\xbcr' 4K -- dataspace list -j", 0,
	  "\"name\": \"f\\u00fcr\"}" },
	{ "list, what is derived from what", NESTED("dataspace list"), 0,
	  "  dataspace \"a\"\n    dataspace \"b\"\n      dataspace \"c\"\n" },
	{ "list, without debugfs",
	  NESTED("unshare -m sh -c \"mount -t tmpfs none /sys/kernel/debug; "
		 "dataspace list\"") " | sort",
	  0, "  dataspace \"a\"\n  dataspace \"b\"\n  dataspace \"c\"\n" },
	{ "screen of list", SCREEN("dataspace list"), 0,
	  " 4 MiB, alias contiguous (read write map derive export)\n" },
	{ "screen of list, holder", SCREEN("dataspace list"), 0,
	  " camera          descriptor 3\n" },
	{ "screen of top", SCREEN("dataspace top -n 1"), 0,
	  "           1        4 MiB          0 B  camera\n" },
	{ "run with preload",
	  "DATASPACE_PRELOAD=/dev/null LD_PRELOAD=x dataspace run -p -- sh -c 'echo $LD_PRELOAD'",
	  0, "/dev/null:x\n" },
	{ "preload, no library",
	  "DATASPACE_PRELOAD=/nothing dataspace run --preload -- true", 1,
	  "/nothing" },
	{ "no program", "dataspace run -- nothing-like-this", 127, "" },
	{ "not a program", "dataspace run -- /dev", 126, "" },
	{ "status of the program", "dataspace run -- sh -c 'exit 7'", 7, "" },
	{ "no command", "dataspace", 2, "which command?" },
	{ "unknown command", "dataspace help", 2, "there is no command" },
	{ "unknown option", "dataspace list --no", 2, "" },
	{ "not a size", "dataspace alloc 1Q -- true", 2, "units" },
	{ "too much", "dataspace alloc 99999999999T -- true", 2, "too much" },
	{ "not a right", "dataspace alloc -r red 4K -- true", 2,
	  "'red' is not a right" },
	{ "no systemd", "dataspace alloc 4K -- dataspace store 3", 1,
	  "NOTIFY_SOCKET" },
	{ "no device",
	  "unshare -m sh -c 'mount -t tmpfs none /dev && dataspace alloc 4K -- true'",
	  3, "the module is not loaded" },
};

#define TESTS (sizeof(tests) / sizeof(tests[0]))

static unsigned int count;
static unsigned int failed;

static void verdict(bool good, const char *name)
{
	failed += !good;
	printf("%sok %u %s\n", good ? "" : "not ", ++count, name);
}

static void run(const struct test *test)
{
	char script[1024];
	char text[65536];
	size_t length;
	FILE *output;
	int status;
	bool good;

	snprintf(script, sizeof(script), "{ %s; } 2>&1 <&1", test->script);
	output = popen(script, "re");
	if (!output)
		err(EXIT_FAILURE, "popen");
	length = fread(text, 1, sizeof(text) - 1, output);
	text[length] = 0;
	status = pclose(output);
	good = WIFEXITED(status) && WEXITSTATUS(status) == test->status &&
	       strstr(text, test->expected);
	verdict(good, test->name);
	if (!good)
		printf("# %s\n# status 0x%x, expected %d and \"%s\", printed:\n%s\n",
		       test->script, status, test->status, test->expected,
		       text);
}

/* What a service manager would receive. */
static void run_store(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct dataspace_info info = { .length = 0 };
	unsigned int n = 1;
	char text[64] = "";
	bool good;
	ssize_t got;
	int status;
	int ds;

	strcpy(address.sun_path, "notify");
	if (bind(manager, (struct sockaddr *)&address, sizeof(address)))
		err(EXIT_FAILURE, "bind");
	setenv("NOTIFY_SOCKET", address.sun_path, 1);
	status = system("dataspace alloc 28K -- dataspace store -n kept 3");
	unsetenv("NOTIFY_SOCKET");
	if (status)
		errx(EXIT_FAILURE, "nothing was stored");
	got = dataspace_recv_msg(manager, text, sizeof(text) - 1, &ds, &n);
	if (got < 0 || n != 1)
		errx(EXIT_FAILURE, "nothing was received");
	dataspace_info(ds, &info, sizeof(info));
	good = !strcmp(text, "FDSTORE=1\nFDNAME=kept");
	verdict(good && info.length == 28 << 10, "store");
	close(ds);
	close(manager);
}

/* The longest line that "list" prints on a terminal of so many columns. */
static size_t longest_on_terminal(unsigned short columns)
{
	const struct winsize size = { .ws_row = 24, .ws_col = columns };
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char script[128], line[512];
	size_t longest = 0;
	FILE *output;

	if (terminal < 0 || grantpt(terminal) || unlockpt(terminal) ||
	    ioctl(terminal, TIOCSWINSZ, &size))
		err(EXIT_FAILURE, "terminal");
	snprintf(script, sizeof(script),
		 "NO_COLOR=1 dataspace alloc 4K -- dataspace list >%s",
		 ptsname(terminal));
	if (system(script))
		errx(EXIT_FAILURE, "nothing was printed on a terminal");
	output = fdopen(terminal, "r");
	if (!output)
		err(EXIT_FAILURE, "terminal");
	while (fgets(line, sizeof(line), output))
		if (strcspn(line, "\r\n") > longest)
			longest = strcspn(line, "\r\n");
	fclose(output);
	return longest;
}

static void run_on_terminal(void)
{
	verdict(longest_on_terminal(40) == 40, "list, cut to the terminal");
	verdict(longest_on_terminal(0) > 60, "list, terminal of no width");
}

/* For "list" to have something that is mapped. */
static void map_something(void)
{
	size_t length = 64 << 10;
	int ds = dataspace_alloc(length, DATASPACE_RW, 0);
	void *address;

	if (ds < 0)
		errx(EXIT_FAILURE, "no memory: %s", strerror(-ds));
	address = mmap(NULL, length, PROT_READ, MAP_SHARED, ds, 0);
	if (address == MAP_FAILED)
		err(EXIT_FAILURE, "mmap");
	close(ds);
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');
	size_t i;

	if (!strcmp(name ? name + 1 : argv[0], "dataspace"))
		return tool_main(argc, argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	make_folder();
	map_something();
	printf("TAP version 13\n1..%zu\n", TESTS + 3);
	run_store();
	run_on_terminal();
	for (i = 0; i < TESTS; i++)
		run(&tests[i]);
	printf("# %u of %u passed\n", count - failed, count);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
