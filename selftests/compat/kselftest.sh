#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# packages: liburing2
# shellcheck source=lib/common.sh
. /compat/lib/common.sh

# The mounts are for this script only.
[ -n "${UNSHARED:-}" ] || UNSHARED=yes exec unshare --mount "$0"

# Files of huge pages become dataspaces, too, and for some of 1 GiB this machine has too
# little memory: so there seem to be none. On a disk pins for writing would be refused,
# but not on a tmpfs, nor of dataspaces.
mount -t tmpfs tmpfs /sys/kernel/mm/hugepages || wrong "no tmpfs"
mount -t tmpfs tmpfs /tmp || wrong "no tmpfs"
mkdir -p "$PWD"
cd "$PWD" || exit
export DATASPACE_PRELOAD_FILES='/memfd:*;/tmp/*'

# verdicts FILE
verdicts()
{
	grep '^\(not \)\?ok \|^Bail' "$1"
}

# compare PROGRAM: whether it says of dataspaces what it says of files
compare()
{
	/compat/bin/"$1" >"$1.files" 2>&1
	rm -f preload.log
	dataspace run --preload -- /compat/bin/"$1" >"$1.log" 2>&1
	made '' || wrong "$1 had no dataspace"
	verdicts "$1.files" >files
	verdicts "$1.log" >dataspaces
	grep -q '^ok ' files || wrong "$1 has said nothing"
	diff files dataspaces >"$1.diff.log"
}

for program in cow gup_longterm map_populate mseal_test soft-dirty; do
	compare "$program" || wrong "$program differs"
done
# It takes EINVAL for an old kernel's, and leaves the test out.
compare mremap_dontunmap && wrong "MREMAP_DONTUNMAP is possible"
sed 's/^ok [0-9]* //' files >expected
sed 's/^ok [0-9]* //' dataspaces | sort >now
sort expected | comm -3 - now >differing
[ "$(cat differing)" = mremap_dontunmap_simple_shmem ] ||
	wrong "mremap_dontunmap differs: $(cat differing)"
works "tests of the kernel's mm (cow, gup_longterm, map_populate, mseal, soft-dirty) come out as with tmpfs; of mremap_dontunmap all but MREMAP_DONTUNMAP of shared memory, which is EINVAL"
