#!/usr/bin/env bash
# initrd.sh OUT RUN MODULES FILE...: an initial RAM disk of busybox, the named kernel modules with what they depend on, and
# the given files under /bin. RUN is executed there as /run.sh after the modules are in; then the machine powers off.
. "$(dirname "$0")/lib.sh"
PATH="$PATH:/usr/sbin:/sbin"
KVER=$(cat "$W/kver")
out=$1 run=$2 modules=$3
shift 3
r=$(mktemp -d "$W/initrd.XXXXXX")
trap 'rm -rf "$r"' EXIT
mkdir -p "$r"/{bin,proc,sys,dev,tmp,lib/modules,etc}
cp "$W/bb/bin/busybox" "$r/bin/"
for m in $modules; do
	modprobe -d "$W/kroot" -S "$KVER" -D "$m" | awk '$1 == "insmod" {print $2}'
done | awk '!seen[$0]++' > "$W/insmod.$$"
while read -r f; do
	cp "$f" "$r/lib/modules/" && echo "/lib/modules/$(basename "$f")"
done < "$W/insmod.$$" > "$r/modules.list"
rm -f "$W/insmod.$$"
for f in "$@"; do cp "$f" "$r/bin/"; done
cp "$run" "$r/run.sh"
cat > "$r/init" <<'I'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc none /proc; mount -t sysfs none /sys; mount -t devtmpfs none /dev
mkdir -p /dev/pts /dev/shm; mount -t devpts none /dev/pts; mount -t tmpfs none /tmp
while read -r m; do insmod "$m" || echo "insmod $m failed"; done < /modules.list
mount -t configfs none /sys/kernel/config 2>/dev/null
ip link set lo up
echo "GUEST up $(cut -d' ' -f1 /proc/uptime)"
/bin/sh /run.sh
echo "GUEST rc=$? at $(cut -d' ' -f1 /proc/uptime)"
sync; poweroff -f
I
chmod +x "$r/init"
(cd "$r" && find . | cpio -o -H newc --quiet | gzip -1) > "$out"
