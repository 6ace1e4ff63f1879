/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef RAM_CLIENT_H
#define RAM_CLIENT_H

/*
 * The life of one client of the RAM service that listens at @path: takes what
 * the service gives, and does what it says until it hangs up. Returns the exit
 * status of the process.
 */
int client_main(const char *path);

#endif /* RAM_CLIENT_H */
