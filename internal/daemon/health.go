package daemon

import (
	"foyer/api"
	"foyer/reader"
)

// readerHealth is what staff may see of the readers, in the order of the configuration.
func (s *state) readerHealth() []api.ReaderHealth {
	var all []api.ReaderHealth
	for _, h := range s.healths() {
		all = append(all, healthOf(h))
	}
	return all
}

// healths asks every reader.
func (s *state) healths() []reader.Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]reader.Health, 0, len(s.order))
	for _, name := range s.order {
		all = append(all, s.readers[name]())
	}
	return all
}

func healthOf(h reader.Health) api.ReaderHealth {
	c, advice := h.Counts, h.Counts.Advice()
	out := api.ReaderHealth{Name: h.Reader, Online: h.Online, Since: h.At, LastRead: c.LastRead, Frames: c.Frames, Bad: []api.BadFrames{},
		Noise: c.Noise, Resyncs: c.Resyncs, Reads: c.Reads, Dropped: c.Dropped, Reopened: c.Reopened(), Errors: c.Errors,
		Advice: api.ReaderAdvice{Code: string(advice), Text: said("reader.advice." + string(advice))}}
	for f, n := range c.Bad {
		if kind := reader.Fault(f).String(); n > 0 {
			out.Bad = append(out.Bad, api.BadFrames{Kind: kind, Name: said("reader.bad." + kind), Count: n})
		}
	}
	return out
}
