// Package printer turns what is to stand on paper into the bytes of a receipt printer.
//
// In: a Doc (texts, rules, tables, pictures, barcodes) and a printer's profile. Out: ESC/POS bytes, or every reason why the
// document does not fit that paper. Lengths are in dots, columns in half-width characters of font A.
// It never opens a port, never asks a printer anything, and lets nothing of a text become a command.
// Called by kiosk/printer/post (which sends the bytes), internal/daemon and cmd/foyer.
//
// A line whose characters the printer's own font has is sent as text. A line with any other character is drawn in
// our font and sent as a picture, whole, so that no name is printed with a hole in it. Both stand on the same grid of
// columns, by East Asian width, so that tables hold.
package printer

import (
	"image"

	"foyer/internal/strictyaml"
	"foyer/kiosk/printer/code"
)

// Doc is what is to be printed, from top to bottom.
type Doc struct {
	Blocks []Block `yaml:"blocks,required"`
}

// Block is one of its fields.
type Block struct {
	Text    *Text    `yaml:"text"`
	Table   *Table   `yaml:"table"`
	Picture *Picture `yaml:"picture"`
	Code    *Code    `yaml:"code"`
	Rule    Rule     `yaml:"rule"`
	Feed    int      `yaml:"feed"` // lines of white
	Cut     bool     `yaml:"cut"`
	Drawer  bool     `yaml:"drawer"` // kicks the cash drawer open
}

// Align is where something stands on the line.
type Align string

// The places. Empty is Left.
const (
	Left   Align = "left"
	Center Align = "center"
	Right  Align = "right"
)

// Words lists the vocabulary.
func (Align) Words() []string { return []string{string(Left), string(Center), string(Right)} }

// Rule is a line across the paper.
type Rule string

// The rules. Empty is none.
const (
	Solid  Rule = "solid"
	Dashed Rule = "dashed"
	Double Rule = "double"
)

// Words lists the vocabulary.
func (Rule) Words() []string { return []string{string(Solid), string(Dashed), string(Double)} }

// Text is a paragraph; a line break in it begins a new line.
type Text struct {
	Align Align `yaml:"align"`
	Runs  []Run `yaml:"runs,required"`
}

// Run is a piece of text in one form.
type Run struct {
	Text   string `yaml:"text,required"`
	Wide   int    `yaml:"wide"` // times as wide, 1 to 4; 0 is 1
	High   int    `yaml:"high"` // times as high
	Bold   bool   `yaml:"bold"`
	Invert bool   `yaml:"invert"` // white on black
}

// Table is rows of cells on one grid of columns. A cell that is too long for its column goes on below.
type Table struct {
	Columns []Column   `yaml:"columns,required"`
	Rows    [][]string `yaml:"rows,required"`
	Bold    bool       `yaml:"bold"`
}

// Column is one column of a table. One column between two is left white.
type Column struct {
	Width int   `yaml:"width"` // half-width characters; 0: an equal part of what the others leave
	Align Align `yaml:"align"`
}

// Picture is an image, dithered to black and white and no wider than the paper.
type Picture struct {
	Image image.Image `yaml:"-"`
	File  string      `yaml:"file"`  // where Image comes from, for whoever reads documents from files
	Wide  int         `yaml:"width"` // at most so many dots; 0: as wide as the image, or the paper
	Align Align       `yaml:"align"`
}

// Code is a barcode.
type Code struct {
	Kind   code.Kind `yaml:"kind,required"`
	Data   string    `yaml:"data,required"`
	Module int       `yaml:"module"` // dots a module; 0: as large as fits and is of use
	Height int       `yaml:"height"` // of a linear code; 0: 80
	Label  string    `yaml:"label"`  // stands below
	Align  Align     `yaml:"align"`
}

// Parse reads a document that a person wrote as YAML or JSON. The error holds every fault. Pictures are not loaded.
func Parse(name string, data []byte) (*Doc, error) {
	d := &Doc{}
	doc := strictyaml.Decode(name, data, d)
	d.check(doc)
	if err := doc.Err(); err != nil {
		return nil, err
	}
	return d, nil
}
