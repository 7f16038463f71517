// Package virtual is a receipt printer without the printer: ESC/POS in; a picture of the paper, its text and what happened out.
//
// In: bytes as a host sends them, and faults as a shop has them (no paper, an open lid, a jam, noise). Out: what a printer
// answers, a strip of dots, lines of text, events. Lengths are in dots.
// It never judges who prints, and never holds more than a bounded strip: what is above its end is torn off and forgotten.
// Called by cmd/foyer (sim printer), internal/demo, the preview of layouts, and the tests of everything that prints.
//
// The commands are Epson's (ESC/POS Application Programming Guide); those of Chinese printers (FS &, GB18030) are here too. What
// it does not know it passes over as a printer does, and says so in an event.
package virtual

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/encoding/charmap"

	profiles "foyer/firmware-profiles"
	"foyer/kiosk/printer/dots"
)

// Fault is what is wrong with the printer.
type Fault uint8

// The faults.
const (
	NoPaper Fault = 1 << iota
	NearEnd       // of the roll; it still prints
	Cover         // is open
	Cutter        // is jammed
	Hot           // the head is too hot; it goes on by itself
	Broken        // for good
)

// stops are the faults with which nothing is printed.
const stops = NoPaper | Cover | Cutter | Hot | Broken

// Event is something that happened to the paper, in order.
type Event struct {
	Kind   string // text, picture, barcode, cut, drawer, unknown, torn
	Detail string // a line's text, a barcode's data, an unknown command's bytes
}

// The bounds: what a printer remembers, and what is kept of its paper.
const (
	maxBuffer  = 64 << 10 // bytes that wait while it does not print
	maxStrip   = 40_000   // dots: five metres
	maxEvents  = 4_000
	maxCommand = 4 << 20 // bytes of one picture
)

// Printer is a virtual printer. It is safe for concurrent use.
type Printer struct {
	mu     sync.Mutex
	model  *profiles.Printer
	buffer []byte // received and not yet worked off
	answer bytes.Buffer
	real   []byte // the beginning of a real-time command
	asb    byte   // what is told by itself: GS a
	told   chan struct{}

	faults Fault
	paper  *dots.Bitmap
	y      int // where the head is
	text   []string
	events []Event
	lines  int           // of text and pictures since the start
	script map[int]Fault // after so many lines

	state
}

// state is what ESC @ sets back.
type state struct {
	line    []cell
	x       int // where the next cell goes, from the left margin
	form    form
	align   byte // 0 left, 1 centre, 2 right
	pitch   int  // of lines
	gap     int  // right of each character
	kanji   bool
	wideGap int
	page    *charmap.Charmap
	tabs    []int
	left    int // margin
	width   int // of the printing area
	bar     bars
	qr      qrState
	stored  *dots.Bitmap // GS ( L, function 112
}

// form is how the next character looks.
type form struct {
	wide, high int
	bold       bool
	invert     bool
	under      bool
	small      bool // font B
}

// cell is a character or a picture on the line that is being put together.
type cell struct {
	x    int
	bits *dots.Bitmap
	text string
}

// New makes a printer of a model, with paper, closed, and with nothing printed.
func New(model *profiles.Printer) *Printer {
	p := &Printer{model: model, paper: dots.New(model.Dots, 0), script: map[int]Fault{}, told: make(chan struct{}, 1)}
	p.reset()
	return p
}

func (p *Printer) reset() {
	p.state = state{form: form{wide: 1, high: 1}, pitch: 30, kanji: p.model.CJK != profiles.NoCJK, page: charmap.CodePage437,
		width: p.model.Dots, bar: bars{high: 162, module: 3}, qr: qrState{module: 3, level: 48}}
}

// Receive takes bytes in, and returns how many of them the printer's memory had room for: while it does not print, the rest
// must be offered again.
func (p *Printer) Receive(b []byte) (taken int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range b {
		if len(p.buffer) >= maxBuffer && p.faults&stops != 0 {
			break
		}
		p.realTime(c)
		p.buffer = append(p.buffer, c)
		taken++
		if len(p.buffer) >= maxBuffer {
			p.work()
		}
	}
	p.work()
	p.ring()
	return taken
}

// Answer takes out what the printer has to say: answers, and what it tells by itself. Told rings when there is something.
func (p *Printer) Answer() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := bytes.Clone(p.answer.Bytes())
	p.answer.Reset()
	return out
}

// Told rings when there is an answer, or room again in the printer's memory.
func (p *Printer) Told() <-chan struct{} { return p.told }

func (p *Printer) ring() {
	select {
	case p.told <- struct{}{}:
	default:
	}
}

// Set makes faults happen, or ends them. Without faults the printer goes on where it stopped.
func (p *Printer) Set(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.setFaults(f)
	p.work()
	p.ring()
}

// SwitchOff loses what is in the printer's memory, as a pulled plug does.
func (p *Printer) SwitchOff() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.buffer, p.asb = nil, 0
	p.answer.Reset()
	p.reset()
	p.line = nil
}

func (p *Printer) setFaults(f Fault) {
	if f != p.faults {
		p.faults = f
		if p.asb != 0 {
			p.answer.Write(p.automatic())
		}
	}
}

// After makes faults happen once so many more lines or pictures are printed.
func (p *Printer) After(lines int, f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.script[p.lines+lines] = f
}

// Faults returns what is wrong.
func (p *Printer) Faults() Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults
}

// Paper is a copy of the strip so far, or of its last five metres.
func (p *Printer) Paper() *dots.Bitmap {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.paper.Crop(0, p.y)
}

// Text is what stands on the paper in characters, a line each.
func (p *Printer) Text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.text, "\n")
}

// Events lists what happened so far, or the last of it.
func (p *Printer) Events() []Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.events)
}

// Tear takes the paper off.
func (p *Printer) Tear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paper, p.y, p.text, p.events = dots.New(p.model.Dots, 0), 0, nil, nil
}

func (p *Printer) note(kind, format string, args ...any) {
	if len(p.events) >= maxEvents {
		p.events = append(p.events[:0], p.events[maxEvents/2:]...)
	}
	p.events = append(p.events, Event{kind, fmt.Sprintf(format, args...)})
}

// work works off what is complete, until a fault stops it.
func (p *Printer) work() {
	for len(p.buffer) > 0 && p.faults&stops == 0 {
		n := p.length(p.buffer)
		if n == 0 {
			if len(p.buffer) > maxCommand {
				p.buffer = nil
				p.note("unknown", "a command that does not end")
			}
			return
		}
		command := p.buffer[:n]
		p.buffer = p.buffer[n:]
		p.do(command)
	}
	if len(p.buffer) == 0 {
		p.buffer = nil
	}
}

// printed counts a line, and lets a fault happen that waited for it.
func (p *Printer) printed() {
	p.lines++
	if f, ok := p.script[p.lines]; ok {
		delete(p.script, p.lines)
		p.setFaults(p.faults | f)
	}
}

// burn puts dots onto the paper, at x of the printing area, and moves the paper on.
func (p *Printer) burn(b *dots.Bitmap, x, advance int) {
	p.paper.Grow(p.y + max(b.H, advance))
	p.paper.Draw(b, p.left+x, p.y)
	p.feed(advance)
}

// feed moves the paper on. Of a strip that is too long the upper half is torn off.
func (p *Printer) feed(n int) {
	p.y += n
	p.paper.Grow(p.y)
	if p.y > maxStrip {
		p.paper = p.paper.Crop(p.y-maxStrip/2, p.paper.H)
		p.y = maxStrip / 2
		p.text = p.text[len(p.text)/2:]
		p.note("torn", "the strip was too long")
	}
}
