package shop

import (
	"context"

	"foyer/shop/presence"
)

// Retune puts other thresholds of the zones in force, as Config.Zones: a reader has another profile now and reports otherwise.
// It returns when they are in force, or says why not: then nothing has changed. See presence.Tracker.Retune.
func (s *Shop) Retune(ctx context.Context, zones []Zone) error {
	var pc presence.Config
	for _, z := range zones {
		pc.Zones = append(pc.Zones, z.Zone)
	}
	reply := make(chan error, 1)
	return s.ask(ctx, request{reply: reply, do: func(s *Shop) { reply <- s.tracker.Retune(pc, s.now) }})
}
