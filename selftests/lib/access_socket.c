// SPDX-License-Identifier: GPL-2.0-only
/*
 * Access by sockets that take pages instead of copies of them: the kernel's
 * ciphers, which may work in place, and the network.
 *
 * vmsplice(2) and splice(2) put pages of the mapping into the cipher's input,
 * which it decrypts. The output of that is noise, and with a checksum it is
 * refused, but only after the cipher has worked on the bytes.
 */
#include "access.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/if_alg.h>
#include <linux/rtnetlink.h>

#include "common.h"

#define KEY_SIZE 16
#define DIGEST_SIZE 32
#define ASSOC_SIZE 8
#define TAKEN 64

/*
 * The key of a cipher with a checksum: a header, then the keys of both parts.
 */
struct double_key {
	struct rtattr header;
	__u32 cipher_key_size;
	char hash_key[DIGEST_SIZE];
	char cipher_key[KEY_SIZE];
};

struct cipher {
	int algorithm;
	int socket;
};

static void cipher_close(struct cipher *cipher)
{
	close(cipher->socket);
	close(cipher->algorithm);
}

static long cipher_find(struct cipher *cipher, const char *type,
			const char *name)
{
	struct sockaddr_alg address = { .salg_family = AF_ALG };

	cipher->socket = -1;
	cipher->algorithm = socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (cipher->algorithm < 0)
		return errno == EAFNOSUPPORT ? NOT_AVAILABLE : -errno;
	strcpy((char *)address.salg_type, type);
	strcpy((char *)address.salg_name, name);
	if (bind(cipher->algorithm, (void *)&address, sizeof(address)))
		return errno == ENOENT ? NOT_AVAILABLE : -errno;
	return 0;
}

static long cipher_start(struct cipher *cipher)
{
	cipher->socket = accept4(cipher->algorithm, NULL, 0, SOCK_CLOEXEC);
	return cipher->socket < 0 ? -errno : 0;
}

static long cipher_set(struct cipher *cipher, int option, const void *value,
		       socklen_t size)
{
	const int fd = cipher->algorithm;

	return result(setsockopt(fd, SOL_ALG, option, value, size));
}

static void *add_control(struct msghdr *message, struct cmsghdr **at, int type,
			 size_t size)
{
	*at = *at ? CMSG_NXTHDR(message, *at) : CMSG_FIRSTHDR(message);
	(*at)->cmsg_level = SOL_ALG;
	(*at)->cmsg_type = type;
	(*at)->cmsg_len = CMSG_LEN(size);
	return CMSG_DATA(*at);
}

static void add_number(struct msghdr *message, struct cmsghdr **at, int type,
		       __u32 number)
{
	memcpy(add_control(message, at, type, sizeof(number)), &number,
	       sizeof(number));
}

/* Tells the cipher to decrypt what follows. */
static long cipher_decrypt(struct cipher *cipher)
{
	const size_t iv_size = sizeof(struct af_alg_iv) + KEY_SIZE;
	char control[256] __attribute__((aligned(8))) = {};
	struct msghdr message = { .msg_control = control };
	struct cmsghdr *at = NULL;
	struct af_alg_iv *iv;

	message.msg_controllen =
		2 * CMSG_SPACE(sizeof(__u32)) + CMSG_SPACE(iv_size);
	add_number(&message, &at, ALG_SET_OP, ALG_OP_DECRYPT);
	add_number(&message, &at, ALG_SET_AEAD_ASSOCLEN, ASSOC_SIZE);
	iv = add_control(&message, &at, ALG_SET_IV, iv_size);
	iv->ivlen = KEY_SIZE;
	return result(sendmsg(cipher->socket, &message, MSG_MORE));
}

static long cipher_hash(struct cipher *cipher)
{
	long ret = cipher_find(cipher, "hash", "sha256");

	return ret ? ret : cipher_start(cipher);
}

static long cipher_plain(struct cipher *cipher)
{
	long ret = cipher_find(cipher, "skcipher", "cbc(aes)");

	if (!ret)
		ret = cipher_set(cipher, ALG_SET_KEY, payload, KEY_SIZE);
	if (!ret)
		ret = cipher_start(cipher);
	return ret ? ret : cipher_decrypt(cipher);
}

