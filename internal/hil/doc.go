// Package hil runs Foyer's readers against a real kernel without hardware: Debian's arm64 kernel under QEMU, with simulated
// GPIO lines, an FTDI adapter that is plugged and pulled, and a USB serial device that takes no data.
//
// In: what prepare.sh fetched from Debian and built, in a cache folder outside the tree (FOYER_HIL, else foyer-hil in the
// user's cache folder). Out: test results. Nothing of the kernel is kept in the repository: its modules are GPL.
// It holds no code of the product; the program in guest/ calls the product's own packages inside the machine. hiltest boots it,
// for internal/fault too, which cuts the power under a store in it.
// Called by the stage `kernel` of make test, with FOYER_KERNEL=1; plain `go test` passes it over.
//
// Time in the machine follows counted instructions (see boot.sh), so a busy host changes no result, and microseconds can be
// tested. Only the FTDI test uses the clock on the wall, because its device is outside.
package hil
