package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var updateScripts = flag.Bool("update-scripts", false, "write what the commands of testdata/*.txtar print anew")

// A script is a text archive: lines "$ foyer ..." before its first file are run in a folder that holds its files, and what
// they print, standard error after standard output, and how they end is compared with what stands below each.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".txtar"), func(t *testing.T) {
			path, err := filepath.Abs(script)
			if err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			commands, files := splitArchive(string(data))
			t.Chdir(t.TempDir())
			for name, content := range files {
				if err := os.WriteFile(name, unescape(t, name, content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got := runScript(t, commands)
			if *updateScripts {
				_, rest, _ := strings.Cut("\n"+string(data), "\n-- ")
				if err := os.WriteFile(path, []byte(got+"-- "+rest), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(commands, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// splitArchive parts the commands from the files "-- name --".
func splitArchive(text string) (commands string, files map[string]string) {
	files = map[string]string{}
	name := ""
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "-- "); ok && strings.HasSuffix(rest, " --\n") {
			name = strings.TrimSuffix(rest, " --\n")
			continue
		}
		if name == "" {
			commands += line
		} else {
			files[name] += line
		}
	}
	return commands, files
}

// unescape makes a raw recording of a file whose name ends in .bin: it is written in hex.
func unescape(t *testing.T, name, content string) []byte {
	t.Helper()
	if !strings.HasSuffix(name, ".bin") {
		return []byte(content)
	}
	var raw []byte
	for digits := range strings.FieldsSeq(content) {
		var b byte
		if _, err := fmt.Sscanf(digits, "%02X", &b); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		raw = append(raw, b)
	}
	return raw
}

// runScript runs the commands and puts beneath each what came out.
func runScript(t *testing.T, commands string) string {
	t.Helper()
	run := map[string]func([]string, io.Writer, io.Writer) int{"profile": profileCommand, "tag": tagCommand, "presence": presenceCommand,
		"print": printCommand, "printer": printerCommand, "sim": simCommand}
	var got strings.Builder
	for line := range strings.Lines(commands) {
		if strings.HasPrefix(line, "#") || line == "\n" {
			got.WriteString(line)
		}
		args := strings.Fields(line)
		if len(args) < 3 || args[0] != "$" || args[1] != "foyer" {
			continue
		}
		var stdout, stderr bytes.Buffer
		code := run[args[2]](args[3:], &stdout, &stderr)
		got.WriteString(line)
		for _, text := range []string{stdout.String(), stderr.String()} {
			if text != "" {
				got.WriteString(indent(text))
			}
		}
		if code != 0 {
			fmt.Fprintf(&got, "  exit %d\n", code)
		}
	}
	return got.String()
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n  ") + "\n"
}
