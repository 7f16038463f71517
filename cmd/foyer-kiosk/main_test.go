package main

import (
	"image"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"foyer/api"
)

func TestFlags(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := parse(strings.Fields("-screen welcome -api http://127.0.0.1:7171 -token-file "+token+" -size 1920x1080 -output 1080,0 -width-mm 708 -lang en -idle 2m -ready-file /tmp/x"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if c.Face != api.Wall || c.Size != image.Pt(1920, 1080) || *c.Output != image.Pt(1080, 0) || c.WidthMM != 708 || c.Rules.Language != "en" || c.Rules.Idle.Minutes() != 2 || c.Ready == nil {
		t.Errorf("%+v", c)
	}
}

func TestWrongFlagsAreAllTold(t *testing.T) {
	_, err := parse(strings.Fields("-screen tv -size 10x10 -output here -lang fr -idle 1ms -width-mm -3"), io.Discard)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{`-screen "tv": want kiosk or welcome`, "-api is missing", `-size "10x10"`, `-output "here"`, `-lang "fr"`, "-idle and -warning", "-width-mm -3"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not told in:\n%v", want, err)
		}
	}
}

func TestWrongSurroundings(t *testing.T) {
	for flags, want := range map[string]string{
		"-api ftp://x": "-api: address of foyerd",
		"-api http://127.0.0.1:1 -token-file nope": "-token-file: open nope",
		"-api http://127.0.0.1:1 kiosk":            `what is "kiosk"?`,
	} {
		if _, err := parse(strings.Fields(flags), io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", flags, err, want)
		}
	}
}
