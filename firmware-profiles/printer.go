package profiles

import (
	"embed"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"foyer/internal/strictyaml"
)

// Printer is what one kind of receipt printer can do. It is immutable once parsed.
//
// The numbers follow the makers' manuals and, for many models, the project receipt-print-hq/escpos-printer-db (CC-BY 4.0),
// which collects them; what Foyer adds is which Chinese characters the printer's own font has, and what it answers when asked how it is.
type Printer struct {
	Schema   int       `yaml:"schema,required"` // the vocabulary's version: 1
	ID       string    `yaml:"id,required"`
	Title    Text      `yaml:"title,required"`
	Products []Product `yaml:"products,required"`
	Caveats  []Caveat  `yaml:"caveats"`

	Paper   int     `yaml:"paper,required"`   // width of the roll in millimetres: 58 or 80
	Dots    int     `yaml:"dots,required"`    // that the head can print side by side
	DPI     int     `yaml:"dpi,required"`     // 180 or 203
	Columns int     `yaml:"columns,required"` // half-width characters of font A in a line
	CJK     CJK     `yaml:"cjk,required"`     // Chinese characters in the printer's own font
	Raster  Raster  `yaml:"raster,required"`  // how it takes pictures
	QR      Own     `yaml:"qr,required"`      // whether it draws QR codes by itself
	Cut     Cut     `yaml:"cut,required"`
	Feed    int     `yaml:"feed,required"` // lines from the head to the cutter or the tear bar
	Status  Answers `yaml:"status,required"`
	Drawer  bool    `yaml:"drawer"` // it has a socket for one
	Baud    int     `yaml:"baud"`   // on a serial line; 0: 9600

	File string `yaml:"-"`
}

// CJK is which Chinese characters a printer's own font has. Lines with others are sent as pictures.
type CJK string

// The coverages.
const (
	NoCJK   CJK = "none"
	GB2312  CJK = "gb2312"  // 6,763 characters
	GBK     CJK = "gbk"     // 20,902
	GB18030 CJK = "gb18030" // these and the four-byte ones
)

// Words lists the vocabulary.
func (CJK) Words() []string {
	return []string{string(NoCJK), string(GB2312), string(GBK), string(GB18030)}
}

// Raster is a command for pictures.
type Raster string

// The commands.
const (
	NoRaster Raster = "none"
	GSv0     Raster = "gs-v-0" // the common one
	Graphics Raster = "gs-l"   // GS ( L and GS 8 L, functions 112 and 50
	Columns  Raster = "esc-*"  // in strips of 24 dots: old and simple printers
)

// Words lists the vocabulary.
func (Raster) Words() []string {
	return []string{string(NoRaster), string(GSv0), string(Graphics), string(Columns)}
}

// Own says whether a printer does something by itself.
type Own string

// The answers.
const (
	Native    Own = "native"
	ByPicture Own = "picture" // we send it drawn
)

// Words lists the vocabulary.
func (Own) Words() []string { return []string{string(Native), string(ByPicture)} }

// Cut is how a printer parts the paper.
type Cut string

// The ways.
const (
	Tear    Cut = "tear" // by hand
	Partial Cut = "partial"
	Full    Cut = "full"
)

// Words lists the vocabulary.
func (Cut) Words() []string { return []string{string(Tear), string(Partial), string(Full)} }

// Answers is what a printer says of itself when it is asked.
type Answers string

// The kinds, each able to do what the one before it is.
const (
	Mute      Answers = "none"       // nothing: only a person knows whether it printed
	RealTime  Answers = "dle-eot"    // how it is now (DLE EOT n), also while it is busy
	Orderly   Answers = "gs-r"       // also GS r, answered when its turn comes after what was sent before
	ProcessID Answers = "process-id" // also GS ( H: it says when it has printed what was sent before
)

// Words lists the vocabulary.
func (Answers) Words() []string {
	return []string{string(Mute), string(RealTime), string(Orderly), string(ProcessID)}
}

// ParsePrinter reads one printer. The error holds every fault.
func ParsePrinter(name string, data []byte) (*Printer, error) {
	p := &Printer{File: name}
	doc := strictyaml.Decode(name, data, p)
	p.check(doc)
	if err := doc.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Printer) check(doc *strictyaml.Doc) {
	if p.Schema != Schema {
		doc.At("schema", "got %d, want %d: the vocabulary that this program reads", p.Schema, Schema)
	}
	if p.ID != "" && !idForm.MatchString(p.ID) {
		doc.At("id", "got %.40q, want 1 to 32 lower case letters, digits and dashes", p.ID)
	}
	if len(p.Products) == 0 {
		doc.At("products", "has none, want at least one")
	}
	for _, n := range []struct {
		path             string
		got, least, most int
	}{
		{"paper", p.Paper, 40, 120}, {"dots", p.Dots, 200, 1024}, {"dpi", p.DPI, 100, 360}, {"columns", p.Columns, 16, 80}, {"feed", p.Feed, 0, 20},
	} {
		if n.got < n.least || n.got > n.most {
			doc.At(n.path, "got %d, want %d to %d", n.got, n.least, n.most)
		}
	}
	if p.Dots%8 != 0 {
		doc.At("dots", "got %d, want a multiple of 8: pictures are sent in bytes", p.Dots)
	}
	if p.Columns > 0 && p.Dots/p.Columns < 8 {
		doc.At("columns", "%d columns leave %d dots a character, want 8 or more", p.Columns, p.Dots/p.Columns)
	}
	if p.Raster == NoRaster && p.CJK != GB18030 {
		doc.At("raster", "a printer that takes no pictures must have every character: want cjk gb18030")
	}
}

// Cell is the width of a half-width character of font A in dots.
func (p *Printer) Cell() int { return p.Dots / p.Columns }

//go:embed printers/*.yaml
var printerFiles embed.FS

// printers is parsed once. It panics only if an embedded file is broken, which the tests make impossible.
var printers = sync.OnceValue(func() []*Printer {
	names, err := fs.Glob(printerFiles, "printers/*.yaml")
	if err != nil {
		panic(err)
	}
	all := make([]*Printer, len(names))
	for i, name := range names {
		data, err := printerFiles.ReadFile(name)
		if err != nil {
			panic(err)
		}
		if all[i], err = ParsePrinter(name, data); err != nil {
			panic(err)
		}
	}
	slices.SortFunc(all, func(a, b *Printer) int { return strings.Compare(a.ID, b.ID) })
	return all
})

// Printers returns the printers that come with the program, by id.
func Printers() []*Printer { return slices.Clone(printers()) }

// FindPrinter returns the built-in printer with the id.
func FindPrinter(id string) (*Printer, bool) {
	for _, p := range printers() {
		if p.ID == id {
			return p, true
		}
	}
	return nil, false
}
