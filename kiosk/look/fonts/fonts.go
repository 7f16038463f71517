// Package fonts holds our cut of Noto Sans SC, made by make.sh: the 8,105 characters of the state list, so that Chinese is
// right on a box without any system font.
//
// Out: the bytes of two OpenType fonts. It never draws.
// Called by kiosk/look (the screens) and kiosk/printer/dots (paper).
package fonts

import _ "embed" // the fonts

//go:embed FoyerSansSC-Regular.otf
var regular []byte

//go:embed FoyerSansSC-Bold.otf
var bold []byte

// The files' names.
const (
	RegularName = "FoyerSansSC-Regular.otf"
	BoldName    = "FoyerSansSC-Bold.otf"
)

// Regular is the font of ordinary weight. Its bytes must not be changed.
func Regular() []byte { return regular }

// Bold is the heavy one. Its bytes must not be changed.
func Bold() []byte { return bold }
