package look

import (
	"sync"

	"fyne.io/fyne/v2"
	"golang.org/x/image/font/sfnt"

	"foyer/kiosk/look/fonts"
)

// The fonts: our cut of Noto Sans SC, made by fonts/make.sh. They hold the 8,105 characters of the state list, so that
// Chinese is right on a box without any system font.
var (
	Regular fyne.Resource = fyne.NewStaticResource(fonts.RegularName, fonts.Regular())
	Bold    fyne.Resource = fyne.NewStaticResource(fonts.BoldName, fonts.Bold())
)

// The font's proportions, of the text size (hhea and OS/2 tables): the top of the line above the baseline, and the
// middle of a Chinese character above the baseline.
const (
	Ascent   = 1.16
	LineFull = 1.448
	Middle   = 0.38
)

var covered = sync.OnceValue(func() *sfnt.Font {
	f, err := sfnt.Parse(fonts.Regular())
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
