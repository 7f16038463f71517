package sim

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// playOn plays a simulator on a new port until the test ends, and returns the port's name.
func playOn(t *testing.T, device func(*PTY) interface{ Run(context.Context) error }) string {
	t.Helper()
	port, err := NewPTY(filepath.Join(t.TempDir(), "port"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	d := device(port)
	go func() { ended <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		port.Close()
	})
	return port.Path()
}

// Debian's nfc-list, which knows nothing of us, reads a card from the simulated chip.
func TestNFCListReadsTheSimulatedPN532(t *testing.T) {
	tool, err := exec.LookPath("nfc-list")
	if err != nil {
		t.Skip("SKIP: nfc-list is not there (Debian package libnfc-bin):", err)
	}
	for name, c := range map[string]struct {
		card *Card
		want string
	}{
		"a card":  {&Card{UID: []byte{0x04, 0x41, 0x6D, 0x41, 0x2B, 0x02, 0x89}, ATQA: [2]byte{0, 0x44}}, "UID (NFCID1): 04  41  6d  41  2b  02  89"},
		"no card": {nil, "No NFC device"},
	} {
		t.Run(name, func(t *testing.T) {
			path := playOn(t, func(port *PTY) interface{ Run(context.Context) error } {
				p := NewPN532(port)
				if c.card != nil {
					if err := p.Near(*c.card); err != nil {
						t.Fatal(err)
					}
				}
				return p
			})
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, tool)
			cmd.Env = append(os.Environ(), "LIBNFC_DEFAULT_DEVICE=pn532_uart:"+path, "LIBNFC_AUTO_SCAN=false")
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "opened") {
				t.Fatalf("%v\n%s", err, out)
			}
			if c.card == nil {
				if strings.Contains(string(out), "UID") {
					t.Errorf("a card where there is none:\n%s", out)
				}
				return
			}
			if !strings.Contains(string(out), c.want) {
				t.Errorf("want %s:\n%s", c.want, out)
			}
		})
	}
}

// uhfClient is a program that a third party would write from the manual, with Debian's python3-serial.
const uhfClient = `
import serial, sys

def crc(data):
    value = 0xFFFF
    for b in data:
        value ^= b
        for _ in range(8):
            value = (value >> 1) ^ 0x8408 if value & 1 else value >> 1
    return bytes([value & 255, value >> 8])

port = serial.Serial(sys.argv[1], 57600, timeout=2)

def ask(body, spoil=0):
    frame = bytes([len(body) + 2]) + bytes(body)
    check = crc(frame)
    port.write(frame + bytes([check[0] ^ spoil, check[1]]))

def hear():
    size = port.read(1)
    if not size:
        return "silence"
    rest = port.read(size[0])
    assert len(rest) == size[0] and crc(size + rest[:-2]) == rest[-2:], (size + rest).hex()
    return rest[:-2].hex()

ask([0, 0x21]); print("info", hear())
ask([0, 0x01]); print("inventory", hear())
ask([0xFF, 0x36]); print("mode", hear())
ask([0, 0x21], spoil=1); print("wrong check", hear())
ask([0, 0x99]); print("unknown", hear())
ask([0, 0x2F]); print("wrong length", hear())
ask([0, 0x2F, 99]); print("wrong parameter", hear())
ask([0, 0x35, 1, 2, 4, 2, 6, 0]); print("active", hear()); print("pushed", hear())
ask([0, 0x35, 0, 2, 4, 2, 6, 0])
while True:
    answer = hear()
    if answer[2:4] == "35":
        break
print("answer mode", answer)
port.timeout = 0.2
ask([7, 0x21]); print("other address", hear())
`

func TestPySerialTalksToTheSimulatedUHFReader18(t *testing.T) {
	python := ""
	for _, name := range []string{"/usr/bin/python3", "python3"} { // Debian's own first: its packages are there
		if exec.CommandContext(t.Context(), name, "-c", "import serial").Run() == nil {
			python = name
			break
		}
	}
	if python == "" {
		t.Skip("SKIP: python3 with the module serial is not there (Debian package python3-serial)")
	}
	path := playOn(t, func(port *PTY) interface{ Run(context.Context) error } {
		r := NewUHFReader18(port)
		if err := r.Near([]byte{0xE2, 0x00, 0x11, 0x22}, 0); err != nil {
			t.Fatal(err)
		}
		return r
	})
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	var errs bytes.Buffer
	cmd := exec.CommandContext(ctx, python, "-c", uhfClient, path)
	cmd.Stderr = &errs
	out, err := cmd.Output()
	want := `info 00210003010903` + `4e001e0a
inventory 0001010104e2001122
mode 003600000204020600
wrong check 0000fe
unknown 0000fe
wrong length 002ffd
wrong parameter 002fff
active 003500
pushed 00ee00e2001122
answer mode 003500
other address silence
`
	if err != nil || string(out) != want {
		t.Errorf("%v %s\ngot\n%swant\n%s", err, &errs, out, want)
	}
}

// Many tags come in several frames; all but the last say that more follows.
func TestUHFReaderSplitsALongRound(t *testing.T) {
	var out bytes.Buffer
	r := NewUHFReader288(&out)
	for i := range 40 {
		if err := r.Near([]byte{0xE2, byte(i), 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 80); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.inventory(t.Context(), []byte{4, 0xFF}); err != nil {
		t.Fatal(err)
	}
	var statuses []string
	total := 0
	for b := out.Bytes(); len(b) > 0; b = b[int(b[0])+1:] {
		statuses = append(statuses, fmt.Sprintf("%02X", b[3]))
		total += int(b[5])
	}
	if strings.Join(statuses, " ") != "03 03 01" && strings.Join(statuses, " ") != "03 03 03 01" || total != 40 {
		t.Errorf("statuses %v, %d tags", statuses, total)
	}
}
