package printer_test

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	profiles "foyer/firmware-profiles"
	"foyer/kiosk/printer"
	"foyer/kiosk/printer/code"
	"foyer/kiosk/printer/virtual"
)

func model(t testing.TB, id string) *profiles.Printer {
	t.Helper()
	p, ok := profiles.FindPrinter(id)
	if !ok {
		t.Fatalf("no printer %s", id)
	}
	return p
}

// printed is what a document looks like on a printer.
func printed(t testing.TB, d *printer.Doc, m *profiles.Printer) *virtual.Printer {
	t.Helper()
	job, err := printer.Encode(d, m)
	if err != nil {
		t.Fatal(err)
	}
	p := virtual.New(m)
	if n := p.Receive(job); n != len(job) {
		t.Fatalf("took %d of %d bytes", n, len(job))
	}
	for _, e := range p.Events() {
		if e.Kind == "unknown" {
			t.Errorf("%s: %s", m.ID, e.Detail)
		}
	}
	return p
}

func text(s string) printer.Block {
	return printer.Block{Text: &printer.Text{Runs: []printer.Run{{Text: s}}}}
}

// logo is a picture with greys in it.
func logo() image.Image {
	img := image.NewGray(image.Rect(0, 0, 200, 60))
	for y := range 60 {
		for x := range 200 {
			img.SetGray(x, y, color.Gray{uint8(x * 255 / 200)})
		}
	}
	return img
}

func coupon() *printer.Doc {
	return &printer.Doc{Blocks: []printer.Block{
		{Picture: &printer.Picture{Image: logo(), Align: printer.Center}},
		{Text: &printer.Text{Align: printer.Center, Runs: []printer.Run{{Text: "迎客厅 一号店\n", Wide: 2, High: 2, Bold: true}, {Text: "港湾路 18 号 · Harbour Road 18"}}}},
		{Rule: printer.Double},
		{Text: &printer.Text{Align: printer.Center, Runs: []printer.Run{{Text: "¥10", Wide: 4, High: 4, Bold: true}}}},
		{Text: &printer.Text{Align: printer.Center, Runs: []printer.Run{{Text: "优惠券 Coupon", Invert: true}}}},
		{Table: &printer.Table{Columns: []printer.Column{{Width: 10}, {Align: printer.Right}}, Rows: [][]string{
			{"持券人", "王镕𬭎女士"}, {"适用", "任意 3G 套餐配件，满一百元可用；不与其他优惠同时使用"}, {"有效期", "2026-12-31"}}}},
		{Rule: printer.Dashed},
		{Code: &printer.Code{Kind: code.QR, Data: "HTTPS://C.EXAMPLE/7K3M9QXW2HDF", Align: printer.Center}},
		{Code: &printer.Code{Kind: code.Code128, Data: "7K3M9QXW2HDF", Align: printer.Center, Label: "7K3M-9QXW-2HDF"}},
		{Feed: 1},
		{Cut: true},
	}}
}

// Every model prints the same words, whatever of them it has in its own font.
func TestACouponOnEveryPrinter(t *testing.T) {
	for _, m := range profiles.Printers() {
		p := printed(t, coupon(), m)
		if dir := os.Getenv("FOYER_LOOK"); dir != "" {
			save(t, p, filepath.Join(dir, m.ID+".png"))
		}
		var codes, cuts int
		for _, e := range p.Events() {
			switch e.Kind {
			case "barcode":
				codes++
			case "cut":
				cuts++
			}
		}
		if m.QR == profiles.Native && codes != 1 {
			t.Errorf("%s drew %d codes by itself, want the QR code", m.ID, codes)
		}
		if (m.Cut != profiles.Tear) != (cuts == 1) {
			t.Errorf("%s cut %d times", m.ID, cuts)
		}
		if m.CJK == profiles.GB18030 && !strings.Contains(p.Text(), "适用") {
			t.Errorf("%s has Chinese and was sent pictures:\n%s", m.ID, p.Text())
		}
		if strings.Contains(p.Text(), "𬭎") {
			t.Errorf("%s was sent a character as text that it lacks", m.ID)
		}
	}
}

func save(t *testing.T, p *virtual.Printer, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err == nil {
		err = png.Encode(f, p.Paper().Image(16))
	}
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}
