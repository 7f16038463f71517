package setting

import (
	"testing"
	"time"
)

func TestWindows(t *testing.T) {
	day := func(text string) time.Time {
		at, err := time.Parse("15:04:05", text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, tc := range []struct {
		window, now string
		want        time.Duration
	}{
		{"", "12:00:00", 0}, {"22:00-06:00", "23:59:59", 0}, {"22:00-06:00", "05:59:59", 0}, {"22:00-06:00", "06:00:00", 16 * time.Hour},
		{"22:00-06:00", "21:59:30", 30 * time.Second}, {"01:30-02:00", "01:30:00", 0}, {"01:30-02:00", "02:00:00", 23*time.Hour + 30*time.Minute},
	} {
		w, err := ParseWindow(tc.window)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.Until(day(tc.now)); got != tc.want {
			t.Errorf("%s at %s: %v, want %v", tc.window, tc.now, got, tc.want)
		}
	}
	for _, bad := range []string{"22", "22:00", "22:00-22:00", "25:00-01:00", "22:00-06:00-07:00", "night"} {
		if _, err := ParseWindow(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestBudgets(t *testing.T) {
	for text, want := range map[string]int64{"20MB/day": 20_000_000, "100kB/day": 100_000, "1.5 GB/day": 1_500_000_000} {
		if got, err := ParseBudget(text); err != nil || got != want {
			t.Errorf("%q is %d, %v: want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "20MB", "20/day", "20 MB/month", "99kB/day", "-5MB/day", "NaNMB/day", "9999999GB/day", "MB/day"} {
		if got, err := ParseBudget(text); err == nil {
			t.Errorf("%q is taken for %d", text, got)
		}
	}
}

// What headquarters may set, and what it may not.
func TestChange(t *testing.T) {
	have := Set{LogLevel: "debug", Rate: "200"}
	next, err := have.Change(map[string]string{Language: "en", Budget: None, Quiet: "22:00-06:00", WallGreeting: "8s"}, []string{LogLevel})
	if err != nil || len(next) != 5 || next[LogLevel] != "" || next[Rate] != "200" || have[LogLevel] != "debug" {
		t.Errorf("the set is %v, %v; before it was %v", next, err, have)
	}
	for _, bad := range []struct {
		set   map[string]string
		reset []string
	}{
		{nil, nil}, {map[string]string{"headquarters.broker": "tcp://elsewhere"}, nil}, {map[string]string{LogLevel: "loud"}, nil},
		{map[string]string{WallGreeting: "1h"}, nil}, {map[string]string{KioskGreeting: "0s"}, nil}, {map[string]string{Language: "fr"}, nil},
		{map[string]string{Rate: "-1"}, nil}, {map[string]string{Quiet: ""}, nil}, {map[string]string{Budget: "20MB"}, nil},
		{map[string]string{Rate: "1"}, []string{Rate}}, {nil, []string{"data"}},
	} {
		if next, err := have.Change(bad.set, bad.reset); err == nil {
			t.Errorf("%+v is taken: %v", bad, next)
		}
	}
	if got := (Set{LogLevel: "loud", Rate: "7", "readers": "none"}).Sound(); len(got) != 1 || got[Rate] != "7" {
		t.Errorf("sound is %v", got)
	}
}

// FuzzCheck: whatever is taken as a setting can be used as one.
func FuzzCheck(f *testing.F) {
	for _, name := range Names {
		f.Add(name, "20MB/day")
		f.Add(name, "22:00-06:00")
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		if Check(name, value) != nil {
			return
		}
		if next, err := (Set{}).Change(map[string]string{name: value}, nil); err != nil || next.Sound()[name] != value {
			t.Fatalf("%q as %s: %v, %v", value, name, next, err)
		}
	})
}
