/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's asynchronous I/O, one request at a time. */
#ifndef DATASPACE_AIO_H
#define DATASPACE_AIO_H

#include <linux/aio_abi.h>

/* The result of the request, or -errno if it was refused. */
long aio_do(struct iocb *request);

#endif
