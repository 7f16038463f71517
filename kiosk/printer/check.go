package printer

import (
	"fmt"

	"foyer/internal/strictyaml"
)

// The bounds of a document: a long receipt, not a novel.
const (
	maxBlocks  = 500
	maxLines   = 1000 // of text, in all
	maxSize    = 4    // times as wide or high
	maxColumns = 12
	maxFeed    = 40
)

func (d *Doc) check(doc *strictyaml.Doc) {
	if len(d.Blocks) == 0 || len(d.Blocks) > maxBlocks {
		doc.At("blocks", "has %d, want 1 to %d", len(d.Blocks), maxBlocks)
	}
	for i, b := range d.Blocks {
		path := fmt.Sprintf("blocks[%d]", i)
		if n := b.parts(); n != 1 {
			doc.At(path, "is %d things, want one of text, table, picture, code, rule, feed, cut and drawer", n)
		}
		for _, f := range b.faults() {
			doc.At(path+f.path, "%s", f.text)
		}
	}
}

// parts counts what a block is.
func (b Block) parts() int {
	n := 0
	for _, is := range []bool{b.Text != nil, b.Table != nil, b.Picture != nil, b.Code != nil, b.Rule != "", b.Feed != 0, b.Cut, b.Drawer} {
		if is {
			n++
		}
	}
	return n
}

// fault is what is wrong with a block, whoever made it.
type fault struct{ path, text string }

func (b Block) faults() []fault {
	var all []fault
	add := func(path, format string, args ...any) {
		all = append(all, fault{path, fmt.Sprintf(format, args...)})
	}
	if b.Feed < 0 || b.Feed > maxFeed {
		add(".feed", "got %d, want 1 to %d", b.Feed, maxFeed)
	}
	if b.Text != nil {
		for i, r := range b.Text.Runs {
			if r.Wide < 0 || r.Wide > maxSize || r.High < 0 || r.High > maxSize {
				add(fmt.Sprintf(".text.runs[%d]", i), "%d times as wide and %d times as high, want 1 to %d", r.Wide, r.High, maxSize)
			}
		}
	}
	if t := b.Table; t != nil {
		if len(t.Columns) == 0 || len(t.Columns) > maxColumns {
			add(".table.columns", "has %d, want 1 to %d", len(t.Columns), maxColumns)
		}
		for i, row := range t.Rows {
			if len(row) != len(t.Columns) {
				add(fmt.Sprintf(".table.rows[%d]", i), "has %d cells, want %d", len(row), len(t.Columns))
			}
		}
	}
	if c := b.Code; c != nil && (c.Module < 0 || c.Module > 16 || c.Height < 0 || c.Height > 400) {
		add(".code", "module of %d dots, height of %d: want at most 16 and 400", c.Module, c.Height)
	}
	return all
}
