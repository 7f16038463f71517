// Package fault cuts the power under the store's journal, and breaks its disk.
//
// In: a journal in a process of its own, with writers, a cursor that moves and a file that is written anew all the time. Out: a
// failing test when something that was acknowledged is not there afterwards. Two rigs: a file system in memory that drops or
// tears what was not synced (FUSE), and ext4 on a loop device whose shutdown call throws its cache away. Each proves on a
// control that it loses what nobody synced. Both need root; where they cannot be had, the tests say SKIP aloud.
// It holds no code that a program uses. FOYER_CUTS sets the number of cuts; make bench makes 40.
package fault
