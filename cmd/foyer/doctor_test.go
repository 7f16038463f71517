package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"foyer/internal/daemon"
	"foyer/reader/link"
	"foyer/reader/tag"
)

// bench is folders that stand for /dev and /sys.
type bench struct {
	t        *testing.T
	dev, sys string
}

func newBench(t *testing.T) *bench { return &bench{t, t.TempDir(), t.TempDir()} }

func (b *bench) file(path, text string) {
	b.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// usb puts a port or a keyboard into sysfs, so many folders below its USB device.
func (b *bench) usb(class, port, vid, serial, name string, below int) {
	b.t.Helper()
	device, err := filepath.EvalSymlinks(port)
	if err != nil {
		b.t.Fatal(err)
	}
	usb := filepath.Join(b.sys, "devices", filepath.Base(port))
	folder := filepath.Join(append([]string{usb}, strings.Split(strings.Repeat("x/", below), "/")...)...)
	for file, text := range map[string]string{"idVendor": vid, "idProduct": "7523", "serial": serial, "manufacturer": "QinHeng", "product": name} {
		b.file(filepath.Join(usb, file), text+"\n")
	}
	b.file(filepath.Join(folder, "name"), name+"\n")
	to := filepath.Join(b.sys, "class", class, filepath.Base(device), "device")
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		b.t.Fatal(err)
	}
	if err := os.Symlink(folder, to); err != nil {
		b.t.Fatal(err)
	}
}

// doctor runs the command and returns its findings by the name of the port, and all that was written.
func (b *bench) doctor(code int, args ...string) (map[string]finding, string) {
	b.t.Helper()
	var stdout, stderr bytes.Buffer
	p := prober{dev: b.dev, sys: b.sys, ask: func(string) {}}
	if got := doctorReaders(args, p, &stdout, &stderr); got != code {
		b.t.Errorf("exit %d, want %d: %s", got, code, &stderr)
	}
	all := map[string]finding{}
	for line := range bytes.Lines(stdout.Bytes()) {
		var f finding
		if json.Unmarshal(line, &f) == nil {
			all[filepath.Base(f.Port)] = f
		}
	}
	return all, stdout.String()
}

