package wedge

import "time"

// Codes of linux/input-event-codes.h.
const (
	typeSyn, typeKey             = 0, 1
	synDropped                   = 3
	released, pressed            = 0, 1
	keyEnter, keyTab, keyKPEnter = 28, 15, 96
	keyLeftShift, keyRightShift  = 42, 54
)

// us gives the characters of a US keyboard, without and with Shift. 0 = no character. The key pad is taken as digits: a
// reader has no lamp to see whether Num Lock is on.
var us = func() (table [128][2]byte) {
	row := func(code int, plain, shifted string) {
		for i := range len(plain) {
			table[code+i] = [2]byte{plain[i], shifted[i]}
		}
	}
	row(2, "1234567890-=", "!@#$%^&*()_+")
	row(16, "qwertyuiop[]", "QWERTYUIOP{}")
	row(30, "asdfghjkl;'`", `ASDFGHJKL:"~`)
	row(43, `\zxcvbnm,./`, "|ZXCVBNM<>?")
	row(55, "*", "*")
	row(57, " ", " ")
	row(71, "789-456+1230.", "789-456+1230.")
	row(98, "/", "/")
	return table
}()

// silent keys have no character and do no harm: some readers press them around a scan.
func silent(code uint16) bool {
	switch code {
	case 58, 69, 70: // Caps Lock, Num Lock, Scroll Lock
		return true
	}
	return false
}

// Keys gives the events of typing text on a US keyboard, a key every pace, beginning at start: what a wedge would do. Letters
// are typed with Shift where they need it; "\n" is Enter and "\t" Tab. Characters without a key are left out.
func Keys(text string, start, pace time.Duration) []Event {
	var events []Event
	at := start
	press := func(code uint16, value int32) {
		events = append(events, Event{At: at, Type: typeKey, Code: code, Value: value}, Event{At: at})
	}
	for _, c := range []byte(text) {
		code, shift, ok := keyOf(c)
		if !ok {
			continue
		}
		if shift {
			press(keyLeftShift, pressed)
		}
		press(code, pressed)
		press(code, released)
		if shift {
			press(keyLeftShift, released)
		}
		at += pace
	}
	return events
}

func keyOf(c byte) (code uint16, shift, ok bool) {
	switch c {
	case '\n':
		return keyEnter, false, true
	case '\t':
		return keyTab, false, true
	}
	for code, chars := range us {
		if chars[0] == c || chars[1] == c {
			return uint16(code), chars[0] != c, c != 0
		}
	}
	return 0, false, false
}
