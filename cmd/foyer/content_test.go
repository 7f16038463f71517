package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"foyer/sync/content"
	"foyer/sync/wire"
)

// text is a source that has one file.
type text string

func (s text) String() string { return "a test" }

func (s text) Fetch(_ context.Context, _ wire.PackFile, offset, n int64, w io.Writer) error {
	_, err := io.WriteString(w, string(s[offset:offset+n]))
	return err
}

// A technician looks at a store's packs: what is there, whether it is good, and what a damaged file looks like.
func TestContentCommand(t *testing.T) {
	dir := t.TempDir()
	const logo = "<svg/>"
	done := make(chan struct{}, 1)
	s, err := content.Open(content.Config{Dir: dir, Store: "north", Sources: []content.Source{text(logo)}, Reserve: 1,
		Report: func(wire.Kind, wire.Applied) { done <- struct{}{} }})
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := wire.NewSnapshot(wire.Packs, "c", 1, time.Now(), wire.PacksBody{Releases: []wire.Release{{Pack: "art", Version: 3, Percent: 100,
		Files: []wire.PackFile{{Path: "wall/logo.svg", Size: int64(len(logo)), Digest: sha256.Sum256([]byte(logo))}}}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(snapshot); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	<-done
	try := func(want int, says string, args ...string) {
		t.Helper()
		var out bytes.Buffer
		if code := run(append([]string{"content"}, args...), &out, &out); code != want || !strings.Contains(out.String(), says) {
			t.Errorf("%v: %d %q, want %d and %q", args, code, out.String(), want, says)
		}
	}
	try(0, "art version 3, in force: 1 files, 6 bytes", "ls", dir)
	try(0, "           6  wall/logo.svg\n", "ls", dir)
	try(0, "good: 1 files of 1 releases", "verify", dir)
	try(1, "a foyerd uses these packs", "gc", dir)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	s.Close()
	name := fmt.Sprintf("%x", sha256.Sum256([]byte(logo)))
	if err := os.WriteFile(filepath.Join(dir, "files", name[:2], name), []byte("<svg>!"), 0o600); err != nil {
		t.Fatal(err)
	}
	try(1, "pack art version 3, file wall/logo.svg: 6 bytes: the file is not what its digest says", "verify", dir)
	try(0, "6 bytes removed", "gc", dir)
	try(1, "no such file", "verify", dir)
	try(1, "no such file", "ls", filepath.Join(dir, "nowhere"))
	try(2, "foyer content ls FOLDER", "mend", dir)
	try(0, "foyer content ls FOLDER", "-h")
}
