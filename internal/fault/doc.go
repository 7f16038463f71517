// Package fault breaks a store and headquarters in every way that real ones break, and counts what is left: records
// acknowledged to their writer = records at headquarters, each once, in order.
//
// In: the real journal, line, uplink, broker and headquarters. Out: failing tests.
// It holds no code that a program uses. Called by make test; FOYER_KILLS=1000 kills a store so often.
package fault
