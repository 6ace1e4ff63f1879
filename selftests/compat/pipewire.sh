#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# packages: pipewire python3
# shellcheck source=lib/common.sh
. /compat/lib/common.sh

# There is no sound card and no session manager: a timer drives the graph, a second of
# sound at a time, so that a slow machine is in time, too.
cat >daemon.conf <<'END'
context.properties = {
    core.daemon = true
    core.name = pipewire-0
    default.clock.rate = 8000
    default.clock.quantum = 8192
    default.clock.min-quantum = 8192
    default.clock.max-quantum = 8192
}
context.spa-libs = {
    audio.convert.* = audioconvert/libspa-audioconvert
    support.* = support/libspa-support
}
context.modules = [
    { name = libpipewire-module-protocol-native }
    { name = libpipewire-module-access }
    { name = libpipewire-module-metadata }
    { name = libpipewire-module-spa-node-factory }
    { name = libpipewire-module-client-node }
    { name = libpipewire-module-adapter }
    { name = libpipewire-module-link-factory }
]
context.objects = [
    {
        factory = spa-node-factory
        args = {
            factory.name = support.node.driver
            node.name = timer
            priority.driver = 20000
        }
    }
]
END

# The end is lost where the player ends, and it is not to end before its memory is
# revoked: so there is much silence after the noise.
cat >sound.py <<'END'
import random, sys, wave

SECOND = 2 * 8000
NOISE = random.Random(1).randbytes(2 * SECOND)

def write():
    with wave.open("played.wav", "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(SECOND) + NOISE + bytes(30 * SECOND))

# A file that is still being recorded does not tell its length.
def is_recorded():
    with open("recorded.wav", "rb") as file:
        return NOISE in file.read()

if sys.argv[1] == "write":
    write()
else:
    sys.exit(not is_recorded())
END

# start PROGRAM ARGUMENT...: begins it with dataspaces, and sets $started
start()
{
	DATASPACE_PRELOAD_SEND="*=rw" dataspace run --preload -- "$@" >"$1.log" 2>&1 &
	started=$!
}

# stream NAME: the properties of a stream that has a port by itself
stream()
{
	echo "{ node.name = $1 adapter.auto-port-config = { mode = dsp } }"
}

# The daemon makes the memory of the sound last, once there is a link.
memory_of_sound()
{
	sed -n "s/^dataspace-preload\[$daemon\]: \([0-9]*\) .*: a dataspace of .*/\1/p" \
		preload.log | tail -n 1
}

# Whether a client has ended, of those that map the memory of the sound.
has_ended()
{
	! maps_dataspace "$player" || ! maps_dataspace "$recorder"
}

export XDG_RUNTIME_DIR="$PWD"
python3 sound.py write
start pipewire -c "$PWD/daemon.conf"
daemon=$started
await listens pipewire-0
start pw-record --rate 8000 --channels 1 --format s16 -P "$(stream to)" recorded.wav
recorder=$started
start pw-play -P "$(stream from)" played.wav
player=$started
await pw-link from:output_MONO to:input_MONO
for process in "$daemon" "$recorder" "$player"; do
	await maps_dataspace "$process"
	await has_dataspace "$process" pipewire-memfd
done
await python3 sound.py look
dataspace revoke "$daemon/$(memory_of_sound)" || wrong "it cannot be revoked"
await has_ended
kill "$player" "$recorder"
wait "$player"
ends=$?
wait "$recorder"
ends=$ends,$?
# 128 and SIGBUS; whom it meets first leaves nothing to do for the other.
case $ends in
*135*) ;;
*) wrong "no client was cut off: $ends" ;;
esac
pw-link -o >link.log 2>&1 || wrong "the daemon does not answer"
maps_dataspace "$daemon" || wrong "the daemon has ended"
grep -q 'Failed to add seals' pipewire.log || wrong "it has got all seals that it wants"
works "sound that one client plays another records as it was; does without seals, and warns; a client ends by SIGBUS when the sound is revoked, the daemon does not"
