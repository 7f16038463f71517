package link

import (
	"errors"
	"path/filepath"
	"strings"
)

// USB is what a USB device says of itself. Cheap adapters have no serial number.
type USB struct {
	VID, PID string // four upper-case hex digits
	Serial   string
	Vendor   string
	Product  string
}

// above is how far a port's folder in sysfs lies below its USB device's: one for a ttyACM, two for a ttyUSB, five for the
// events of a keyboard.
const above = 6

// USBOf finds the USB device behind a port like /dev/ttyUSB0 or /dev/input/event3, or behind a name that leads to one. sys
// is where sysfs is. It opens no device.
func USBOf(sys, port string) (USB, bool) {
	device, err := filepath.EvalSymlinks(port)
	if err != nil {
		return USB{}, false
	}
	for _, class := range []string{"tty", "input"} {
		folder, err := filepath.EvalSymlinks(filepath.Join(sys, "class", class, filepath.Base(device), "device"))
		for range above {
			if err != nil {
				break
			}
			if vid := attribute(folder, "idVendor"); vid != "" {
				return USB{strings.ToUpper(vid), strings.ToUpper(attribute(folder, "idProduct")), attribute(folder, "serial"),
					attribute(folder, "manufacturer"), attribute(folder, "product")}, true
			}
			folder = filepath.Dir(folder)
		}
	}
	return USB{}, false
}

// InputName is what the device behind /dev/input/event3, or behind a name that leads there, calls itself; "" if sysfs does
// not tell.
func InputName(sys, port string) string {
	device, err := filepath.EvalSymlinks(port)
	if err != nil {
		return ""
	}
	return attribute(filepath.Join(sys, "class/input", filepath.Base(device), "device"), "name")
}

// Chip is a GPIO controller.
type Chip struct {
	Path  string // /dev/gpiochip0
	Label string // what its driver calls it; empty with Err
	Lines int
	Err   error // why it cannot be asked, as an *OpenError
}

// Chips lists the GPIO controllers under dev, each once. It asks for names and touches no line.
func Chips(dev string) []Chip {
	var all []Chip
	for _, path := range chipPaths(dev) {
		one := Chip{Path: path}
		c, err := readChip(path)
		if one.Label, one.Lines = c.label, len(c.lines); err != nil {
			open := refusedRequest(path, err)
			if errors.Is(open, ErrDenied) {
				open.Hint = permissionHint(path)
			}
			one.Err = open
		}
		all = append(all, one)
	}
	return all
}
