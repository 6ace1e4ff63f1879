/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the service does about memory that it has handed out: it seals the
 * board, and cuts off a client that gives nothing back.
 */
#ifndef RAM_CONTROL_H
#define RAM_CONTROL_H

#include "service.h"

/* Does it and prints what came of it. */
void print_control(struct service *service);

#endif /* RAM_CONTROL_H */
