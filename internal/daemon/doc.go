// Package daemon wires foyerd: it opens what the configuration names, connects the rooms, and ends them in order.
//
// In: a Config. Out: a store that runs until its context ends. It holds no rule of the shop: it maps the shop's events to
// the faces' contract and the shop's facts to records, and nothing else.
// Staff's word for who somebody is becomes a proof.Proof here, since a face cannot make one.
// Called by cmd/foyerd.
//
// # Goroutines
//
//	one a reader         reads the line; its queue of 64 drops the oldest read
//	the shop             owns who is where; reads 1,024, the oldest goes
//	the ledger           writes again what the disk refused; holds 20,000 facts, then the shop waits
//	the journal          one committer; 1,024 requests, then submitters wait
//	the line             paho's, and one dispatcher; nothing is kept while it is down
//	the uplink           sends from the journal; 8 batches at most are on their way
//	the badge            asks headquarters once a day, renews
//	the downlink         applies snapshots, one after the other
//	the profiles         look at the files of readers' profiles once a second
//	the lamps, a door    one a signal and one a contact; four events wait for a lamp, more are dropped
//	the commands         do what headquarters asks, one after the other; what finds 8 waiting comes again
//	the packs            fetches files, one at a time; the latest word of headquarters wins
//	the shredder         erases keys of persons and what they sealed; once a minute, or when told to
//	the printers         one a printer, one job at a time; 200 wait, more are refused to whoever asks
//	the state            publishes health to the faces; the latest wins
//	the doors            one a connection, net/http's
//
// What must end first ends first: readers, then the shop (which records what it still has to say), then the ledger and
// the journal, and the doors and the line around them.
package daemon
