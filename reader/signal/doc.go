// Package signal is what a reader's door shows and feels: lamps and a buzzer that answer to events, and a door contact.
//
// In: an Event ("known": a member's card was read) and, by configuration, the Pattern that goes with it; the movements of a
// contact. Out: lines switched on and off; a Door event once a contact has come to rest. Times are time.Duration.
// It never decides who is known, and never waits for a lamp: a lamp that fails is tried again at the next pattern.
// Called by internal/daemon.
package signal
