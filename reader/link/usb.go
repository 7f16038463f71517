package link

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

const sysRoot = "/sys"

// usbPort is "usb:VID:PID" or "usb:VID:PID:SERIAL", the two ids in hex.
var usbPort = regexp.MustCompile(`^usb:([0-9A-Fa-f]{4}):([0-9A-Fa-f]{4})(?::(.+))?$`)

// findUSB looks the device up in sysfs. The library's enumerator would do, but to list the ports it opens every /dev/ttyS*
// and sets it to 9600 baud: a reader that works on one of those would fall silent whenever another is looked for.
func findUSB(sys, port string) (string, error) {
	want := usbPort.FindStringSubmatch(port)
	if want == nil {
		return "", &OpenError{Port: port, Kind: ErrBadPort, Hint: portHelp}
	}
	devices, err := filepath.Glob(filepath.Join(sys, "class/tty/*/device"))
	if err != nil {
		return "", &OpenError{Port: port, Kind: ErrBadPort, Err: err}
	}
	var found []string
	for _, device := range devices {
		if usbMatches(device, want[1], want[2], want[3]) {
			found = append(found, "/dev/"+filepath.Base(filepath.Dir(device)))
		}
	}
	switch len(found) {
	case 0:
		return "", &OpenError{Port: port, Kind: ErrNoDevice, Hint: "is the reader plugged in?"}
	case 1:
		return found[0], nil
	}
	// Any choice would be a guess, and a wrong one greets people at the wrong door.
	hint := fmt.Sprintf("%s: add the serial number, or use the path under /dev/serial/by-id or by-path",
		strings.Join(found, ", "))
	return "", &OpenError{Port: port, Kind: ErrManyFit, Hint: hint}
}

// usbMatches compares the ids in the USB device's folder, which lies one (ttyACM) or two (ttyUSB) levels above the
// port's. An empty serial matches any.
func usbMatches(device, vid, pid, serial string) bool {
	folder, err := filepath.EvalSymlinks(device)
	if err != nil {
		return false
	}
	for range 3 {
		if got := attribute(folder, "idVendor"); got != "" {
			return strings.EqualFold(got, vid) && strings.EqualFold(attribute(folder, "idProduct"), pid) &&
				(serial == "" || attribute(folder, "serial") == serial)
		}
		folder = filepath.Dir(folder)
	}
	return false
}

func attribute(folder, name string) string {
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
