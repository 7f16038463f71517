package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"foyer/reader/tag"
)

// write puts a file into a folder of the test's.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const good = `chain: demo
store: store-1
name: {en: "Store", zh-CN: "门店"}
data: data
tag_key_file: tag.key
listen: {socket: foyerd.sock}
readers:
  - {name: tap, profile: rdm6300, port: /dev/serial/by-id/x}
zones:
  - {id: tap, name: {en: "Tap", zh-CN: "刷卡"}, role: kiosk, readers: [tap], tap: true}
`

func TestGoodConfig(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "tag.key", tag.NewSecret())
	c, err := LoadConfig(write(t, dir, "foyerd.yaml", good))
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(dir, "data"); c.Data != want {
		t.Errorf("data is %s, want %s: relative to the file", c.Data, want)
	}
	if c.Readers[0].profile == nil || c.Readers[0].profile.ID != "rdm6300" {
		t.Error("the reader has no profile")
	}
}

// The example that the README names is a good configuration once its files are there.
func TestExampleIsGood(t *testing.T) {
	data, err := os.ReadFile("foyerd.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"reception.token", "screen.token", "metrics.token", "store-1.token", "hq.pub"} {
		write(t, dir, name, "x")
	}
	write(t, dir, "tag.key", tag.NewSecret())
	if _, err := LoadConfig(write(t, dir, "foyerd.yaml", string(data))); err != nil {
		t.Error(err)
	}
}

// Every fault is told at once, each with its line and what to do.
func TestThreeFaultsAtOnce(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "tag.key", tag.NewSecret())
	broken := strings.NewReplacer("store: store-1", "store: Store One", "profile: rdm6300", "profile: rdm6301",
		"readers: [tap]", "readers: [tab]").Replace(good)
	path := write(t, dir, "foyerd.yaml", broken)
	_, err := LoadConfig(path)
	if err == nil {
		t.Fatal("three faults were taken")
	}
	for _, want := range []string{
		path + ":2: store: ",
		path + `:8: readers[0].profile: no built-in profile "rdm6301", want one of`,
		path + `:10: zones[0].readers[0]: no reader "tab" in this file`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the message lacks %q:\n%v", want, err)
		}
	}
}

func TestConfigFaults(t *testing.T) {
	for name, tc := range map[string]struct{ old, new, want string }{
		"unknown key":           {"data: data", "data: data\ndate: x", `date`},
		"no tag key":            {"tag_key_file: tag.key", "tag_key_file: other.key", "foyer keys new"},
		"open to the network":   {"{socket: foyerd.sock}", "{socket: s, tcp: 0.0.0.0:80, reception_token_file: tag.key}", "not loopback"},
		"tcp without a token":   {"{socket: foyerd.sock}", "{socket: s, tcp: 127.0.0.1:80}", "reception_token_file"},
		"broker without a key":  {"readers:\n", "headquarters: {broker: tcp://x:1, password_file: tag.key}\nreaders:\n", "public_key_files"},
		"broker that is no URL": {"readers:\n", "headquarters: {broker: hq, password_file: tag.key, public_key_files: [tag.key]}\nreaders:\n", "tcp://host:1883"},
		"reader in no zone":     {"zones:", "  - {name: lost, profile: rdm6300, port: /dev/x}\nzones:", "in no zone"},
		"port taken twice":      {"zones:", "  - {name: two, profile: rdm6300, port: /dev/serial/by-id/x}\nzones:", "is the port of reader"},
		"no such role":          {"role: kiosk", "role: cellar", "entrance"},
		"no such level":         {"chain: demo", "chain: demo\nlog_level: loud", "want one of debug, info"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "tag.key", tag.NewSecret())
			text := strings.Replace(good, tc.old, tc.new, 1)
			if text == good {
				t.Fatal("the case changes nothing")
			}
			_, err := LoadConfig(write(t, dir, "foyerd.yaml", text))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want a message with %q", err, tc.want)
			}
		})
	}
}
