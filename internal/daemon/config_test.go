package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"foyer/reader/tag"
)

// write puts a file into a folder of the test's.
func write(t testing.TB, dir, name, text string) string {
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
		path + `:8: readers[0].profile: no profile "rdm6301", want one of`,
		path + `:10: zones[0].readers[0]: no reader "tab" in this file`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the message lacks %q:\n%v", want, err)
		}
	}
}

// lamp is a section of signals with one output.
func lamp(line, known string) string {
	return "signals:\n  - {name: l, zones: [], outputs: {green: {line: \"" + line + "\"}}, known: \"" + known + "\"}\n"
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
		"no folder":             {"readers:\n", "profiles: nowhere\nreaders:\n", ":7: profiles: "},
		"broken in the folder":  {"readers:\n", "profiles: .\nreaders:\n", "foyer profile check"}, // foyerd.yaml itself is no profile
		"too many reads":        {"tap: true", "min_reads: 9", ":10: zones[0].min_reads: min reads 9: want 1 to 8"},
		"once, and three reads": {"rdm6300, port: /dev/serial/by-id/x}\nzones:\n", "7941e, port: /dev/serial/by-id/x}\nzones:\n  - {id: a, name: {en: A, zh-CN: 甲}, role: exit, readers: [tap], min_reads: 3, dwell: 1s}\n", ":10: zones[0].min_reads: min reads 3: its readers tell of a tag once, so that it would never arrive: want 1"},
		"leaves while it comes": {"tap: true", "enter: -60, leave: -50", "zones[0].leave: leave at -50 dBm is above enter"},
		"reader in two zones":   {"zones:", "zones:\n  - {id: a, name: {en: A, zh-CN: 甲}, role: exit, readers: [tap]}", ":11: zones[1].readers: reader \"tap\" is in zone \"a\" already"},
		"antennas that clash":   {"zones:", "zones:\n  - {id: a, name: {en: A, zh-CN: 甲}, role: exit, readers: [tap], antennas: {tap: [1]}}", "zones[1].readers: antennas of reader \"tap\" are in another zone already"},
		"two zones of one name": {"zones:", "zones:\n  - {id: tap, name: {en: A, zh-CN: 甲}, role: exit, readers: []}", ":11: zones[1].id: id \"tap\" is taken by another zone"},
		"no line":               {"zones:", lamp("17", "green") + "zones:", ":10: signals[0].outputs.green.line: \"17\" is no line, want one like gpio:GPIO22"},
		"two lines":             {"zones:", lamp("gpio:A,B", "green") + "zones:", "is no line"},
		"no such output":        {"zones:", lamp("gpio:A", "red 2s") + "zones:", "signals[0].known: no output \"red\", there are green"},
		"no pattern":            {"zones:", lamp("gpio:A", "green for a while") + "zones:", "signals[0].known: got \"green for a while\", want an output like"},
		"shows nothing":         {"zones:", lamp("gpio:A", "") + "zones:", "signals[0]: shows nothing: want known"},
		"lamp in no zone":       {"zones:", strings.Replace(lamp("gpio:A", "green"), "zones: []", "zones: [attic]", 1) + "zones:", "signals[0].zones[0]: no zone \"attic\""},
		"line taken twice":      {"zones:", lamp("gpio:A", "green") + "doors: [{name: d, line: \"gpio:A\"}]\nzones:", "doors[0].line: gpio:A is the line of signals[0].outputs.green.line already"},
		"line of a reader":      {"rdm6300, port: /dev/serial/by-id/x}", "wiegand26, port: \"gpio:A,B\"}\ndoors: [{name: d, line: \"gpio:B\"}]", "doors[0].line: gpio:B is the line of readers[0] already"},
		"door of no time":       {"zones:", "doors: [{name: d, line: \"gpio:A\", settle: 1m, left_open: -1s}]\nzones:", "doors[0].settle: 1m0s, want at most 10s"},
		"two of one name":       {"zones:", lamp("gpio:A", "green") + "doors: [{name: l, line: \"gpio:B\"}]\nzones:", "doors[0].name: a second one is called \"l\""},
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
