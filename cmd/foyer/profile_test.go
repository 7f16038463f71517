package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	profiles "foyer/firmware-profiles"
)

// captured is one line of the shared captures.
type captured struct {
	Protocol string
	Hex      string
	Expected json.RawMessage
}

// sharedCaptures finds the captures that lie beside the project, if they do.
func sharedCaptures(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above this package")
		}
		dir = filepath.Dir(dir)
	}
	file := filepath.Join(dir, "..", "shared", "data", "frames.jsonl")
	if _, err := os.Stat(file); err != nil {
		t.Skip("SKIP: the captured frames are not beside this clone:", err)
	}
	return file
}

func TestCapturedFrames(t *testing.T) {
	file := sharedCaptures(t)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	for id, protocols := range map[string][]string{
		"rdm6300": {"rdm6300", "id12la"}, "m100": {"m100_bb_7e"}, "wiegand26": {"wiegand26"}, "wiegand48": {"wiegand48"},
		"llrp":  {"llrp_message", "llrp_roaccessreport_body"},
		"pn532": {"pn532_hsu", "pn532_hsu_stream"}, "uhfreader288": {"uhfreader"}, "r2000": {"r2000_a0"},
		"thingmagic": {"thingmagic"}, "ssi-scanner": {"ssi_scanner"},
	} {
		t.Run(id, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := profileCommand([]string{"play", id, file}, &stdout, &stderr); code != 0 {
				t.Fatalf("exit %d: %s", code, &stderr)
			}
			got := byLine(t, stdout.Bytes())
			played := 0
			for i, text := range lines {
				var want captured
				if err := json.Unmarshal([]byte(text), &want); err != nil {
					t.Fatal(err)
				}
				if !slices.Contains(protocols, want.Protocol) {
					continue
				}
				played++
				wants := []json.RawMessage{want.Expected}
				if want.Expected[0] == '[' { // several frames in one line
					if err := json.Unmarshal(want.Expected, &wants); err != nil {
						t.Fatal(err)
					}
				}
				if len(wants) != len(got[i+1]) {
					t.Fatalf("line %d: %d events, want %d: %v", i+1, len(got[i+1]), len(wants), got[i+1])
				}
				for j := range wants {
					compareExpected(t, i+1, wants[j], got[i+1][j])
				}
				delete(got, i+1)
			}
			if played == 0 || len(got) > 0 {
				t.Errorf("%d lines compared, %d more came out: %v", played, len(got), got)
			}
		})
	}
}

func byLine(t *testing.T, out []byte) map[int][]map[string]any {
	t.Helper()
	got := map[int][]map[string]any{}
	for text := range bytes.Lines(out) {
		var e map[string]any
		if err := json.Unmarshal(text, &e); err != nil {
			t.Fatal(err)
		}
		line := int(e["line"].(float64))
		got[line] = append(got[line], e)
	}
	return got
}

// compareExpected holds every expected key to the event, type and all.
func compareExpected(t *testing.T, line int, expected json.RawMessage, got map[string]any) {
	t.Helper()
	var want map[string]any
	if err := json.Unmarshal(expected, &want); err != nil {
		t.Fatal(err)
	}
	if diff := lacks(want, got); diff != "" {
		t.Errorf("line %d: %s", line, diff)
	}
	if want["error"] == nil && got["kind"] == "error" {
		t.Errorf("line %d: refused: %v", line, got)
	}
}

// lacks says what of want is not in got. Objects may hold more than is wanted, lists may not.
func lacks(want, got any) string {
	switch want := want.(type) {
	case map[string]any:
		have, _ := got.(map[string]any)
		for key, value := range want {
			if diff := lacks(value, have[key]); diff != "" {
				return key + ": " + diff
			}
		}
		return ""
	case []any:
		have, ok := got.([]any)
		if !ok || len(have) != len(want) {
			return fmt.Sprintf("got %v, want %v", got, want)
		}
		for i := range want {
			if diff := lacks(want[i], have[i]); diff != "" {
				return fmt.Sprintf("[%d]: %s", i, diff)
			}
		}
		return ""
	}
	return cmp.Diff(want, got)
}

