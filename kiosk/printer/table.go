package printer

import (
	"fmt"
	"strings"

	"foyer/kiosk/printer/dots"
)

// lay is the table as lines of text.
func (t Table) lay(columns int) ([]line, error) {
	widths, err := t.widths(columns)
	if err != nil {
		return nil, err
	}
	var lines []line
	for _, row := range t.Rows {
		cells := make([][]line, len(row))
		most := 1
		for i, text := range row {
			cells[i] = wrap([]Run{{Text: text}}, t.Columns[i].Align, widths[i])
			most = max(most, len(cells[i]))
		}
		for n := range most {
			var b strings.Builder
			for i, cell := range cells {
				if i > 0 {
					b.WriteByte(' ')
				}
				text := ""
				if n < len(cell) {
					text = cell[n].plain()
				}
				b.WriteString(padded(text, t.Columns[i].Align, widths[i]))
			}
			f := Run{Bold: t.Bold}.form()
			lines = append(lines, line{pieces: []piece{{strings.TrimRight(b.String(), " "), f}}})
		}
	}
	return lines, nil
}

func (l line) plain() string {
	var b strings.Builder
	for _, p := range l.pieces {
		b.WriteString(p.text)
	}
	return b.String()
}

// padded fills a cell up.
func padded(s string, a Align, columns int) string {
	left := columns - dots.Columns(s)
	if left <= 0 {
		return s
	}
	switch a {
	case Right:
		return strings.Repeat(" ", left) + s
	case Center:
		return strings.Repeat(" ", left/2) + s + strings.Repeat(" ", left-left/2)
	}
	return s + strings.Repeat(" ", left)
}

// widths shares the line out.
func (t Table) widths(columns int) ([]int, error) {
	left, open := columns-(len(t.Columns)-1), 0
	for _, c := range t.Columns {
		left -= c.Width
		if c.Width == 0 {
			open++
		}
	}
	if left < 2*open {
		return nil, fmt.Errorf("a table of %d columns of text does not fit into %d", columns-left+2*open, columns)
	}
	out := make([]int, len(t.Columns))
	for i, c := range t.Columns {
		if out[i] = c.Width; c.Width == 0 {
			out[i] = left / open
			left -= out[i]
			open--
		}
	}
	return out, nil
}
