// Package serve owns the store's doors to its faces: HTTP, live events, who may see what, and the reception page.
//
// In: what foyerd publishes on the Hub (greetings, cards, offers, status), requests from screens, tablets and tools.
// Out: snapshots and Server-Sent Events per face, numbered 1, 2, 3... within an epoch; calls to the Desk; the page.
// Two doors: the unix socket, guarded by its file mode, may do all; TCP needs a token or the cookie got with it, and a
// token opens either reception, or the public screens, or the metrics, never two of them. All times in seconds and RFC 3339.
// It never decides who is greeted or who may claim, never stores anything, never waits for a slow reader: the Hub
// publishes without blocking, and whoever is too slow is told to take a new snapshot.
// Called by internal/daemon.
package serve
