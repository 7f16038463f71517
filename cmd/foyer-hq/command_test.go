package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"foyer/internal/daemon"
)

// untar is what is in a .tar.gz, by name.
func untar(t *testing.T, path string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(h.Name)] = string(text)
	}
}

// The whole way, by the programs: settings, a resync, diagnostics through the broker and through the door for packs, and a restart.
func TestCommands(t *testing.T) {
	c := newChain(t)
	if status := c.ask("POST", "/api/members/import", crowd(50, 0), nil); status != 200 {
		t.Fatalf("import: %d", status)
	}
	stop := c.store("{}")
	wait := func(args ...string) string {
		return c.cli(append([]string{"command", "north", "--wait", "3m"}, args...)...)
	}
	out := wait("config", "--set", "screens.language=en", "--set", "headquarters.budget=5MB/day", "--set", "log_level=debug")
	if !strings.HasPrefix(out, "done") || !strings.Contains(out, "headquarters.budget: 5MB/day") || !strings.Contains(out, "screens.language: en") {
		t.Errorf("the answer is %q", out)
	}
	if out = wait("config", "--reset", "log_level"); strings.Contains(out, "log_level") || !strings.Contains(out, "screens.language: en") {
		t.Errorf("after a reset the answer is %q", out)
	}
	if out = wait("resync"); !strings.HasPrefix(out, "done") {
		t.Errorf("the resync's answer is %q", out)
	}
	out = wait("diagnostics", "--out", c.path("results"))
	files := untar(t, c.path("results/north-diagnostics.tar.gz"))
	if !strings.Contains(files["about.json"], `"store": "north"`) || !strings.Contains(files["log.txt"], "line is up") || !strings.Contains(files["foyerd.yaml"], "chain: harbour") ||
		!strings.Contains(files["metrics.txt"], "foyer_commands_total") || !strings.Contains(files["journal.json"], `"members"`) {
		t.Errorf("the diagnostics, which came with %q, are %v", out, files)
	}
	token, err := os.ReadFile(c.path("token"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		for _, secret := range []string{strings.TrimSpace(string(token)), "m-000001", "王"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds %q", name, secret)
			}
		}
	}
	stop()
	all, err := daemon.FromHeadquarters(c.config(), nil)
	if err != nil || len(all) != 2 || all[0].Name != "screens.language" || all[0].Value != "en" {
		t.Errorf("with foyerd stopped, the settings are %v, %v", all, err)
	}
	id := strings.TrimSpace(c.cli("command", "north", "restart"))
	ended := make(chan error, 1)
	go func() { ended <- c.run(`{url: "http://` + c.up.Packs + `"}`) }()
	if err := <-ended; !errors.Is(err, daemon.ErrRestart) {
		t.Errorf("foyerd ends with %v, want a restart", err)
	}
	c.store(`{url: "http://` + c.up.Packs + `"}`)
	if out = wait("diagnostics", "--out", c.path("again")); !strings.HasPrefix(out, "done") { // by the door; and the restart is not done again
		t.Errorf("the answer is %q", out)
	}
	if list := c.cli("command", "list", "north"); !strings.Contains(list, id) || strings.Count(list, "done") != 6 {
		t.Errorf("the list is\n%s", list)
	}
	for _, bad := range [][]string{{"north"}, {"north", "dance"}, {"north", "config"}, {"north", "config", "--set", "data=/"}, {"north", "resync", "--set", "log_level=info"},
		{"north", "screenshot", "--screen", "door"}, {"north", "restart", "--valid", "1000h"}, {"nowhere", "restart"}, {"list", "nowhere"}} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), append(append([]string{"command"}, bad...), "--data", c.path("hq")), &out, &errs); code == 0 || errs.Len() == 0 {
			t.Errorf("%v: %d %s %s", bad, code, out.String(), errs.String())
		}
	}
}
