package look

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Theme gives Fyne our colours and fonts. Ground is what the window is cleared to; no rectangle ever fills the screen,
// because without a graphics chip that costs half of the frame rate.
type Theme struct{ Ground color.Color }

// Color gives the few colours of Fyne's own that can show.
func (t Theme) Color(name fyne.ThemeColorName, _ fyne.ThemeVariant) color.Color {
	switch name {
	case theme.ColorNameBackground:
		return t.Ground
	case theme.ColorNameForeground:
		return Ink
	case theme.ColorNamePrimary:
		return Teal
	}
	return theme.DefaultTheme().Color(name, theme.VariantLight)
}

// Font gives ours, whatever the box has.
func (t Theme) Font(style fyne.TextStyle) fyne.Resource {
	if style.Bold {
		return Bold
	}
	return Regular
}

// Icon gives Fyne's.
func (t Theme) Icon(name fyne.ThemeIconName) fyne.Resource { return theme.DefaultTheme().Icon(name) }

// Size gives Fyne's.
func (t Theme) Size(name fyne.ThemeSizeName) float32 { return theme.DefaultTheme().Size(name) }