/* authencesn writes to the end of its input while it works. */
static long cipher_checked(struct cipher *cipher)
{
	struct double_key key = {
		.header = { .rta_len = 8, .rta_type = 1 },
		.cipher_key_size = htonl(KEY_SIZE),
	};
	long ret = cipher_find(cipher, "aead",
			       "authencesn(hmac(sha256),cbc(aes))");

	if (!ret)
		ret = cipher_set(cipher, ALG_SET_KEY, &key, sizeof(key));
	if (!ret)
		ret = cipher_set(cipher, ALG_SET_AEAD_AUTHSIZE, NULL,
				 DIGEST_SIZE);
	if (!ret)
		ret = cipher_start(cipher);
	return ret ? ret : cipher_decrypt(cipher);
}

/* Moves pages of the mapping into the socket, through a pipe. */
static long splice_pages(void *map, size_t size, int socket)
{
	struct iovec iov = { map, size };
	int ends[2];
	long ret;

	if (pipe(ends))
		return -errno;
	ret = result(vmsplice(ends[1], &iov, 1, 0));
	if (ret > 0)
		ret = result(splice(ends[0], NULL, socket, NULL, size, 0));
	close_pipe(ends);
	return ret == size ? 0 : ret < 0 ? ret : -EIO;
}

/* @to: where the cipher's output is received */
static long work_on(long (*make)(struct cipher *cipher), void *map, size_t size,
		    void *to, size_t to_size)
{
	struct cipher cipher;
	long ret = make(&cipher);

	if (!ret)
		ret = splice_pages(map, size, cipher.socket);
	if (!ret)
		ret = result(recv(cipher.socket, to, to_size, 0));
	cipher_close(&cipher);
	return ret;
}

long access_alg_hash(void *map)
{
	return work_on(cipher_hash, map, TAKEN, seen, DIGEST_SIZE);
}

long access_alg_cipher(void *map)
{
	return work_on(cipher_plain, map, TAKEN, seen, TAKEN);
}

long access_alg_cipher_in_place(void *map)
{
	return work_on(cipher_plain, map, TAKEN, map, TAKEN);
}

long access_alg_checked(void *map)
{
	const size_t size = ASSOC_SIZE + TAKEN + DIGEST_SIZE;

	return work_on(cipher_checked, map, size, seen, ASSOC_SIZE + TAKEN);
}

long access_alg_checked_in_place(void *map)
{
	const size_t size = ASSOC_SIZE + TAKEN + DIGEST_SIZE;

	return work_on(cipher_checked, map, size, map, ASSOC_SIZE + TAKEN);
}

/* sendfile(2) gives the cipher pages of the file itself. */
long access_alg_sendfile(int fd)
{
	struct cipher cipher;
	long ret = cipher_plain(&cipher);

	if (!ret)
		ret = result(sendfile(cipher.socket, fd, NULL, TAKEN));
	if (ret > 0)
		ret = result(recv(cipher.socket, seen, ret, 0));
	cipher_close(&cipher);
	return ret;
}

/* Connects two sockets over the loopback device. */
static long connect_network(int ends[2], int type)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, type, 0);

	ends[0] = socket(AF_INET, type, 0);
	ends[1] = listener;
	if (bind(listener, (void *)&address, size) ||
	    getsockname(listener, (void *)&address, &size) ||
	    (type == SOCK_STREAM && listen(listener, 1)) ||
	    connect(ends[0], (void *)&address, size))
		return -errno;
	if (type != SOCK_STREAM)
		return 0;
	ends[1] = accept(listener, NULL, NULL);
	close(listener);
	return ends[1] < 0 ? -errno : 0;
}

static long send_pages(void *map, int type)
{
	const int on = 1;
	int ends[2];
	long ret = connect_network(ends, type);

	if (!ret)
		ret = result(setsockopt(ends[0], SOL_SOCKET, SO_ZEROCOPY, &on,
					sizeof(on)));
	if (!ret)
		ret = result(send(ends[0], map, TAKEN, MSG_ZEROCOPY));
	if (ret > 0)
		ret = result(recv(ends[1], seen, TAKEN, 0));
	close_pipe(ends);
	return ret;
}

long access_tcp_zerocopy(void *map)
{
	return send_pages(map, SOCK_STREAM);
}

long access_udp_zerocopy(void *map)
{
	return send_pages(map, SOCK_DGRAM);
}

long access_tcp_splice(void *map)
{
	int ends[2];
	long ret = connect_network(ends, SOCK_STREAM);

	if (!ret)
		ret = splice_pages(map, TAKEN, ends[0]);
	if (!ret)
		ret = result(recv(ends[1], seen, TAKEN, 0));
	close_pipe(ends);
	return ret;
}
