package trace

import "testing"

// BenchmarkHoldOut scores the scenarios on seeds that nobody had looked at when their settings were chosen. A setting that
// is changed after a look at these needs other seeds.
func BenchmarkHoldOut(b *testing.B) {
	const first, seeds = 80_001, 24
	var all, radio Score
	for b.Loop() {
		all, radio = Score{}, Score{}
		for _, s := range Scenarios {
			n := uint64(seeds)
			if s.Name == "poor-spot" {
				n = 3 // each is a day
			}
			got := sumFrom(b, s, first, n)
			all.Add(got)
			if !tapped(s) {
				radio.Add(got)
			}
		}
	}
	b.Logf("%-17s %v", "all", all)
	b.ReportMetric(all.F1(), "F1")
	b.ReportMetric(float64(all.Real), "arrivals")
	b.ReportMetric(float64(all.Missed), "missed")
	b.ReportMetric(float64(all.False), "false")
	b.ReportMetric(float64(all.Flaps), "flaps")
	b.ReportMetric(float64(all.Passers), "passers-by")
	b.ReportMetric(float64(all.Greeted), "passers-by-greeted")
	b.ReportMetric(float64(radio.Latency(0.5).Milliseconds()), "ms-UHF-median")
}
