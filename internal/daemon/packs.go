package daemon

import (
	"cmp"
	"errors"
	"log/slog"
	"path/filepath"

	"foyer/sync/content"
	"foyer/sync/line"
	"foyer/sync/wire"
)

// packsFolder is where content packs are, in the data folder.
const packsFolder = "packs"

// newPacks opens the store's content packs. A disk that refuses them is told, and keeps nobody from being greeted.
func newPacks(c *Config, l *line.Line, how credentials, r reporter, log *slog.Logger) *content.Store {
	var sources []content.Source
	hq := c.Headquarters
	if from := cmp.Or(hq.Packs.URL, how.files); from != "" {
		sources = append(sources, content.NewHTTP(content.HTTPConfig{URL: from, User: how.user, Password: how.password, TLS: how.tls}))
	}
	sources = append(sources, content.NewChunks(wire.Place{Chain: c.Chain, Store: c.Store}, l))
	packs, err := content.Open(content.Config{Dir: filepath.Join(c.Data, packsFolder), Store: c.Store, Sources: sources,
		Report: r.report, Rate: int64(hq.Packs.KBPerSecond) * 1000, Quiet: hq.Packs.quiet, Log: log})
	if err != nil {
		log.Error("content packs are not available", "err", err)
		return nil
	}
	return packs
}

func applyPacks(packs *content.Store) func(wire.Snapshot) error {
	return func(s wire.Snapshot) error {
		if packs == nil {
			return errors.New("the store's folder of packs cannot be used: see foyerd's log")
		}
		return packs.Apply(s)
	}
}
