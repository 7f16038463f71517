#!/usr/bin/env bash
# prepare.sh: fetches Debian's arm64 kernel and busybox, and builds gpio-sim.ko for that kernel: Debian leaves
# CONFIG_GPIO_SIM and CONFIG_GPIO_MOCKUP off. All of it goes into the cache folder; nothing is installed, no root needed.
#
# The kernel's version is looked up, never pinned: a security update removes the old one from the index. Without a network
# what an earlier run left serves. The module's sources are GPL and come from Debian's linux-source at build time.
# Exit status: 0 ready, 3 Debian's packages cannot be had here, anything else is a fault.
. "$(dirname "$0")/lib.sh"
exec 9>"$W/lock" && flock 9 # two checkouts may share the cache
for tool in apt-get dpkg-deb xz make qemu-system-aarch64 aarch64-linux-gnu-gcc-12 cpio; do
	command -v $tool >/dev/null || { say "no $tool here"; exit 3; }
done
mkdir -p "$W"/apt/{lists,cache/archives}/partial
keys=/usr/share/keyrings/debian-archive-keyring.gpg
cat > "$W/apt/sources.list" <<S
deb [arch=arm64 signed-by=$keys] http://deb.debian.org/debian bookworm main
deb [arch=arm64 signed-by=$keys] http://deb.debian.org/debian-security bookworm-security main
S
# An index of its own, so that a foreign architecture touches nothing of this machine.
apt=(-qq -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o Dir::State::status=/dev/null
	-o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1 -o APT::Get::List-Cleanup=0
	-o Dir::Etc::sourcelist="$W/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
	-o Dir::State::lists="$W/apt/lists" -o Dir::Cache="$W/apt/cache" -o Acquire::Languages=none
	-o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false)
ready() { [ -e "$W/kver" ] && [ -e "$W/kroot/lib/modules/$(cat "$W/kver")/updates/gpio-sim.ko" ] && [ -e "$W/bb/bin/busybox" ]; }

if ready && [ -z "$(find "$W/kver" -mmin +10080)" ]; then exit 0; fi # looked up this week
if ! apt-get "${apt[@]}" update; then
	ready && { say "no network: the kernel of the last run serves"; exit 0; }
	say "neither Debian's package index nor a kernel of an earlier run"
	exit 3
fi
KVER=$(apt-cache "${apt[@]}" depends linux-image-arm64 | awk '/Depends: linux-image-/{sub("linux-image-","",$2);print $2;exit}')
say "arm64 kernel $KVER"
cd "$W"
fetch() { # fetch PACKAGE FOLDER: unpacks a package there
	mkdir -p "$2" fetched
	(cd fetched && rm -f ./*.deb && apt-get "${apt[@]}" download "$1") || { say "cannot fetch $1"; exit 3; }
	dpkg-deb -x fetched/*.deb "$2" && rm -rf fetched
}
[ -e bb/bin/busybox ] || fetch busybox-static bb
if [ ! -e "kroot/lib/modules/$KVER/updates/gpio-sim.ko" ]; then
	rm -rf kroot hroot mod src && mkdir -p mod src fetched
	fetch "linux-image-$KVER" kroot
	fetch "linux-headers-$KVER" hroot
	fetch "linux-headers-${KVER%-*}-common" hroot
	# Headers expect to lie in /usr; here they lie in the cache.
	sed -i "s| /usr/src/| $W/hroot/usr/src/|" "hroot/usr/src/linux-headers-$KVER/Makefile"
	mkdir -p hroot/usr/lib && ln -sfn /usr/lib/linux-kbuild-6.1 hroot/usr/lib/linux-kbuild-6.1
	# Three files out of Debian's source package (139 MB, the long part).
	mkdir -p fetched
	(cd fetched && apt-get "${apt[@]}" download linux-source-6.1) || { say "cannot fetch linux-source-6.1"; exit 3; }
	dpkg-deb --fsys-tarfile fetched/*.deb | tar -xO ./usr/src/linux-source-6.1.tar.xz | xz -T0 -dc |
		tar -x -C src --strip-components=1 linux-source-6.1/drivers/gpio/gpio-sim.c \
			linux-source-6.1/drivers/gpio/gpiolib.h linux-source-6.1/kernel/irq/irq_sim.c
	rm -rf fetched
	cp src/drivers/gpio/gpio-sim.c mod/gpio-sim-main.c
	cp src/drivers/gpio/gpiolib.h src/kernel/irq/irq_sim.c mod/
	# irq_to_desc is not exported to modules; the same descriptor by way of irq_data.
	sed -i 's/irq_to_desc(\([a-z]*\))/irq_data_to_desc(irq_get_irq_data(\1))/' mod/irq_sim.c
	printf 'obj-m += gpio-sim.o\ngpio-sim-y := gpio-sim-main.o irq_sim.o\n' > mod/Kbuild
	make -s -C "$W/hroot/usr/src/linux-headers-$KVER" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- CC=aarch64-linux-gnu-gcc-12 \
		M="$W/mod" modules >mod.log 2>&1 || { tail mod.log >&2; exit 1; }
	mkdir -p "kroot/lib/modules/$KVER/updates" && cp mod/gpio-sim.ko "kroot/lib/modules/$KVER/updates/"
	PATH="$PATH:/usr/sbin:/sbin" depmod -b kroot "$KVER"
	rm -rf hroot mod src apt/cache
fi
echo "$KVER" > kver
say "ready in $W"
