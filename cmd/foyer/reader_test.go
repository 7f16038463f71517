package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"foyer/reader/link"
	"foyer/reader/sim"
)

// plug makes a port under a folder that stands for /dev, with a device on it until the test ends.
func plug(t *testing.T, dev, name string, device func(*sim.PTY) runner) string {
	t.Helper()
	dir := filepath.Join(dev, "serial", "by-id")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	port, err := sim.NewPTY(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	if device == nil {
		ended <- nil
	} else {
		one := device(port)
		go func() { ended <- one.Run(ctx) }()
	}
	t.Cleanup(func() { cancel(); port.Close(); <-ended })
	return port.Path()
}

type runner = interface{ Run(context.Context) error }

func module(t *testing.T) func(*sim.PTY) runner {
	return func(p *sim.PTY) runner {
		m := sim.NewM100(p)
		if err := m.Near([]byte("\xE2\x00\x10\x71\x00\x00\x52\x9B\x09\x40\xB4\x02"), -50); err != nil {
			t.Fatal(err)
		}
		return m
	}
}

func fobReader(p *sim.PTY) runner {
	r := sim.NewRDM6300(p)
	r.Near([5]byte{0x6F, 0x00, 0x7B, 0x39, 0x72})
	return r
}

// babble is a device that nobody understands.
type babble struct{ *sim.PTY }

func (b babble) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		b.Write([]byte("AT+CSQ\r\nOK 99,99 "))
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// probe looks at what is plugged in and returns its lines by the name of the port.
func probe(t *testing.T, p prober, names ...string) (map[string]found, int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := p.run(t.Context(), names, true, &stdout, &stderr)
	all := map[string]found{}
	for line := range bytes.Lines(stdout.Bytes()) {
		var f found
		if err := json.Unmarshal(line, &f); err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(f.Port)] = f
	}
	for _, number := range []string{"7B3972", "7b3972", "8075634", "0940B402", "0940b402"} {
		if strings.Contains(stdout.String()+stderr.String(), number) {
			t.Errorf("a tag's number was told: %s", &stdout)
		}
	}
	return all, code
}

