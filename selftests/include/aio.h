/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's own asynchronous I/O: one request, waited for. */
#ifndef DATASPACE_AIO_H
#define DATASPACE_AIO_H

#include <linux/aio_abi.h>

/* What the request returned, or -errno if it was not taken. */
long aio_do(struct iocb *request);

#endif
