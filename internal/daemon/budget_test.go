package daemon

import "testing"

func TestBudgets(t *testing.T) {
	for text, want := range map[string]Budget{"20MB/day": 20_000_000, "100kB/day": 100_000, "1.5 GB/day": 1_500_000_000} {
		if got, err := parseBudget(text); err != nil || got != want {
			t.Errorf("%q is %d, %v: want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "20MB", "20/day", "20 MB/month", "99kB/day", "-5MB/day", "NaNMB/day", "9999999GB/day", "MB/day"} {
		if got, err := parseBudget(text); err == nil {
			t.Errorf("%q is taken for %d", text, got)
		}
	}
}
