package look

import (
	_ "embed" // the fonts
	"sync"

	"fyne.io/fyne/v2"
	"golang.org/x/image/font/sfnt"
)

//go:embed fonts/FoyerSansSC-Regular.otf
var regular []byte

//go:embed fonts/FoyerSansSC-Bold.otf
var bold []byte

// The fonts: our cut of Noto Sans SC, made by fonts/make.sh. They hold the 8,105 characters of the state list, so that
// Chinese is right on a box without any system font.
var (
	Regular fyne.Resource = fyne.NewStaticResource("FoyerSansSC-Regular.otf", regular)
	Bold    fyne.Resource = fyne.NewStaticResource("FoyerSansSC-Bold.otf", bold)
)

// The font's proportions, of the text size (hhea and OS/2 tables): the top of the line above the baseline, and the
// middle of a Chinese character above the baseline.
const (
	Ascent   = 1.16
	LineFull = 1.448
	Middle   = 0.38
)

var covered = sync.OnceValue(func() *sfnt.Font {
	f, err := sfnt.Parse(regular)
	if err != nil {
		panic(err) // the file is embedded, a test reads it
	}
	return f
})

// Covers reports whether our fonts hold every character of s.
func Covers(s string) bool {
	var buf sfnt.Buffer
	for _, r := range s {
		if i, err := covered().GlyphIndex(&buf, r); err != nil || i == 0 {
			return false
		}
	}
	return true
}

// Source returns the font to draw s with: ours, or nil where s holds a character that ours lacks (a rare name, an
// emoji); then Fyne looks through the theme's and the system's fonts, which costs a scan of the disk the first time.
func Source(s string, heavy bool) fyne.Resource {
	switch {
	case !Covers(s):
		return nil
	case heavy:
		return Bold
	}
	return Regular
}
