package daemon

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"runtime"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	"golang.org/x/sys/unix"

	"foyer/api"
	"foyer/internal/prom"
	"foyer/sync/journal"
	"foyer/sync/wire"
)

// bundle is what a technician far away wants to see, as a .tar.gz, without personal data: what is in it counts, measures and
// names machines. Members, cards, visits and snapshots' contents are in none of it.
func (h *house) bundle() ([]byte, error) {
	page := &prom.Page{}
	h.state.metrics(page)
	files := []struct {
		name string
		make func() ([]byte, error)
	}{
		{"about.json", h.about},
		{"status.json", func() ([]byte, error) { return indented(h.state.now()) }},
		{"readers.json", func() ([]byte, error) { return indented(h.state.readerHealth()) }},
		{"journal.json", h.journalReport},
		{"settings.json", func() ([]byte, error) { return indented(h.settings.Now()) }},
		{"foyerd.yaml", func() ([]byte, error) { return redacted(h.config.path) }},
		{"metrics.txt", func() ([]byte, error) { return page.Bytes(), nil }},
		{"log.txt", func() ([]byte, error) { return h.ring.text(), nil }},
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	t := tar.NewWriter(z)
	for _, f := range files {
		data, err := f.make()
		if err != nil {
			data = []byte("this could not be made: " + scrub(err.Error()) + "\n") // the others are the more wanted
		}
		err = t.WriteHeader(&tar.Header{Name: "foyer-diagnostics/" + f.name, Mode: 0o600, Size: int64(len(data)), ModTime: now()})
		if err == nil {
			_, err = t.Write(data)
		}
		if err != nil {
			return nil, fmt.Errorf("make the diagnostics: %w", err)
		}
	}
	if err := errors.Join(t.Close(), z.Close()); err != nil {
		return nil, fmt.Errorf("make the diagnostics: %w", err)
	}
	return out.Bytes(), nil
}

func indented(v any) ([]byte, error) {
	data, err := json.MarshalIndent(v, "", "  ")
	return append(data, '\n'), err
}

// about is the box and the program.
func (h *house) about() ([]byte, error) {
	about := struct {
		Time    time.Time `json:"time"`
		Zone    string    `json:"zone"`
		Chain   string    `json:"chain"`
		Store   string    `json:"store"`
		Version string    `json:"version"`
		Go      string    `json:"go"`
		OS      string    `json:"os"`
		CPUs    int       `json:"cpus"`
		Memory  uint64    `json:"memory_bytes"` // of the program
		Disk    disk      `json:"disk"`         // of the data folder
		Packs   []string  `json:"packs"`
		Screens map[api.Face]int
	}{Time: now().UTC(), Zone: now().Location().String(), Chain: h.config.Chain, Store: h.config.Store, Version: h.state.version, Go: runtime.Version(),
		OS: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.NumCPU(), Screens: map[api.Face]int{}}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	about.Memory = m.Sys
	about.Disk = diskOf(h.config.Data)
	for _, f := range []api.Face{api.Wall, api.Kiosk} {
		about.Screens[f] = h.state.hub.Listeners(f)
	}
	if h.supply != nil && h.supply.packs != nil {
		for _, r := range h.supply.packs.InForce() {
			about.Packs = append(about.Packs, fmt.Sprintf("%s %d", r.Pack, r.Version))
		}
	}
	return indented(about)
}

type disk struct {
	Bytes uint64 `json:"bytes"`
	Free  uint64 `json:"free_bytes"`
	Why   string `json:"why,omitempty"`
}

func diskOf(path string) disk {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return disk{Why: err.Error()}
	}
	return disk{Bytes: s.Blocks * uint64(s.Bsize), Free: s.Bavail * uint64(s.Bsize)}
}

// journalReport is how the memory stands, without what is in it.
func (h *house) journalReport() ([]byte, error) {
	health := h.journal.Health()
	report := struct {
		Epoch  string         `json:"epoch"`
		Used   int64          `json:"used_bytes"`
		Max    int64          `json:"max_bytes"`
		Why    string         `json:"why,omitempty"`
		Owed   int            `json:"owed_facts"`
		Lanes  []api.Lane     `json:"lanes"`
		Kept   map[string]any `json:"snapshots"` // versions in force
		Memory api.Journal    `json:"memory"`
		Aside  []string       `json:"damaged,omitempty"`
	}{Epoch: h.journal.Epoch(), Used: health.Used, Max: health.Max, Owed: h.ledger.Owed(), Memory: h.state.memory(), Kept: map[string]any{},
		Aside: journal.Quarantined(h.journal.Path())}
	if health.Err != nil {
		report.Why = scrub(health.Err.Error())
	}
	for _, lane := range wire.Lanes {
		report.Lanes = append(report.Lanes, api.Lane{Lane: lane, Last: h.journal.Last(lane), Acked: h.journal.Cursor(lane, "hq")})
	}
	if h.supply != nil {
		for _, kind := range []string{wire.Members, wire.Campaigns, wire.Packs} {
			report.Kept[kind] = h.supply.down.InForce(kind)
		}
	}
	return indented(report)
}

// secretive are keys of the configuration whose values nobody else needs.
var secretive = regexp.MustCompile(`(?i)user|pass|secret|token$|pin$`)

// redacted is the configuration without comments, which a person wrote, and without what could open anything. Secrets are never
// in it in the first place: it names the files that hold them.
func redacted(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, errors.New("the configuration cannot be read")
	}
	redact(&doc)
	return yaml.Marshal(&doc)
}

func redact(n *yaml.Node) {
	n.HeadComment, n.LineComment, n.FootComment = "", "", ""
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if v := n.Content[i+1]; v.Kind == yaml.ScalarNode && secretive.MatchString(n.Content[i].Value) {
				v.SetString("(left out)")
			}
		}
	}
	if n.Kind == yaml.ScalarNode {
		n.Value = withoutSecrets(n.Value)
	}
	for _, c := range n.Content {
		redact(c)
	}
}

// withoutSecrets takes user, password and query out of an address.
func withoutSecrets(text string) string {
	if !strings.Contains(text, "://") {
		return text
	}
	u, err := url.Parse(text)
	if err != nil {
		return "(left out)"
	}
	if u.User != nil || u.RawQuery != "" {
		u.User, u.RawQuery = nil, ""
		return u.String()
	}
	return text
}
