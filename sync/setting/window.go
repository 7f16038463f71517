package setting

import (
	"fmt"
	"strings"
	"time"
)

// Window is the hours of a day in which large files may come, in the box's own zone; it may go over midnight. The zero
// value is the whole day.
type Window struct{ from, to int } // minutes of the day

// ParseWindow reads "22:00-06:30"; nothing is the whole day.
func ParseWindow(text string) (Window, error) {
	if text == "" {
		return Window{}, nil
	}
	a, b, _ := strings.Cut(text, "-")
	from, err1 := time.Parse("15:04", strings.TrimSpace(a))
	to, err2 := time.Parse("15:04", strings.TrimSpace(b))
	if err1 != nil || err2 != nil || from.Equal(to) {
		return Window{}, fmt.Errorf("%q are no hours, want two times of a day like 22:00-06:30", text)
	}
	return Window{from.Hour()*60 + from.Minute(), to.Hour()*60 + to.Minute()}, nil
}

// Until is how long it is until the window is open; 0 while it is.
func (w Window) Until(now time.Time) time.Duration {
	if w.from == w.to {
		return 0
	}
	minute := now.Hour()*60 + now.Minute()
	inside := minute >= w.from && minute < w.to
	if w.from > w.to {
		inside = minute >= w.from || minute < w.to
	}
	if inside {
		return 0
	}
	open := time.Date(now.Year(), now.Month(), now.Day(), w.from/60, w.from%60, 0, 0, now.Location())
	if !open.After(now) {
		open = open.AddDate(0, 0, 1)
	}
	return max(open.Sub(now), time.Second) // at a change of clocks the same minute may come twice
}
