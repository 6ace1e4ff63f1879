#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# packages: gdb
# shellcheck source=lib/common.sh
. /compat/lib/common.sh

dump="dump binary memory"

start_holder
end=$((address + length))
gcore -o core "$holder" >gcore.log 2>&1 || wrong "gcore has failed"
gdb -nx -batch -ex "$dump from-core $address $end" \
	/compat/bin/holder "core.$holder" >core.log 2>&1
cmp wanted from-core || wrong "the core has other bytes"
gdb -nx -batch -p "$holder" -ex "$dump live $address $end" \
	-ex "set var *(char *)$address = 'x'" >live.log 2>&1
cmp wanted live || wrong "gdb reads other bytes"
dataspace hexdump -n 1 "$holder/$fd" | grep -q ' 78 ' ||
	wrong "gdb has not written"
works "reads and writes what a program maps, and gcore saves it"
