package daemon

import (
	"fmt"
	"strconv"
	"strings"
)

// Budget is how many bytes a day a line may cost: 20MB/day. 0 is a line that is not metered.
type Budget int64

// The least is what a quiet store needs to be heard at all; the most is no budget any more.
const (
	minBudget = 100_000
	maxBudget = 1e12
)

// UnmarshalText reads a number with kB, MB or GB (powers of ten, as networks bill) and /day.
func (b *Budget) UnmarshalText(text []byte) (err error) {
	*b, err = parseBudget(string(text))
	return err
}

func parseBudget(text string) (Budget, error) {
	number, ok := strings.CutSuffix(text, "/day")
	unit := int64(1)
	for suffix, size := range map[string]int64{"kB": 1e3, "MB": 1e6, "GB": 1e9} {
		if cut, found := strings.CutSuffix(number, suffix); found {
			number, unit = cut, size
		}
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if !ok || unit == 1 || err != nil || !(v*float64(unit) >= minBudget && v*float64(unit) <= maxBudget) {
		return 0, fmt.Errorf("%q is no budget, want something like 20MB/day, at least 100kB/day", text)
	}
	return Budget(v * float64(unit)), nil
}
