// Package code turns data into the modules of barcodes.
//
// In: the data of one code. Out: a Symbol, one dot a module, without quiet zones; errors that say what cannot be
// coded and where. A linear code is one row, which whoever prints it makes as tall as it likes.
// It never prints, scales or writes the text below a code.
// Called by kiosk/printer and kiosk/printer/virtual.
//
// Code 128, EAN-13, QR and DataMatrix are boombuler's. GS1 DataBar Expanded (databar.go, ISO/IEC 24724) is ours: there is no
// other in Go.
package code

import (
	"errors"
	"fmt"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/code128"
	"github.com/boombuler/barcode/datamatrix"
	"github.com/boombuler/barcode/ean"
	"github.com/boombuler/barcode/qr"

	"foyer/kiosk/printer/dots"
)

// Kind is a symbology.
type Kind string

// The symbologies, as documents name them.
const (
	Code128         Kind = "code128"
	EAN13           Kind = "ean13"
	QR              Kind = "qr"
	DataMatrix      Kind = "datamatrix"
	DataBarExpanded Kind = "databar" // GS1 DataBar Expanded; Stacked where one row does not fit
)

// Kinds lists them.
var Kinds = []Kind{Code128, EAN13, QR, DataMatrix, DataBarExpanded}

// MaxData is more than any of them holds at a size that paper has room for.
const MaxData = 1024

// Symbol is a code's modules.
type Symbol struct {
	Modules *dots.Bitmap // black modules; of a linear code one row
	Linear  bool
	Quiet   int // white modules that must stand beside it
}

// Make codes data. wide is how many modules there is room for: only DataBar can do something about it.
func Make(k Kind, data string, wide int) (Symbol, error) {
	if len(data) > MaxData {
		return Symbol{}, fmt.Errorf("%s of %d bytes: want at most %d", k, len(data), MaxData)
	}
	switch k {
	case Code128:
		return foreign(k, 10, data, printable(data), func(s string) (barcode.Barcode, error) { return code128.Encode(s) })
	case EAN13:
		return foreign(k, 11, data, thirteen(data), func(s string) (barcode.Barcode, error) { return ean.Encode(s) })
	case QR:
		return foreign(k, 4, data, printable(data), func(s string) (barcode.Barcode, error) { return qr.Encode(s, qr.M, qr.Auto) })
	case DataMatrix:
		return foreign(k, 2, data, printable(data), datamatrix.Encode)
	case DataBarExpanded:
		return expanded(data, wide)
	}
	return Symbol{}, fmt.Errorf("no barcode %.20q: want one of %v", k, Kinds)
}

// printable refuses what readers make something else of: there is no telling in which alphabet a byte beyond ASCII will be read.
func printable(data string) error {
	if data == "" {
		return errors.New("no data")
	}
	for i := range len(data) {
		if data[i] < ' ' || data[i] > '~' {
			return fmt.Errorf("byte %d is %#02x: want printable ASCII", i+1, data[i])
		}
	}
	return nil
}

func thirteen(data string) error {
	if len(data) != 12 && len(data) != 13 {
		return fmt.Errorf("%d characters: want 12 digits, or 13 with the check digit", len(data))
	}
	return nil
}

// foreign makes a Symbol with the library, of data that was found good.
func foreign(k Kind, quiet int, data string, fault error, encode func(string) (barcode.Barcode, error)) (Symbol, error) {
	if fault != nil {
		return Symbol{}, fmt.Errorf("%s: %w", k, fault)
	}
	b, err := encode(data)
	if err != nil {
		return Symbol{}, fmt.Errorf("%s: %w", k, err)
	}
	size := b.Bounds()
	s := Symbol{Modules: dots.New(size.Dx(), size.Dy()), Linear: b.Metadata().Dimensions == 1, Quiet: quiet}
	for y := range size.Dy() {
		for x := range size.Dx() {
			if r, _, _, _ := b.At(size.Min.X+x, size.Min.Y+y).RGBA(); r < 0x8000 {
				s.Modules.Set(x, y)
			}
		}
	}
	return s, nil
}
