package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"foyer/hq/store/storetest"
	"foyer/internal/daemon"
	"foyer/reader/tag"
	"foyer/sync/content"
)

// generous is how long a test waits for what must happen. It is only ever waited out by a test that fails.
const generous = 3 * time.Minute

// chain is a headquarters and a foyerd in this process, with a real broker between them.
type chain struct {
	t      *testing.T
	dir    string
	broker string // where the store connects
	up     struct {
		Console, MQTT, Packs string
		AdminTokenFile       string `json:"admin_token_file"`
		PublicKeyFile        string `json:"public_key_file"`
	}
}

func newChain(t *testing.T) *chain {
	c := &chain{t: t, dir: t.TempDir()}
	c.file("tag.key", tag.NewSecret())
	ctx, stop := context.WithCancel(context.Background())
	out, in := io.Pipe()
	var errs bytes.Buffer
	var all sync.WaitGroup
	all.Go(func() {
		if code := run(ctx, []string{"serve", "--data", storetest.Link(t, c.path("hq")), "--chain", "harbour", "--console", "127.0.0.1:0", "--mqtt", "127.0.0.1:0",
			"--packs", "127.0.0.1:0", "--tag-key-file", c.path("tag.key"), "--log-level", "error", "--events-token-file", c.path("events.token"), "--events-type", "org.example.shops"}, in, &errs); code != 0 {
			t.Errorf("headquarters ends with %d: %s", code, errs.String())
		}
		in.Close()
	})
	t.Cleanup(func() { stop(); all.Wait() })
	if err := json.NewDecoder(out).Decode(&c.up); err != nil {
		t.Fatal(err, errs.String())
	}
	c.broker = c.up.MQTT
	c.cli("store", "add", "north", "--name-en", "North", "--token-file", c.path("token"))
	return c
}

func (c *chain) path(name string) string { return filepath.Join(c.dir, name) }

func (c *chain) file(name, text string) {
	c.t.Helper()
	if err := os.MkdirAll(filepath.Dir(c.path(name)), 0o700); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(c.path(name), []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

func (c *chain) cli(args ...string) string {
	c.t.Helper()
	var out, errs bytes.Buffer
	if code := run(c.t.Context(), append(args, "--data", c.path("hq")), &out, &errs); code != 0 {
		c.t.Fatalf("%v: code %d, %s", args, code, errs.String())
	}
	return out.String()
}

// config reads the store's configuration.
func (c *chain) config() *daemon.Config {
	c.t.Helper()
	config, err := daemon.LoadConfig(c.path("foyerd.yaml"))
	if err != nil {
		c.t.Fatal(err)
	}
	return config
}

// run runs foyerd until it ends by itself.
func (c *chain) run(packs string) error {
	c.write(packs)
	return daemon.Run(c.t.Context(), c.config(), daemon.Options{Log: slog.New(slog.DiscardHandler)})
}

// write writes the store's configuration; packs is its part of that name.
func (c *chain) write(packs string) {
	c.t.Helper()
	c.file("foyerd.yaml", fmt.Sprintf(`chain: harbour
store: north
name: {en: "North", zh-CN: "城北店"}
data: store
tag_key_file: tag.key
listen: {socket: foyerd.sock}
headquarters: {broker: "tcp://%s", password_file: token, public_key_files: [%q], packs: %s}
`, c.broker, c.up.PublicKeyFile, packs))
}

// store runs foyerd.
func (c *chain) store(packs string) (stop func()) {
	c.t.Helper()
	c.write(packs)
	config := c.config()
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		if err := daemon.Run(ctx, config, daemon.Options{Log: slog.New(slog.DiscardHandler)}); err != nil {
			c.t.Error(err)
		}
	})
	stop = sync.OnceFunc(func() { cancel(); all.Wait() })
	c.t.Cleanup(stop)
	return stop
}

