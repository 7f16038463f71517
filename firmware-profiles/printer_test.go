package profiles

import (
	"strings"
	"testing"
)

func TestBuiltInPrinters(t *testing.T) {
	all := Printers()
	models := 0
	widths := map[int]bool{}
	for _, p := range all {
		for _, product := range p.Products {
			if product.Vendor != "various" {
				models++
			}
		}
		widths[p.Paper] = true
		if !strings.HasSuffix(p.File, "/"+p.ID+".yaml") {
			t.Errorf("%s holds the printer %s", p.File, p.ID)
		}
		if found, ok := FindPrinter(p.ID); !ok || found != p {
			t.Errorf("%s is not found by its id", p.ID)
		}
	}
	if models < 12 || !widths[58] || !widths[80] {
		t.Errorf("%d models on rolls of %v mm; want 12, of 58 and 80 mm", models, widths)
	}
}

const goodPrinter = `schema: 1
id: my-printer
title: {en: Mine, zh-CN: 我的}
products: [{vendor: Me, model: One}]
paper: 58
dots: 384
dpi: 203
columns: 32
cjk: gb2312
raster: gs-v-0
qr: picture
cut: tear
feed: 3
status: gs-r
`

func TestPrinterFaults(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"dots: 384", "dots: 383", "p.yaml:6: dots: got 383, want a multiple of 8"},
		{"columns: 32", "columns: 70", "leave 5 dots a character"},
		{"cjk: gb2312", "cjk: big5", "cjk"},
		{"raster: gs-v-0", "raster: none", "must have every character"},
		{"paper: 58", "paper: 5", "got 5, want 40 to 120"},
		{"products: [{vendor: Me, model: One}]", "products: []", "at least one"},
		{"status: gs-r\n", "status: gs-r\ncolour: red\n", "colour"},
		{"schema: 1", "schema: 2", "want 1"},
	} {
		_, err := ParsePrinter("p.yaml", []byte(strings.Replace(goodPrinter, c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.new, err, c.want)
		}
	}
	if p, err := ParsePrinter("p.yaml", []byte(goodPrinter)); err != nil || p.Cell() != 12 {
		t.Errorf("%v, %v", p, err)
	}
}

func FuzzPrinter(f *testing.F) {
	f.Add([]byte(goodPrinter))
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, err := ParsePrinter("p.yaml", data); err == nil && (p.Cell() < 8 || p.Dots%8 != 0) {
			t.Errorf("took %d dots in %d columns", p.Dots, p.Columns)
		}
	})
}
