// Package bench takes the figures of the whole: real stores, a real headquarters, and the line between them.
//
// In: the programs in bin/, a day of a store's records. Out: figures, as Go's benchmarks print them: seconds, bytes, shares.
// It judges no time: the figures are for a reader who sees the machine and its load beside them.
// It holds no code that a program uses. Called by make bench.
package bench
