package post

// Trouble is what keeps a printer from printing.
type Trouble uint8

// The troubles, the gravest last.
const (
	Fine     Trouble = iota
	NearEnd          // of the roll; it still prints
	NoPaper          // the roll is out
	Cover            // is open
	Cutter           // is jammed
	Hot              // the head is too hot; it goes on by itself
	Broken           // for good: switch it off and on, or have it repaired
	Gone             // cannot be reached: unplugged, switched off
	Silent           // takes bytes and answers no question
	Nonsense         // answers what no printer says
)

var troubleNames = [...]string{"fine", "near_end", "no_paper", "cover", "cutter", "hot", "broken", "gone", "silent", "nonsense"}

// String is the stable name: words/printer.trouble.{name} says it to people.
func (t Trouble) String() string {
	if int(t) < len(troubleNames) {
		return troubleNames[t]
	}
	return "unknown"
}

// Stops reports whether nothing is printed because of it.
func (t Trouble) Stops() bool { return t > NearEnd }

// ear makes sense of what a printer says. Its four kinds of answers are told apart by their fixed bits (ESC/POS Application
// Programming Guide, "Identification of transmission status"): DLE EOT has bits 1 and 4 set, a status by itself (GS a) bit 4 but not
// bit 1 and three bytes without bit 4 behind it, GS r has bit 4 clear; a process id begins with 37 22.
type ear struct {
	asked   []byte // the n of each DLE EOT that waits for its answer, in order
	ordered int    // GS r that wait for theirs

	held []byte // the beginning of an answer of several bytes

	now      [5]byte  // the last answer to DLE EOT n; 0: none
	own      [4]byte  // the last status by itself
	told     bool     // there was one
	paper    byte     // the last answer to GS r
	finished []string // process ids
	answers  int      // good ones
	noise    int      // bytes that are none
}

func (e *ear) hear(b []byte) {
	for _, c := range b {
		if len(e.held) > 0 {
			e.longer(c)
			continue
		}
		switch {
		case c == 0x37, c&0x93 == 0x10:
			e.held = append(e.held, c)
		case c&0x93 == 0x12 && len(e.asked) > 0:
			e.now[e.asked[0]] = c
			e.asked = e.asked[1:]
			e.answers++
		case c&0x90 == 0 && e.ordered > 0:
			e.paper = c
			e.ordered--
			e.answers++
		default:
			e.noise++
		}
	}
}

// longer takes the next byte of an answer of several.
func (e *ear) longer(c byte) {
	e.held = append(e.held, c)
	if e.held[0] == 0x37 {
		switch {
		case len(e.held) == 2 && c != 0x22, len(e.held) > 7:
			e.noise += len(e.held)
			e.held = nil
		case len(e.held) == 7:
			if c == 0 {
				e.finished = append(e.finished, string(e.held[2:6]))
				e.answers++
			} else {
				e.noise += len(e.held)
			}
			e.held = nil
		}
		return
	}
	if c&0x90 != 0 { // not the second, third or fourth byte: what was held was noise, and this may be good
		e.noise += len(e.held) - 1
		e.held = nil
		e.hear([]byte{c})
		return
	}
	if len(e.held) == 4 {
		copy(e.own[:], e.held)
		e.told, e.held = true, nil
		e.answers++
	}
}

// trouble is what the answers so far say.
func (e *ear) trouble() Trouble {
	if e.told {
		return worse(ofOwn(e.own), ofNow(e.now))
	}
	return ofNow(e.now)
}

func worse(a, b Trouble) Trouble { return max(a, b) }

// ofNow reads the answers to DLE EOT 2 to 4.
func ofNow(s [5]byte) Trouble {
	t := Fine
	for _, is := range []struct {
		n, bits byte
		t       Trouble
	}{
		{4, 0x0C, NearEnd}, {4, 0x60, NoPaper}, {2, 0x20, NoPaper}, {2, 0x04, Cover}, {3, 0x08, Cutter}, {3, 0x40, Hot}, {3, 0x20, Broken},
	} {
		if s[is.n]&is.bits != 0 {
			t = worse(t, is.t)
		}
	}
	return t
}

// ofOwn reads the four bytes of GS a.
func ofOwn(s [4]byte) Trouble {
	t := Fine
	for _, is := range []struct {
		i    int
		bits byte
		t    Trouble
	}{
		{2, 0x03, NearEnd}, {2, 0x0C, NoPaper}, {0, 0x20, Cover}, {1, 0x08, Cutter}, {1, 0x40, Hot}, {1, 0x20, Broken},
	} {
		if s[is.i]&is.bits != 0 {
			t = worse(t, is.t)
		}
	}
	return t
}
