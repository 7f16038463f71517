package cart

import (
	"context"
	"errors"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func game(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "library", name, "carts", name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// program is a cartridge whose update is the given code.
func program(code ...byte) []byte {
	out := []byte{0, 'a', 's', 'm', 1, 0, 0, 0}
	out = section(out, 1, 1, []byte{0x60, 0, 0})
	out = section(out, 2, 1, append(word(word(nil, "env"), "memory"), 0x02, 0, 1))
	out = section(out, 3, 1, []byte{0})
	out = section(out, 7, 1, append(word(nil, "update"), 0, 0))
	body := append([]byte{0}, append(code, 0x0B)...)
	return section(out, 10, 1, append(number(nil, len(body)), body...))
}

// Our games run for their whole length, with a finger that goes everywhere, and end by themselves.
func TestOurGames(t *testing.T) {
	for _, name := range []string{"catch", "tower"} {
		if err := Check(game(t, name)); err != nil {
			t.Fatal(err)
		}
		m, err := New(t.Context(), game(t, name))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < 80*Rate && !m.Said().Over; i++ {
			if err := m.Update(t.Context(), Pad{Touch: i%50 < 25, At: image.Pt(i*3%Side, 100)}); err != nil {
				t.Fatalf("%s, frame %d: %v", name, i, err)
			}
		}
		if !m.Said().Over {
			t.Errorf("%s does not end", name)
		}
		m.Close()
	}
}

// A cartridge that never comes back is ended; whoever runs it goes on.
func TestAnEndlessCartridge(t *testing.T) {
	m, err := New(t.Context(), program(0x03, 0x40, 0x0C, 0, 0x0B))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Update(t.Context(), Pad{}); !errors.Is(err, ErrSlow) {
		t.Errorf("got %v, want that it was too slow", err)
	}
	if err := m.Update(t.Context(), Pad{}); err == nil {
		t.Error("it runs again")
	}
}

func TestBadCartridges(t *testing.T) {
	stranger := []byte{0, 'a', 's', 'm', 1, 0, 0, 0}
	stranger = section(stranger, 1, 1, []byte{0x60, 0, 0})
	stranger = section(stranger, 2, 1, append(word(word(nil, "wasi_snapshot_preview1"), "fd_write"), 0, 0))
	for name, tc := range map[string]struct {
		wasm []byte
		want string
	}{
		"nothing": {nil, "no cartridge"}, "text": {[]byte("hello"), "no cartridge"}, "large": {make([]byte, MaxBytes+1), "at most"},
		"asks for files": {stranger, "which no cartridge gets"}, "no update": {[]byte{0, 'a', 's', 'm', 1, 0, 0, 0}, "no function update"},
	} {
		if err := Check(tc.wasm); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
	trap, err := New(t.Context(), program(0x00))
	if err != nil {
		t.Fatal(err)
	}
	defer trap.Close()
	if err := trap.Update(t.Context(), Pad{}); err == nil {
		t.Error("a trap is no error")
	}
}

// What is drawn lies where the machine says.
func TestDrawing(t *testing.T) {
	m, err := New(t.Context(), program())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	m.memory.WriteUint16Le(drawColor, 0x42)
	img := image.NewRGBA(image.Rect(0, 0, Side, Side))
	m.rect(10, 10, 5, 5)
	m.oval(40, 40, 9, 9)
	m.line(-100, 80, 1<<30, 80)
	m.text([]byte("8\n?"), 100, 100)
	m.rect(-50, 150, 1<<20, 1<<20)
	m.Draw(img)
	at := func(x, y int) uint32 {
		r, g, b, _ := img.At(x, y).RGBA()
		return r>>8<<16 | g>>8<<8 | b>>8
	}
	for _, tc := range []struct {
		x, y int
		want uint32
	}{{10, 10, 0x071821}, {12, 12, 0x86C06C}, {9, 9, 0xE0F8CF}, {44, 44, 0x86C06C}, {40, 44, 0x071821}, {40, 40, 0xE0F8CF}, {0, 80, 0x86C06C}, {159, 80, 0x86C06C}, {102, 100, 0x86C06C}, {5, 155, 0x86C06C}} {
		if got := at(tc.x, tc.y); got != tc.want {
			t.Errorf("%d, %d is %06x, want %06x", tc.x, tc.y, got, tc.want)
		}
	}
}

// The games are what their sources say.
func TestGamesAreBuiltFromTheirSources(t *testing.T) {
	version, err := exec.CommandContext(t.Context(), "clang", "--version").Output()
	if err != nil || !strings.Contains(string(version), "clang version 14.") {
		t.Skip("no clang 14 here: another compiler makes other bytes")
	}
	if _, err := exec.LookPath("wasm-ld"); err != nil {
		t.Skip("no wasm-ld here")
	}
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "bash", "../library/games/make.sh", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, name := range []string{"catch", "tower"} {
		made, err := os.ReadFile(filepath.Join(dir, name+".wasm"))
		if err != nil {
			t.Fatal(err)
		}
		if string(made) != string(game(t, name)) {
			t.Errorf("%s.wasm is not what %s.c gives: run kiosk/demo/library/games/make.sh", name, name)
		}
	}
}

func FuzzCart(f *testing.F) {
	f.Add(program(), byte(0))
	f.Add(program(0x00), byte(3))
	f.Add(game(f, "tower"), byte(9))
	f.Fuzz(func(t *testing.T, wasm []byte, touch byte) {
		if Check(wasm) != nil {
			return
		}
		m, err := New(context.Background(), wasm)
		if err != nil {
			return
		}
		defer m.Close()
		img := image.NewRGBA(image.Rect(0, 0, Side, Side))
		for range 3 {
			if m.Update(context.Background(), Pad{Touch: touch&1 != 0, At: image.Pt(int(touch)%Side, 3)}) != nil {
				return
			}
			m.Draw(img)
		}
	})
}

func BenchmarkFrame(b *testing.B) {
	for _, name := range []string{"catch", "tower"} {
		b.Run(name, func(b *testing.B) {
			m, err := New(b.Context(), game(b, name))
			if err != nil {
				b.Fatal(err)
			}
			defer m.Close()
			img := image.NewRGBA(image.Rect(0, 0, Side, Side))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if err := m.Update(b.Context(), Pad{Touch: i%50 < 25, At: image.Pt(i%Side, 100)}); err != nil {
					b.Fatal(err)
				}
				m.Draw(img)
			}
		})
	}
}
