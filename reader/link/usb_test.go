package link_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"foyer/reader/link"
)

// sysfs builds the part of /sys that a USB serial adapter shows: the port's folder below the interface's below the device's,
// and the link to it from class/tty.
func sysfs(t *testing.T, devices map[string]map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, attributes := range devices {
		usb := filepath.Join(root, "devices", "usb-"+name)
		port := filepath.Join(usb, "1-1:1.0", name)
		if name[:6] == "ttyACM" {
			port = filepath.Join(usb, "1-1:1.0")
		}
		must(t, os.MkdirAll(port, 0o700))
		for key, value := range attributes {
			must(t, os.WriteFile(filepath.Join(usb, key), []byte(value+"\n"), 0o600))
		}
		class := filepath.Join(root, "class/tty", name)
		must(t, os.MkdirAll(class, 0o700))
		must(t, os.Symlink(port, filepath.Join(class, "device")))
	}
	return root
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestFindUSB(t *testing.T) {
	root := sysfs(t, map[string]map[string]string{
		"ttyUSB0": {"idVendor": "1a86", "idProduct": "7523"},
		"ttyUSB3": {"idVendor": "0403", "idProduct": "6001", "serial": "A5X"},
		"ttyUSB4": {"idVendor": "0403", "idProduct": "6001", "serial": "B7Y"},
		"ttyACM0": {"idVendor": "2e8a", "idProduct": "000a", "serial": "E6:61"},
		"ttyS000": {},
	})
	for _, test := range []struct {
		port, path string
		kind       error
	}{
		{"usb:1A86:7523", "/dev/ttyUSB0", nil},
		{"usb:1a86:7523", "/dev/ttyUSB0", nil},
		{"usb:0403:6001:B7Y", "/dev/ttyUSB4", nil},
		{"usb:2E8A:000A:E6:61", "/dev/ttyACM0", nil},
		{"usb:0403:6001", "", link.ErrManyFit},
		{"usb:0403:6001:C", "", link.ErrNoDevice},
		{"usb:1A86:7523:X", "", link.ErrNoDevice},
		{"usb:1A86:75", "", link.ErrBadPort},
	} {
		path, err := link.FindUSB(root, test.port)
		if path != test.path || !errors.Is(err, test.kind) {
			t.Errorf("%s: got %q, %v; want %q, %v", test.port, path, err, test.path, test.kind)
		}
	}
}
