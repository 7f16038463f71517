package e2e

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/jezek/xgb"

	"foyer/internal/screen"
)

// The X library says on its standard logger that a display of our own needs no password; that is no news.
func init() { xgb.Logger.SetOutput(io.Discard) }

// picture takes what is on a display's glass.
func picture(t *testing.T, display string) *image.RGBA {
	t.Helper()
	s, err := screen.Open(display)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	img, err := s.Capture()
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// keepPicture saves a picture for people to look at: make test leaves them in artifacts/.
func keepPicture(t *testing.T, name string, img image.Image) {
	t.Helper()
	dir := artifacts(t)
	f, err := os.Create(filepath.Join(dir, name+".png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
}

func artifacts(t *testing.T) string {
	t.Helper()
	dir := filepath.Join("..", "..", "artifacts", strings.ReplaceAll(t.Name(), "/", "-"))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// read returns the text that tesseract, which has never seen our fonts, reads in a picture; white space is dropped.
func read(ctx context.Context, img image.Image) (string, error) {
	var in, out bytes.Buffer
	if err := png.Encode(&in, img); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "tesseract", "-", "-", "-l", "chi_sim+eng", "--psm", "11")
	cmd.Stdin, cmd.Stdout, cmd.Env = &in, &out, append(os.Environ(), "OMP_THREAD_LIMIT=1")
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("read a picture: %w", err)
	}
	return strings.Join(strings.FieldsFunc(out.String(), unicode.IsSpace), ""), nil
}

// waitToRead looks at a display until every one of the words can be read on it, and keeps the last picture.
func waitToRead(t *testing.T, display, name string, wanted ...string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 40*time.Second)
	defer stop()
	var seen string
	for {
		img := picture(t, display)
		text, err := read(ctx, img)
		if err == nil {
			seen = text
		}
		missing := 0
		for _, w := range wanted {
			if !strings.Contains(text, w) {
				missing++
			}
		}
		if missing == 0 && err == nil {
			keepPicture(t, name, img)
			return
		}
		if ctx.Err() != nil {
			keepPicture(t, name+"-missing", img)
			t.Fatalf("%s: want to read %q on the glass, read %q", name, wanted, seen)
		}
	}
}
