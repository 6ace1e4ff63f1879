#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# packages: systemd python3
# shellcheck source=lib/common.sh
. /compat/lib/common.sh

export XDG_RUNTIME_DIR="$PWD/run" SYSTEMD_IGNORE_CHROOT=1
mkdir -p run/systemd/user /run/systemd/system
cat >service.py <<'END'
import os, socket, sys, time

def notify(text, fds=[]):
    path = os.environ["NOTIFY_SOCKET"].replace("@", "\0")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.connect(path)
        socket.send_fds(manager, [text.encode()], fds)

if int(os.environ.get("LISTEN_FDS", 0)):
    with open("kept", "w") as file:
        print(os.readlink("/proc/self/fd/3"), os.pread(3, 5, 0).decode(), file=file)
else:
    fd = os.memfd_create("state")
    os.ftruncate(fd, 4096)
    os.pwrite(fd, b"hello", 0)
    notify("FDSTORE=1\nFDNAME=state", [fd])
notify("READY=1")
time.sleep(1000)
END
cat >keeper.service <<END
[Service]
Type=notify
NotifyAccess=all
FileDescriptorStoreMax=1
WorkingDirectory=$PWD
Environment=DATASPACE_PRELOAD_LOG=$DATASPACE_PRELOAD_LOG
ExecStart=/usr/local/bin/dataspace run --preload -- python3 service.py
END
cp keeper.service run/systemd/user/
/lib/systemd/systemd --user >systemd.log 2>&1 &
await listens run/systemd/private
systemctl --user start keeper >start.log 2>&1 || wrong "the service does not start"
made state || wrong "there was no dataspace"
systemctl --user restart keeper >restart.log 2>&1 || wrong "the service does not start again"
grep -q '^/dataspace:.* hello$' kept || wrong "it has got: $(cat kept)"
works "the descriptor store of the service manager keeps it while a service starts again"
