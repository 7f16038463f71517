package wedge

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"foyer/reader/link"
)

// There is no /dev/uinput on most build machines, so no real keyboard can be made. A pipe carries the same structs as the
// kernel would write; what it cannot show is the grab itself.
func TestDeviceOverAPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	d := newDevice(r)
	defer d.Close()
	var raw []byte
	for _, e := range Keys("0008075634\n", time.Hour+1500*time.Microsecond, 5*ms) {
		raw = AppendRaw(raw, e)
	}
	go func() {
		for chunk := range slices.Chunk(raw, 31) { // no kernel cuts events; a pipe may
			w.Write(chunk)
		}
		w.Close()
	}()
	var split Splitter
	decoder, buffer := New(Rule{}), make([]byte, 256)
	var got strings.Builder
	for {
		n, err := d.Receive(buffer, time.Second)
		if errors.Is(err, link.ErrUnplugged) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		split.Feed(buffer[:n], func(e Event) { got.WriteString(play(decoder, []Event{e})) })
	}
	if got.String() != "0008075634" {
		t.Errorf("got %q", got.String())
	}
}

func TestReceiveWaitsAndCloses(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	d := newDevice(r)
	if n, err := d.Receive(make([]byte, 24), 2*ms); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	ended := make(chan error, 1)
	go func() {
		for {
			if _, err := d.Receive(make([]byte, 24), time.Minute); err != nil {
				ended <- err
				return
			}
		}
	}()
	if err := errors.Join(d.Close(), d.Close()); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, link.ErrClosed) {
		t.Error(err)
	}
	if _, err := d.Receive(make([]byte, 24), time.Second); !errors.Is(err, link.ErrClosed) {
		t.Error(err)
	}
}

func TestWhatIsNoKeyboard(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		filepath.Join(t.TempDir(), "none"): link.ErrNoDevice,
		file:                               link.ErrBadPort,
		"/dev/null":                        link.ErrBadPort,
	} {
		if d, err := Open(path); !errors.Is(err, want) || d != nil {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
}

func TestRawIsReadBack(t *testing.T) {
	want := Event{At: 3*time.Hour + 7*time.Microsecond, Type: 1, Code: 0x1234, Value: -2}
	var s Splitter
	s.Feed(AppendRaw(nil, want), func(got Event) {
		if got != want {
			t.Errorf("%+v", got)
		}
	})
}
