package fonts

import (
	"testing"

	"golang.org/x/image/font/sfnt"
)

func TestBothFontsHoldChineseAndLatin(t *testing.T) {
	for name, data := range map[string][]byte{RegularName: Regular(), BoldName: Bold()} {
		f, err := sfnt.Parse(data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var buf sfnt.Buffer
		for _, r := range "Foyer 迎客厅 犇镕𬭎 ¥" {
			if i, err := f.GlyphIndex(&buf, r); err != nil || i == 0 {
				t.Errorf("%s lacks %q", name, r)
			}
		}
	}
}
