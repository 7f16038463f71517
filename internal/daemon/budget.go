package daemon

import "foyer/sync/setting"

// Budget is how many bytes a day a line may cost: 20MB/day. 0 is a line that is not metered.
type Budget int64

// UnmarshalText reads it as setting.ParseBudget does.
func (b *Budget) UnmarshalText(text []byte) error {
	n, err := setting.ParseBudget(string(text))
	*b = Budget(n)
	return err
}