func TestProbe(t *testing.T) {
	dev, sys := t.TempDir(), t.TempDir()
	plug(t, dev, "usb-module", module(t))
	plug(t, dev, "usb-fobs", fobReader)
	plug(t, dev, "usb-quiet", nil)
	plug(t, dev, "usb-modem", func(p *sim.PTY) runner { return babble{p} })
	held := plug(t, dev, "usb-held", nil)
	holder, err := link.Open(t.Context(), held, link.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	for name, text := range map[string]string{
		"dev/input/by-id/usb-desk-event-kbd": "", "dev/hidraw0": "", "sys/class/hidraw/hidraw0/device/uevent": "DRIVER=hid\nHID_NAME=ACME Pad\n",
	} {
		root, rest, _ := strings.Cut(name, "/")
		path := filepath.Join(map[string]string{"dev": dev, "sys": sys}[root], rest)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, code := probe(t, prober{dev: dev, sys: sys, listen: 150 * time.Millisecond})
	for name, want := range map[string][2]string{
		"usb-module": {"fits", "m100"}, "usb-fobs": {"fits", "rdm6300"}, "usb-quiet": {"silent", ""}, "usb-modem": {"unclear", ""},
		"usb-held": {"held", ""}, "usb-desk-event-kbd": {"listed", ""}, "hidraw0": {"listed", ""},
	} {
		if f := got[name]; f.State != want[0] || f.Profile != want[1] || f.Why == "" {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if len(got) != 7 || code != 0 || !strings.Contains(got["hidraw0"].Why, "ACME Pad") || !strings.HasPrefix(got["usb-module"].Device, "/dev/pts/") {
		t.Errorf("exit %d; %+v", code, got)
	}
}

// listenOnly must not send a byte; a port that is held or gone is told by the exit status when it was named.
func TestProbeOfNamedPorts(t *testing.T) {
	dev := t.TempDir()
	silent := plug(t, dev, "usb-module", func(p *sim.PTY) runner { return sim.NewM100(p) })
	got, code := probe(t, prober{listen: 50 * time.Millisecond, listenOnly: true}, silent)
	if f := got["usb-module"]; f.State != "silent" || code != 0 {
		t.Errorf("exit %d, %+v", code, f)
	}
	if got, code = probe(t, prober{listen: 50 * time.Millisecond}, filepath.Join(dev, "none")); code != 1 || got["none"].State != "gone" {
		t.Errorf("exit %d, %+v", code, got)
	}
	l, err := link.Open(t.Context(), silent, link.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got, code = probe(t, prober{listen: 50 * time.Millisecond}, silent); code != 1 || got["usb-module"].State != "held" {
		t.Errorf("exit %d, %+v", code, got)
	}
}

// record runs the command and plays what it wrote.
func record(t *testing.T, profile string, args ...string) (capture string, played []map[string]any) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.capture")
	var stdout, stderr bytes.Buffer
	args = append([]string{"record", args[0], out}, args[1:]...)
	if code := readerCommand(args, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, &stderr)
	}
	info, err := os.Stat(out)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if code := profileCommand([]string{"play", profile, out}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, &stderr)
	}
	for line := range bytes.Lines(stdout.Bytes()) {
		var e map[string]any
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		played = append(played, e)
	}
	return string(text), played
}

func tagsIn(played []map[string]any) (n int) {
	for _, e := range played {
		if e["kind"] == "tag" {
			n++
		}
	}
	return n
}

func TestRecordListens(t *testing.T) {
	port := plug(t, t.TempDir(), "usb-fobs", fobReader)
	text, played := record(t, "rdm6300", port, "-for", "400ms", "-baud", "9600")
	if tagsIn(played) < 3 || played[0]["id_hex"] != "6F007B3972" || strings.Contains(text, " > ") {
		t.Errorf("%v\n%s", played, text)
	}
}

func TestRecordPlaysTheWholeSession(t *testing.T) {
	port := plug(t, t.TempDir(), "usb-module", module(t))
	text, played := record(t, "m100", port, "--for=600ms", "--profile=m100")
	if tagsIn(played) < 3 || !strings.Contains(text, " > BB 00 27") || !strings.Contains(text, " > BB 00 28") {
		t.Errorf("%v\n%s", played, text)
	}
}

func TestRecordOfANetworkReader(t *testing.T) {
	device := sim.NewLLRP()
	device.Near([]byte("\x30\x00\xAB\xCD\xEF\x00\x00\x00\x00\x00\x00\x05"), 1, -50)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- device.Serve(ctx, l) }()
	defer func() { cancel(); <-ended }()
	text, played := record(t, "llrp", "tcp://"+l.Addr().String(), "-for", "600ms", "-profile", "llrp")
	if tagsIn(played) < 2 || !strings.Contains(text, " > 04 14 ") || !slices.ContainsFunc(played, func(e map[string]any) bool { return e["type"] == "START_ROSPEC_RESPONSE" }) {
		t.Errorf("%v\n%s", played, text)
	}
}

func TestRecordRefuses(t *testing.T) {
	dir := t.TempDir()
	port := plug(t, dir, "usb-quiet", nil)
	there := filepath.Join(dir, "there")
	if err := os.WriteFile(there, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	gone := filepath.Join(dir, "gone")
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"", 2, "foyer reader record PORT OUT"},
		{"dance", 2, "want record or probe"},
		{"record " + port, 2, "PORT OUT"},
		{"record " + port + " " + there + " -for 10ms", 1, "file exists"},
		{"record " + gone + " " + gone + ".out -for 10ms", 1, "no such device"},
		{"record " + gone + " " + gone + ".out -for 1m -profile m100", 1, "does not open"},
		{"record gpio:A,B " + gone + ".out -for 10ms -profile wiegand26", 1, "cannot be recorded"},
		{"record " + port + " " + gone + ".out -for 10ms -profile none", 1, "neither a file nor"},
		{"record " + port + " " + gone + ".out -for 10ms -profile llrp", 1, "does not go with"},
		{"probe -json -x", 2, "flag provided but not defined"},
	} {
		var stdout, stderr bytes.Buffer
		code := readerCommand(strings.Fields(c.args), &stdout, &stderr)
		if code != c.code || !strings.Contains(stderr.String(), c.says) {
			t.Errorf("%s: exit %d, %s", c.args, code, &stderr)
		}
		if _, err := os.Stat(gone + ".out"); err == nil {
			t.Errorf("%s: left an empty file", c.args)
		} else if !os.IsNotExist(err) {
			t.Error(err)
		}
	}
}