func TestDoctorReaders(t *testing.T) {
	b := newBench(t)
	module := plug(t, b.dev, "usb-module", module(t))
	b.usb("tty", module, "1a86", "A5X", "USB Serial", 2)
	plug(t, b.dev, "usb-fobs", fobReader)
	held := plug(t, b.dev, "usb-held", nil)
	holder, err := link.Open(t.Context(), held, link.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	for _, name := range []string{"usb-desk-event-kbd", "usb-hands-event-kbd"} {
		b.file(filepath.Join(b.dev, "input/by-id", name), "")
	}
	b.usb("input", filepath.Join(b.dev, "input/by-id/usb-desk-event-kbd"), "ffff", "", "Sycreader RFID Technology", 5)
	b.usb("input", filepath.Join(b.dev, "input/by-id/usb-hands-event-kbd"), "046d", "", "Keyboard K120", 5)
	b.file(filepath.Join(b.dev, "gpiochip0"), "")

	got, text := b.doctor(0, "-json", "-listen", "150ms", "-card", "0")
	for name, want := range map[string][2]string{
		"usb-module": {"fits", "m100"}, "usb-fobs": {"fits", "rdm6300"}, "usb-held": {"held", ""},
		"usb-desk-event-kbd": {"fits", "wedge"}, "usb-hands-event-kbd": {"listed", ""}, "gpiochip0": {"gone", ""}, // a file is no chip
	} {
		if f := got[name]; f.State != want[0] || f.Profile != want[1] || f.Why == "" || (f.Config != nil) != (want[0] == "fits") {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if len(got) != 6 {
		t.Errorf("%d findings:\n%s", len(got), text)
	}
	if f := got["usb-module"]; f.USB == nil || *f.USB != (usbID{"1A86", "7523", "A5X"}) || f.Name != "QinHeng USB Serial" || !strings.HasPrefix(f.Device, "/dev/pts/") {
		t.Errorf("%+v %+v", f, f.USB)
	}
	if f := got["usb-desk-event-kbd"]; f.USB == nil || f.USB.VID != "FFFF" || f.Name != "Sycreader RFID Technology" {
		t.Errorf("%+v", f)
	}
	if f := got["usb-held"]; f.Do == "" || !strings.Contains(f.Why, "held") {
		t.Errorf("%+v", f)
	}
	if strings.Contains(text, "7B3972") || strings.Contains(text, "8075634") {
		t.Errorf("a tag's number was told:\n%s", text)
	}
}

// What the doctor says to write is a configuration that foyerd takes.
func TestDoctorsSnippetIsGood(t *testing.T) {
	b := newBench(t)
	module, fobs := plug(t, b.dev, "usb-module", module(t)), plug(t, b.dev, "usb-fobs", fobReader)
	_, text := b.doctor(0, "-listen", "150ms", "-card", "0", "-port", module, "-port", fobs)
	_, snippet, ok := strings.Cut(text, "\nreaders:\n")
	if !ok || strings.Count(text, "fits") != 2 {
		t.Fatal(text)
	}
	dir := t.TempDir()
	b.file(filepath.Join(dir, "tag.key"), tag.NewSecret())
	path := filepath.Join(dir, "foyerd.yaml")
	b.file(path, "chain: c\nstore: s\nname: {en: S, zh-CN: 店}\ndata: data\ntag_key_file: tag.key\nlisten: {socket: s.sock}\nreaders:\n"+snippet)
	c, err := daemon.LoadConfig(path)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if len(c.Readers) != 2 || c.Readers[0].Port != module || c.Readers[0].Profile != "m100" || c.Zones[0].Tap || c.Readers[1].Profile != "rdm6300" || !c.Zones[1].Tap {
		t.Errorf("%+v\n%+v", c.Readers, c.Zones)
	}
}

// The README shows what the doctor really says.
func TestReadmeShowsTheDoctor(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	port := plug(t, b.dev, "usb-1a86_USB_Serial-if00-port0", module(t))
	b.usb("tty", port, "1a86", "", "USB Serial", 2)
	device, err := filepath.EvalSymlinks(port)
	if err != nil {
		t.Fatal(err)
	}
	_, text := b.doctor(0, "-listen", "150ms")
	text = strings.NewReplacer(b.dev, "/dev", device, "/dev/ttyUSB0").Replace(text)
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\n"); !strings.Contains(string(readme), "       "+line+"\n") && line != "" {
			t.Errorf("the README lacks the line %q of\n%s", line, text)
		}
	}
}

// A port is written down by a name that lasts: the one by id, or what its USB device says.
func TestDoctorNamesPortsForGood(t *testing.T) {
	b := newBench(t)
	byID := plug(t, b.dev, "usb-fobs", nil)
	device, err := filepath.EvalSymlinks(byID)
	if err != nil {
		t.Fatal(err)
	}
	d := doctor{prober: prober{dev: b.dev, sys: b.sys}}
	if got := d.lasting(&finding{found: found{Kind: "serial", Port: device}}); got != byID {
		t.Errorf("%s, want %s", got, byID)
	}
	d.dev = t.TempDir()
	for want, usb := range map[string]*usbID{device: nil, "usb:1A86:7523": {"1A86", "7523", ""}, "usb:1A86:7523:A5": {"1A86", "7523", "A5"}} {
		if got := d.lasting(&finding{found: found{Kind: "serial", Port: device}, USB: usb}); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestDoctorAdvises(t *testing.T) {
	for _, c := range []struct{ kind, state, says string }{
		{"serial", "no_permission", "dialout"}, {"keyboard", "no_permission", "udev"}, {"gpio", "no_permission", "group gpio"},
		{"serial", "silent", "-card"}, {"serial", "unclear", "foyer profile new"}, {"serial", "gone", "by-id"}, {"serial", "held", "systemctl stop foyerd"},
	} {
		f := finding{found: found{Port: "/dev/x", Kind: c.kind, State: c.state}, USB: &usbID{"FFFF", "0035", ""}}
		(&doctor{}).advise(&f)
		if !strings.Contains(f.Do, c.says) || f.Config != nil {
			t.Errorf("%+v", f)
		}
	}
}

func TestDoctorRefuses(t *testing.T) {
	b := newBench(t)
	port := plug(t, b.dev, "usb-quiet", nil)
	b.doctor(2, "-x")
	b.doctor(2, "what")
	b.doctor(1, "-port", filepath.Join(b.dev, "none"), "-card", "0")
	got, _ := b.doctor(0, "-json", "-listen-only", "-listen", "30ms", "-card", "30ms", "-port", port)
	if f := got["usb-quiet"]; f.State != "silent" || f.Do == "" {
		t.Errorf("%+v", f)
	}
	for _, args := range [][]string{nil, {"dance"}} {
		if code := doctorCommand(args, io.Discard, io.Discard); code != 2 {
			t.Errorf("%v: exit %d", args, code)
		}
	}
}
