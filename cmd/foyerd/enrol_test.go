package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"foyer/reader/tag"
	"foyer/sync/badge"
)

func TestEnrolFaults(t *testing.T) {
	dir := t.TempDir()
	config := func(name, headquarters string) string {
		path := filepath.Join(dir, name)
		text := "chain: demo\nstore: store-1\nname: {en: S, zh-CN: 店}\ndata: data\ntag_key_file: tag.key\nlisten: {socket: s}\n" + headquarters
		for file, text := range map[string]string{path: text, filepath.Join(dir, "tag.key"): tag.NewSecret()} {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return path
	}
	good, bare := config("good.yaml", "headquarters: {identity: identity}\n"), config("bare.yaml", "")
	code := badge.NewCode([10]byte{}).String()
	for name, tc := range map[string]struct {
		args []string
		code int
		says string
	}{
		"nothing":          {nil, exitUsage, "usage: foyerd enrol"},
		"help":             {[]string{"--help"}, 0, "usage: foyerd enrol"},
		"no configuration": {[]string{"--config", dir + "/nowhere", "x:1/" + code}, exitFailed, "read configuration"},
		"no folder named":  {[]string{"--config", bare, "x:1/" + code}, exitFailed, "headquarters.identity"},
		"mistyped":         {[]string{"--config", good, "x:1/" + code[1:]}, exitFailed, "mistyped"},
		"no address":       {[]string{"--config", good, code}, exitFailed, "HOST:PORT/CODE"},
		"nobody there":     {[]string{"--config", good, "127.0.0.1:1/" + code}, exitFailed, "ask headquarters"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			if got := enrol(tc.args, &out, &errs); got != tc.code || !strings.Contains(errs.String(), tc.says) {
				t.Errorf("code %d, says %q: want %d and %q", got, errs.String(), tc.code, tc.says)
			}
		})
	}
}
