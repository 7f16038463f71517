package serve

import (
	"net/http"

	"foyer/api"
	"foyer/internal/prom"
)

// readers tells staff how the readers do. It is asked for, not published: the numbers change with every frame.
func (s *Server) readers(w http.ResponseWriter, r *http.Request) *api.Problem {
	all := s.readerHealth()
	if all == nil {
		all = []api.ReaderHealth{}
	}
	s.answer(w, r, http.StatusOK, "application/json", all)
	return nil
}

// metrics writes the page for Prometheus.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) *api.Problem {
	var page prom.Page
	s.writeMetrics(&page)
	w.Header().Set("Content-Type", prom.ContentType)
	w.Header().Set("Cache-Control", "no-store")
	if _, err := w.Write(page.Bytes()); err != nil {
		s.log.Debug("the metrics were not taken", "err", err)
	}
	return nil
}
