package member

import (
	"fmt"
	"time"
)

// MonthDay is a yearly date without a year, written "06-14". The zero MonthDay is unknown.
type MonthDay struct {
	Month time.Month
	Day   int
}

// IsZero reports whether the day is unknown.
func (d MonthDay) IsZero() bool { return d == MonthDay{} }

// MarshalText gives "06-14".
func (d MonthDay) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%02d-%02d", d.Month, d.Day), nil
}

// UnmarshalText reads "06-14". 29 February is a day.
func (d *MonthDay) UnmarshalText(text []byte) error {
	t, err := time.Parse("2006-01-02", "2000-"+string(text)) // 2000 was a leap year
	if err != nil {
		return fmt.Errorf("day %.12q: want month and day like 06-14", text)
	}
	*d = MonthDay{t.Month(), t.Day()}
	return nil
}

// Is reports whether t, in its own zone, falls on the day. Who was born on 29 February has the birthday on
// 28 February in other years.
func (d MonthDay) Is(t time.Time) bool {
	if d.IsZero() {
		return false
	}
	_, m, day := t.Date()
	if d.Month == time.February && d.Day == 29 && time.Date(t.Year(), 3, 0, 0, 0, 0, 0, t.Location()).Day() == 28 {
		return m == time.February && day == 28
	}
	return m == d.Month && day == d.Day
}