func zipOf(t *testing.T, name, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, text)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func (c *chain) ask(method, path, body string, into any) int {
	c.t.Helper()
	token, err := os.ReadFile(c.up.AdminTokenFile)
	if err != nil {
		c.t.Fatal(err)
	}
	req, err := http.NewRequest(method, "http://"+c.up.Console+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	if into != nil {
		if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
			c.t.Fatal(err)
		}
	}
	return resp.StatusCode
}

// want waits until the console shows the store's packs so: "art 2 of 2 applied".
func (c *chain) want(want string) {
	c.t.Helper()
	got := ""
	for limit := time.Now().Add(generous); time.Now().Before(limit); time.Sleep(20 * time.Millisecond) {
		var stores []struct {
			Packs []struct {
				Pack, State     string
				Version, Wanted int
			}
		}
		c.ask("GET", "/api/stores", "", &stores)
		var all []string
		for _, p := range stores[0].Packs {
			all = append(all, fmt.Sprintf("%s %d of %d %s", p.Pack, p.Version, p.Wanted, p.State))
		}
		if got = strings.Join(all, ", "); got == want {
			return
		}
	}
	c.t.Fatalf("the console shows %q, want %q", got, want)
}

// held is what the store's folder has in force.
func (c *chain) held() string {
	c.t.Helper()
	all, err := content.Inspect(c.path("store/packs"))
	if err != nil {
		c.t.Fatal(err)
	}
	var out []string
	for _, h := range all {
		if h.Before {
			continue
		}
		for _, f := range h.Files {
			if err := content.Verify(c.path("store/packs"), f); err != nil {
				c.t.Error(err)
			}
			out = append(out, fmt.Sprintf("%s %d %s %d", h.Pack, h.Version, f.Path, f.Size))
		}
	}
	return strings.Join(out, ", ")
}

// From a folder at headquarters to the store's disk and back to the console, by HTTP and by the broker alone.
func TestAPackGoesAllTheWay(t *testing.T) {
	for name, packs := range map[string]string{"http": `{url: "http://%s", kb_per_second: 50000}`, "broker": `{}`} {
		t.Run(name, func(t *testing.T) {
			c := newChain(t)
			c.file("art/logo.svg", strings.Repeat("<svg/>", 50_000))
			out := c.cli("pack", "publish", c.path("art"), "--name", "art", "--to", "north,5%")
			if !strings.Contains(out, "art version 1: 1 files, 300000 bytes, to north,5%") {
				t.Errorf("it prints %q", out)
			}
			if strings.Contains(packs, "%s") {
				packs = fmt.Sprintf(packs, c.up.Packs)
			}
			stop := c.store(packs)
			c.want("art 1 of 1 applied") // headquarters looks by itself what another process published
			if got := c.held(); got != "art 1 logo.svg 300000" {
				t.Errorf("the store holds %s", got)
			}
			stop()
			if status := c.ask("POST", "/api/packs/art/1/widen", `{"percent":100}`, nil); status != 200 {
				t.Errorf("widen: %d", status)
			}
			if status := c.ask("POST", "/api/packs/art?percent=0&store=north", zipOf(t, "logo.svg", "<new/>"), nil); status != 201 {
				t.Errorf("publish: %d", status)
			}
			c.want("art 1 of 2 waiting")
			c.store(packs)
			c.want("art 2 of 2 applied")
			if got := c.held(); got != "art 2 logo.svg 6" {
				t.Errorf("the store holds %s", got)
			}
			if status := c.ask("POST", "/api/packs/art/2/withdraw", ``, nil); status != 200 {
				t.Errorf("withdraw: %d", status)
			}
			c.want("art 1 of 1 applied")
			if got := c.held(); got != "art 1 logo.svg 300000" {
				t.Errorf("the store holds %s", got)
			}
			if out := c.cli("pack", "gc"); out != "0 bytes removed\n" {
				t.Errorf("gc prints %q", out) // all files are of today
			}
			if list := c.cli("pack", "list"); !strings.Contains(list, "100%") || strings.Count(list, "art") != 2 {
				t.Errorf("the list is %s", list)
			}
		})
	}
}
