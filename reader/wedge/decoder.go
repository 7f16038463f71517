package wedge

import (
	"fmt"
	"time"
)

// Event is one input event.
type Event struct {
	At    time.Duration // of the kernel's clock; only differences mean something
	Type  uint16
	Code  uint16
	Value int32
}

// Fault is why what was typed is no scan.
type Fault uint8

// The faults.
const (
	Good Fault = iota
	Human
	TooShort
	TooLong
	OddKey
	Lost
)

var faultNames = [...]string{"", "too slow for a scanner: somebody types", "too short", "too long", "a key without a character", "events were lost"}

// String says it in words.
func (f Fault) String() string {
	if int(f) < len(faultNames) {
		return faultNames[f]
	}
	return fmt.Sprintf("fault %d", uint8(f))
}

// Rule is what makes a scan. The zero value of a field is its default.
type Rule struct {
	KeyGap   time.Duration // longest pause between two keys; 0 = 50 ms
	Shortest int           // characters; 0 = 1
	Longest  int           // 0 or more than 128 = 128
}

const (
	defaultKeyGap = 50 * time.Millisecond
	maxText       = 128
	forgotten     = time.Second // after so long a pause a new key begins anew, whatever was before
)

// Scan is what came between two Enters. Text is valid until the next Feed.
type Scan struct {
	Text  []byte
	Fault Fault // Good, or why Text is not to be believed
}

// Decoder makes scans of key events. It belongs to one goroutine.
type Decoder struct {
	rule  Rule
	text  [maxText]byte
	n     int
	keys  int // presses since the last Enter
	last  time.Duration
	fault Fault
	shift [2]bool
}

// New returns a decoder.
func New(r Rule) *Decoder {
	if r.KeyGap <= 0 {
		r.KeyGap = defaultKeyGap
	}
	if r.Longest <= 0 || r.Longest > maxText {
		r.Longest = maxText
	}
	r.Shortest = max(r.Shortest, 1)
	return &Decoder{rule: r}
}

// Feed takes one event. It reports a scan at Enter or Tab; Enter alone is none.
func (d *Decoder) Feed(e Event) (Scan, bool) {
	switch {
	case e.Type == typeSyn && e.Code == synDropped:
		d.spoil(Lost)
		d.keys++ // what is gone was something
		d.last = e.At
		d.shift = [2]bool{}
		return Scan{}, false
	case e.Type != typeKey:
		return Scan{}, false
	case e.Code == keyLeftShift || e.Code == keyRightShift:
		d.pause(e.At)
		d.last = e.At
		d.shift[e.Code/keyRightShift] = e.Value != released
		return Scan{}, false
	case e.Value != pressed || silent(e.Code):
		return Scan{}, false
	}
	d.pause(e.At)
	d.last = e.At
	if e.Code == keyEnter || e.Code == keyTab || e.Code == keyKPEnter {
		return d.commit()
	}
	d.keys++
	d.key(e.Code)
	return Scan{}, false
}

// pause looks at the time since the last key. A clock that went back is a pause too. After a long one Shift is not believed
// to be held: its release was lost, and every code after it would be.
func (d *Decoder) pause(at time.Duration) {
	gap := at - d.last
	switch {
	case gap >= forgotten:
		d.clear()
		d.shift = [2]bool{}
	case d.keys == 0:
	case gap > d.rule.KeyGap || gap < 0:
		d.spoil(Human)
	}
}

func (d *Decoder) key(code uint16) {
	if int(code) >= len(us) {
		d.spoil(OddKey)
		return
	}
	c := us[code][0]
	if d.shift[0] || d.shift[1] {
		c = us[code][1]
	}
	switch {
	case c == 0:
		d.spoil(OddKey)
	case d.n == d.rule.Longest:
		d.spoil(TooLong)
	default:
		d.text[d.n] = c
		d.n++
	}
}

// spoil keeps the first fault.
func (d *Decoder) spoil(f Fault) {
	if d.fault == Good {
		d.fault = f
	}
}

func (d *Decoder) commit() (Scan, bool) {
	if d.fault == Good && d.n < d.rule.Shortest {
		d.fault = TooShort
	}
	s, some := Scan{Text: d.text[:d.n], Fault: d.fault}, d.keys > 0
	d.clear()
	return s, some
}

func (d *Decoder) clear() { d.n, d.keys, d.fault = 0, 0, Good }