func TestCapturedEPC(t *testing.T) {
	data, err := os.ReadFile(sharedCaptures(t))
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for text := range bytes.Lines(data) {
		var want captured
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		if want.Protocol != "epc_tds" {
			continue
		}
		compared++
		var stdout, stderr bytes.Buffer
		if code := tagCommand([]string{"decode", want.Hex}, &stdout, &stderr); code != 0 {
			t.Fatalf("exit %d: %s", code, &stderr)
		}
		var got map[string]any
		if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		compareExpected(t, compared, want.Expected, got)
	}
	if compared != 6 {
		t.Errorf("%d lines of EPC", compared)
	}
}

// There is no public capture of an R200: the layout is the M100's with other start and end bytes. The check is counted here.
func TestR200FromTheM100sLayout(t *testing.T) {
	sum := func(hex string) string {
		total := 0
		for i := 0; i < len(hex); i += 2 {
			var b int
			fmt.Sscanf(hex[i:i+2], "%x", &b)
			total += b
		}
		return fmt.Sprintf("%02x", total%256)
	}
	body := "02220011cb3400e200471bb0006013044509d09582"
	noTag := "01ff000115"
	wrong := fmt.Sprintf(`{"protocol": "r200", "hex": "aa%s%02xdd"}`, noTag, 0)
	capture := fmt.Sprintf("{\"protocol\": \"r200\", \"hex\": \"aa%s%sdd\"}\n{\"hex\": \"AA%s%sDD\"}\n%s\n", body, sum(body), noTag, sum(noTag), wrong)
	file := filepath.Join(t.TempDir(), "r200.jsonl")
	if err := os.WriteFile(file, []byte(capture), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if code := profileCommand([]string{"play", "r200", file}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, &stderr)
	}
	got := byLine(t, stdout.Bytes())
	for line, want := range map[int]string{
		1: `{"kind": "tag", "type": "notice", "cmd": 34, "rssi_dbm": -53, "pc": "3400", "epc": "e200471bb0006013044509d0", "epc_crc": "9582"}`,
		2: `{"kind": "quiet", "type": "response", "cmd": 255, "data": "15", "error_code": 21}`,
		3: `{"kind": "error", "error": "checksum_mismatch"}`,
	} {
		compareExpected(t, line, json.RawMessage(want), got[line][0])
	}
}

// What the program brings must pass the command that a technician's own file must pass.
func TestCheckBuiltin(t *testing.T) {
	for _, p := range profiles.Builtin() {
		file := filepath.Join("..", "..", "firmware-profiles", p.File)
		var stdout, stderr bytes.Buffer
		if code := profileCommand([]string{"check", file}, &stdout, &stderr); code != 0 || !strings.Contains(stdout.String(), ": OK: "+p.ID) {
			t.Errorf("exit %d: %s%s", code, &stdout, &stderr)
		}
	}
}

// What profile new writes passes profile check, under the name that was asked for.
func TestNewProfileIsSound(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := profileCommand([]string{"new", "my-reader"}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, &stderr)
	}
	file := filepath.Join(t.TempDir(), "my-reader.yaml")
	if err := os.WriteFile(file, stdout.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout.Reset()
	if code := profileCommand([]string{"check", file}, &stdout, &stderr); code != 0 || !strings.Contains(stdout.String(), "OK: my-reader") {
		t.Errorf("exit %d: %s%s", code, &stdout, &stderr)
	}
	for _, id := range []string{"", "Big", "-x", strings.Repeat("x", 33)} {
		if code := profileCommand([]string{"new", id}, &stdout, &stderr); code != 2 {
			t.Errorf("%q: exit %d", id, code)
		}
	}
}

// FuzzCapture: any file is played or refused, by every profile.
func FuzzCapture(f *testing.F) {
	f.Add([]byte("0.1 < 02 36\n"))
	f.Add([]byte("{\"bits\": \"10\"}\n{\"hex\": \"BB\", \"nbits\": 8}"))
	f.Add([]byte("\xBB\x02\x22\x00\x11"))
	f.Fuzz(func(t *testing.T, data []byte) {
		pieces, err := parseCapture(data)
		if err != nil {
			return
		}
		for _, p := range profiles.Builtin() {
			var out bytes.Buffer
			d := newDeck(p, &out)
			if err := d.play(pieces); err == nil && bytes.Count(out.Bytes(), []byte("\n")) != d.total() {
				t.Fatalf("%s: %d events in %q", p.ID, d.total(), out.Bytes())
			}
		}
	})
}
