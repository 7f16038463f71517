#!/usr/bin/env bash
# boot.sh virtual|wall INITRD [qemu argument...]: boots the kernel and prints its console.
#
# virtual: time follows counted instructions (2 ns each, a slow edge box) on one processor. Stalls of this machine cannot be
# seen inside, waiting costs nothing, and a run repeats. Only for what happens wholly inside the guest.
# wall: the clock on the wall, two processors, tens of milliseconds of jitter. For devices that come from outside.
. "$(dirname "$0")/lib.sh"
time=$1 initrd=$2
shift 2
case $time in
	virtual) clock=(-accel tcg -icount "shift=${FOYER_HIL_SHIFT:-1},sleep=off" -smp 1 -seed 1 -rtc base=2026-01-01T00:00:00,clock=vm) ;;
	wall) clock=(-accel tcg,thread=multi -smp 2) ;;
esac
# The limit is for a machine whose test has died.
exec timeout --foreground -s KILL 400 qemu-system-aarch64 -machine virt -cpu cortex-a53 "${clock[@]}" -m 512 \
	-nodefaults -no-user-config -display none -no-reboot -serial stdio \
	-kernel "$W/kroot/boot/vmlinuz-$(cat "$W/kver")" -initrd "$initrd" \
	-append "console=ttyAMA0 quiet panic=-1" "$@" </dev/null
