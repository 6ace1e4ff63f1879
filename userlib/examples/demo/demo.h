/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef RAM_DEMO_H
#define RAM_DEMO_H

/*
 * Runs the service with all its clients through their lives and prints what
 * happened on one screen. Returns the exit status: success if everything was as
 * it had to be.
 */
int demo_main(void);

#endif /* RAM_DEMO_H */
