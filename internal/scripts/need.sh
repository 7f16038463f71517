#!/usr/bin/env bash
# need.sh GROUP...: makes sure that the Debian packages of each group are here. It installs what is missing when root or
# password-less sudo allows it; otherwise it prints the one line to type and exits 1. Says nothing when nothing is missing.
set -u

# What each group is for, and how to tell that it is there: "package:command" or "package:/file" or "package:pkg=module".
group() {
	case "$1" in
	window) # to build the screens: a C compiler, X11 and OpenGL headers
		echo gcc:gcc pkg-config:pkg-config libgl1-mesa-dev:pkg=gl xorg-dev:pkg=xi libxkbcommon-dev:pkg=xkbcommon
		echo libwayland-dev:pkg=wayland-client libegl1-mesa-dev:pkg=egl ;;
	screen) # a display where there is none, with software OpenGL
		echo xvfb:Xvfb xauth:xauth libgl1-mesa-dri:/usr/lib/*/dri/swrast_dri.so ;;
	browser) echo chromium:chromium ;;
	broker) echo mosquitto:mosquitto ;;
	line) echo iproute2:ip ;; # to lay a slow line between two networks on one machine
	database) echo postgresql:/usr/lib/postgresql/*/bin/initdb ;; # the tests start one of their own
	net) echo iproute2:ip nftables:nft ;; # to break lines in a network namespace
	eyes) # to read a screenshot as a person would
		echo tesseract-ocr:tesseract tesseract-ocr-chi-sim:/usr/share/tesseract-ocr/*/tessdata/chi_sim.traineddata ;;
	barcodes) echo zbar-tools:zbarimg ;; # to read what is printed
	node) echo nodejs:node npm:npm ;; # to print with other people's programs
	kernel) # to boot a kernel with simulated lines and ports, and to build its one module
		echo qemu-system-arm:qemu-system-aarch64 gcc-12-aarch64-linux-gnu:aarch64-linux-gnu-gcc-12 make:make cpio:cpio
		echo kmod:depmod xz-utils:xz linux-kbuild-6.1:/usr/lib/linux-kbuild-6.1/scripts/mod/modpost ;;
	*) echo "need.sh: no group '$1'" >&2; exit 2 ;;
	esac
}

there() {
	case "$1" in
	pkg=*) pkg-config --exists "${1#pkg=}" 2>/dev/null ;;
	/*) compgen -G "$1" >/dev/null ;;
	*) PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null ;;
	esac
}

missing=()
for g in "$@"; do
	for pair in $(group "$g"); do
		there "${pair#*:}" || missing+=("${pair%%:*}")
	done
done
[ ${#missing[@]} -eq 0 ] && exit 0

line="apt-get install -y --no-install-recommends ${missing[*]}"
echo "Missing Debian packages: ${missing[*]}"
if ! command -v apt-get >/dev/null; then
	echo "This is not Debian: install what corresponds to them, then run this again." >&2
	exit 1
fi
as=()
if [ "$(id -u)" -ne 0 ]; then
	if ! sudo -n true 2>/dev/null; then
		echo "Type this once, then run the command again:" >&2
		echo "    sudo sh -c 'apt-get update && $line'" >&2
		exit 1
	fi
	as=(sudo -n)
fi
echo "Installing them ($line)"
export DEBIAN_FRONTEND=noninteractive
# A package may start its service at once; nothing of ours wants that, least of all a broker on the standard port.
"${as[@]}" sh -c "apt-get update -qq && RUNLEVEL=1 $line -qq" </dev/null >/tmp/foyer-apt.$$ 2>&1 || {
	tail -n 20 /tmp/foyer-apt.$$ >&2
	rm -f /tmp/foyer-apt.$$
	echo "The installation went wrong. Type it by hand: $line" >&2
	exit 1
}
rm -f /tmp/foyer-apt.$$
