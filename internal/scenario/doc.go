// Package scenario holds days in the shop, told in virtual time: who is read where and when, and what the screens, the
// reception and the records must say.
//
// In and out: nothing; it is tests only. Times are those of a day in a synctest bubble, so a day takes milliseconds.
// It never sleeps for real and never opens anything.
// Called by go test.
//
// A story reads like this:
//
//	d.At(9, 0).Reads("anna", "door")
//	d.Want("wall: Good morning, Ms Wang", ...)
//
// One day has a reader of every built-in profile at once (TestADayWithEveryReader): there, what people do is bytes and
// edges on simulated lines, and what the shop records is held against who really came.
//
// Want takes all that happened since the last Want, in order, and nothing else.
package scenario
