// Package wedge hears readers that play a keyboard: a fob or a code comes as keys, typed at a speed no hand has.
//
// In: Linux input events, each with the kernel's time as a monotonic time.Duration. Out: the text of one scan, or why what
// was typed is none. Text is ASCII without its Enter or Tab.
// The Decoder is pure: it reads no clock, opens nothing and allocates nothing. The Device owns the file and keeps the keys
// from everybody else. Neither logs, and neither knows what the text means.
// Called by reader (the session), reader/frame (a profile's examples) and cmd/foyer.
//
// The wire (linux/input.h). Each event is a time (two machine words), a type, a code and a value: type 1 is a key, its value
// 0 released, 1 pressed, 2 repeated by the kernel while it is held. Only presses count, and of releases those of Shift. Type 0
// code 3 says that the kernel dropped events: then nothing typed so far can be believed.
//
// A scan with a hole is worse than none, because a shorter number may be somebody else's. So what was typed is thrown away
// up to the next Enter or a second of silence whenever a pause is too long, a key has no character, or events were lost.
package wedge
