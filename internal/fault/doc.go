// Package fault cuts the power under the store's journal and breaks its disk, and breaks a store and headquarters in every way
// that real ones break; then it counts what is left: records acknowledged to their writer = records on the disk = records at
// headquarters, each once, in order.
//
// In: a journal in a process of its own, with writers, a cursor that moves and a file that is written anew all the time; and
// the real journal, line, uplink, broker and headquarters. Out: failing tests.
// Three rigs cut power: a file system in memory that drops or tears what was not synced (FUSE), and ext4 on a loop device whose
// shutdown call throws its cache away, and a machine under QEMU on a disk that keeps what was not flushed (FOYER_KERNEL=1, see
// internal/hil). Each proves on a control that it loses what nobody synced. The first two need root; where they cannot be had,
// the tests say SKIP aloud.
// It holds no code that a program uses. Called by make test. FOYER_CUTS sets the number of cuts, FOYER_KILLS how often a store is
// killed; make bench cuts 40 times and kills 1,000 times, with either broker. Lines are broken by the kernel in a network namespace,
// and by proxies of sync/line/linetest.
package fault
