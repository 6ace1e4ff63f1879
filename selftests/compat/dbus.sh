#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# packages: dbus-daemon python3-dbus python3-gi
# shellcheck source=lib/common.sh
. /compat/lib/common.sh

cat >reader.py <<'END'
import dbus, dbus.mainloop.glib, dbus.service, mmap, os
from gi.repository import GLib

class Reader(dbus.service.Object):
    @dbus.service.method("test.Reader", in_signature="h", out_signature="s")
    def Read(self, unix_fd):
        fd = unix_fd.take()
        try:
            os.pwrite(fd, b"x", 0)
            return "it is writable"
        except OSError:
            return mmap.mmap(fd, 4096, prot=mmap.PROT_READ)[:5].decode()

dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
name = dbus.service.BusName("test.Reader", dbus.SessionBus())
reader = Reader(name, "/")
GLib.MainLoop().run()
END
cat >writer.py <<'END'
import dbus, os, time

fd = os.memfd_create("numbers")
os.ftruncate(fd, 4096)
os.pwrite(fd, b"hello", 0)
print(dbus.SessionBus().get_object("test.Reader", "/").Read(dbus.types.UnixFd(fd),
      dbus_interface="test.Reader"))
END
DBUS_SESSION_BUS_ADDRESS=$(dbus-daemon --session --fork --print-address 2>dbus.log)
export DBUS_SESSION_BUS_ADDRESS
python3 reader.py >reader.log 2>&1 &
await dbus-send --session --dest=test.Reader --print-reply / org.freedesktop.DBus.Peer.Ping
DATASPACE_PRELOAD_SEND=numbers=ro dataspace run --preload -- \
	python3 writer.py >out 2>writer.log || wrong "the writer has failed"
grep -qx hello out || wrong "the reader says: $(cat out)"
grep -q 'sent 4096 bytes, read-only' preload.log || wrong "no alias was sent"
works "a read-only alias goes through the bus by libdbus"
