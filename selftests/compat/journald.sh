#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# packages: systemd python3
# shellcheck source=lib/common.sh
. /compat/lib/common.sh

cat >send.py <<'END'
import fcntl, os, socket

SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
NOBODY = 65534

# What gets its size by write(2) stays a file.
def make(text, is_file, seals):
    data = f"MESSAGE={text}\n".encode().ljust(4096, b"\n")
    fd = os.memfd_create("message", os.MFD_ALLOW_SEALING)
    if not is_file:
        os.ftruncate(fd, len(data))
    os.pwrite(fd, data, 0)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd

def send(fd):
    journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    journal.connect("/run/systemd/journal/socket")
    socket.send_fds(journal, [b""], [fd])

of_user = make("dataspace of a user", False, SEALS)
send(make("dataspace of root", False, SEALS))
os.setuid(NOBODY)
send(of_user)
send(make("file of a user", True, SEALS | fcntl.F_SEAL_SEAL))
END
systemd-machine-id-setup >id.log 2>&1
/lib/systemd/systemd-journald >journald.log 2>&1 &
await [ -S /run/systemd/journal/socket ]
dataspace run --preload -- python3 send.py >python.log 2>&1 ||
	wrong "the program has failed"
made message || wrong "there was no dataspace"
told()
{
	journalctl -o cat 2>journalctl.log | grep -qx "$*"
}
await told file of a user
told dataspace of root || wrong "it has not taken that of root"
! told dataspace of a user || wrong "it has taken that of a user"
fails "takes from users only what is sealed, which it asks the kernel; a file that has got its size by write(2) stays one, and is taken; root may send dataspaces"
