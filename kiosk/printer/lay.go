package printer

import (
	"errors"
	"fmt"
	"slices"

	profiles "foyer/firmware-profiles"
	"foyer/kiosk/printer/code"
	"foyer/kiosk/printer/dots"
)

// strip is a piece of the paper, from top to bottom: one of its fields.
type strip struct {
	say    *line        // in the printer's own font
	draw   *dots.Bitmap // as wide as the paper
	qr     *nativeQR
	feed   int // dots
	cut    bool
	drawer bool
}

type nativeQR struct {
	data   string
	module int
	align  Align
}

const (
	gap       = 6   // dots between two lines
	codeRoom  = 240 // dots: a square code is made no larger than 30 mm
	minModule = 2   // dots: what a reader can tell apart at 180 dots an inch
	codeHigh  = 80
	ruleHigh  = 14
)

// lay breaks a document into strips for a printer. The error holds every reason why it does not fit.
func lay(d *Doc, p *profiles.Printer) ([]strip, error) {
	l := layout{p: p}
	var faults []error
	for i, b := range d.Blocks {
		err := l.block(b)
		if n := b.parts(); n != 1 {
			err = fmt.Errorf("is %d things, want one", n)
		}
		for _, f := range b.faults() {
			err = errors.Join(err, fmt.Errorf("%s: %s", f.path, f.text))
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("block %d: %w", i+1, err))
		}
		if l.lines > maxLines {
			return nil, errors.Join(append(faults, fmt.Errorf("block %d: the document is over %d lines long: shorten it", i+1, maxLines))...)
		}
	}
	return l.strips, errors.Join(faults...)
}

type layout struct {
	p      *profiles.Printer
	strips []strip
	lines  int
}

func (l *layout) block(b Block) error {
	switch {
	case b.Text != nil:
		l.text(wrap(valid(b.Text.Runs), b.Text.Align, l.p.Columns))
	case b.Table != nil:
		return l.table(b.Table)
	case b.Picture != nil:
		return l.picture(b.Picture)
	case b.Code != nil:
		return l.code(b.Code)
	case b.Rule != "":
		l.strips = append(l.strips, strip{draw: rule(b.Rule, l.p.Dots)})
	case b.Cut:
		l.strips = append(l.strips, strip{cut: true})
	case b.Drawer:
		l.strips = append(l.strips, strip{drawer: true})
	case b.Feed > 0:
		l.strips = append(l.strips, strip{feed: min(b.Feed, maxFeed) * l.pitch()})
	}
	return nil
}

// valid keeps sizes that faults will tell of from doing harm before that.
func valid(runs []Run) []Run {
	runs = slices.Clone(runs)
	for i := range runs {
		runs[i].Wide, runs[i].High = min(runs[i].Wide, maxSize), min(runs[i].High, maxSize)
	}
	return runs
}

// pitch is from one line to the next, in dots.
func (l *layout) pitch() int { return 2*l.p.Cell() + gap }

func (l *layout) text(lines []line) {
	l.lines += len(lines)
	for _, one := range lines[:min(len(lines), maxLines)] {
		switch {
		case len(one.pieces) == 0:
			l.strips = append(l.strips, strip{feed: l.pitch()})
		case one.speakable(l.p.CJK) || l.p.Raster == profiles.NoRaster:
			l.strips = append(l.strips, strip{say: &one})
		default:
			l.strips = append(l.strips, strip{draw: one.drawn(l.p.Cell(), l.p.Dots)}, strip{feed: gap})
		}
	}
}

func (l *layout) table(t *Table) error {
	for _, row := range t.Rows {
		if len(row) != len(t.Columns) {
			return nil // told already
		}
	}
	lines, err := t.lay(l.p.Columns)
	l.text(lines)
	return err
}

func (l *layout) picture(p *Picture) error {
	if p.Image == nil {
		return errors.New("picture: there is none")
	}
	if l.p.Raster == profiles.NoRaster {
		return errors.New("picture: this printer takes none")
	}
	wide := l.p.Dots
	if p.Wide > 0 {
		wide = min(wide, p.Wide)
	}
	b, err := dots.Picture(p.Image, wide)
	if err != nil {
		return fmt.Errorf("picture: %w", err)
	}
	l.strips = append(l.strips, strip{draw: placed(b, p.Align, l.p.Dots)}, strip{feed: gap})
	return nil
}

// placed puts something on the width of the paper.
func placed(b *dots.Bitmap, a Align, paper int) *dots.Bitmap {
	out := dots.New(paper, b.H)
	out.Draw(b, place(a, b.W, paper), 0)
	return out
}

func (l *layout) code(c *Code) error {
	s, err := code.Make(c.Kind, c.Data, l.p.Dots/minModule)
	if err != nil {
		return fmt.Errorf("code: %w", err)
	}
	module, err := c.module(s, l.p.Dots)
	if err != nil {
		return fmt.Errorf("code: %w", err)
	}
	l.strips = append(l.strips, strip{feed: 2 * gap}) // nothing black may stand close above a code
	switch {
	case c.Kind == code.QR && l.p.QR == profiles.Native:
		l.strips = append(l.strips, strip{qr: &nativeQR{c.Data, module, c.Align}}, strip{feed: gap})
	case l.p.Raster == profiles.NoRaster:
		return fmt.Errorf("code: this printer draws no %s", c.Kind)
	default:
		l.strips = append(l.strips, strip{draw: placed(c.draw(s, module), c.Align, l.p.Dots)}, strip{feed: gap})
	}
	if c.Label != "" {
		l.text(wrap([]Run{{Text: c.Label}}, c.Align, l.p.Columns))
	}
	return nil
}

// module is how many dots a module gets.
func (c *Code) module(s code.Symbol, paper int) (int, error) {
	wide := s.Modules.W + 2*s.Quiet
	most, room := 3, paper // a linear code is read at any size: one that fills the paper helps nobody
	if !s.Linear && c.Kind != code.DataBarExpanded {
		most, room = 8, min(paper, codeRoom)
	}
	n := c.Module
	if n == 0 {
		n = max(minModule, min(most, room/wide))
	}
	if wide*n > paper {
		return 0, fmt.Errorf("%s of %d modules, %d with the white beside it: at %d dots each it is %d dots wide, the paper has %d; shorten its data",
			c.Kind, s.Modules.W, wide, n, wide*n, paper)
	}
	return n, nil
}

func (c *Code) draw(s code.Symbol, module int) *dots.Bitmap {
	if !s.Linear {
		return margin(s.Modules.Scale(module, module), s.Quiet*module)
	}
	high := c.Height
	if high == 0 {
		high = codeHigh
	}
	return margin(s.Modules.Scale(module, high), s.Quiet*module)
}

// margin leaves white at both sides; above and below the paper does that.
func margin(b *dots.Bitmap, white int) *dots.Bitmap {
	out := dots.New(b.W+2*white, b.H)
	out.Draw(b, white, 0)
	return out
}

func rule(r Rule, paper int) *dots.Bitmap {
	b := dots.New(paper, ruleHigh)
	const middle = ruleHigh / 2
	switch r {
	case Dashed:
		for x := 0; x < paper; x += 12 {
			b.Fill(x, middle-1, 7, 2)
		}
	case Double:
		b.Fill(0, middle-3, paper, 2)
		b.Fill(0, middle+2, paper, 2)
	default:
		b.Fill(0, middle-1, paper, 2)
	}
	return b
}
