package link

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/warthog618/go-gpiocdev/uapi"
	"golang.org/x/sys/unix"
)

// devRoot is where the chips are.
const devRoot = "/dev"

// chip is one GPIO controller of the kernel.
type chip struct {
	name  string   // gpiochip0
	label string   // what its driver calls it: pinctrl-bcm2711
	lines []string // their names by number; most boards name only some
	path  string
}

// chipPaths lists the chips, each once: a Raspberry Pi links gpiochip4 to gpiochip0.
func chipPaths(root string) []string {
	all, _ := filepath.Glob(filepath.Join(root, "gpiochip*")) // the pattern is sound
	var once []string
	seen := map[uint64]bool{}
	for _, path := range all {
		info, err := os.Stat(path)
		if err != nil {
			continue
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		if !ok || seen[uint64(st.Rdev)] && st.Rdev != 0 {
			continue
		}
		seen[uint64(st.Rdev)] = true
		once = append(once, path)
	}
	return once
}

// readChip asks a chip for its names.
func readChip(path string) (chip, error) {
	f, err := os.Open(path)
	if err != nil {
		return chip{}, err
	}
	defer f.Close()
	info, err := uapi.GetChipInfo(f.Fd())
	if err != nil {
		return chip{}, fmt.Errorf("ask %s what it is: %w", path, err)
	}
	c := chip{name: uapi.BytesToString(info.Name[:]), label: uapi.BytesToString(info.Label[:]), path: path}
	for i := range int(info.Lines) {
		line, err := uapi.GetLineInfoV2(f.Fd(), i)
		if err != nil {
			return chip{}, fmt.Errorf("ask %s for line %d: %w", path, i, err)
		}
		c.lines = append(c.lines, uapi.BytesToString(line.Name[:]))
	}
	return c, nil
}

// find returns the number of a line: by its name, or written as chip and number ("gpiochip0/17", "pinctrl-bcm2711/17").
func (c chip) find(name string) (uint32, bool) {
	if where, number, ok := strings.Cut(name, "/"); ok && (where == c.name || where == c.label) {
		n, err := strconv.ParseUint(number, 10, 32)
		return uint32(n), err == nil && n < uint64(len(c.lines))
	}
	for i, line := range c.lines {
		if line == name && name != "" {
			return uint32(i), true
		}
	}
	return 0, false
}

// findLines looks for one chip that has all the lines: only lines of one chip can share a request.
func findLines(root, port string, names ...string) (chip, []uint32, error) {
	var denied error
	known := map[string]bool{}
	for _, path := range chipPaths(root) {
		c, err := readChip(path)
		if err != nil {
			denied = refusedRequest(port, err)
			continue
		}
		var numbers []uint32
		for _, name := range names {
			if n, ok := c.find(name); ok {
				numbers = append(numbers, n)
				known[name] = true
			}
		}
		if len(numbers) == len(names) {
			return c, numbers, nil
		}
	}
	if denied != nil {
		return chip{}, nil, denied
	}
	hint := "no chip has the lines; gpioinfo lists their names, \"gpiochip0/17\" names one by number"
	if len(known) == len(names) {
		hint = "the lines belong to different chips; wire both to the same one"
	}
	return chip{}, nil, &OpenError{Port: port, Kind: ErrNoDevice, Hint: hint}
}

// request asks a chip for lines in one request and returns its descriptor.
func (c chip) request(port string, flags uapi.LineFlagV2, buffer uint32, numbers ...uint32) (int, error) {
	f, err := os.Open(c.path)
	if err != nil {
		return 0, refusedRequest(port, err)
	}
	defer f.Close()
	r := uapi.LineRequest{Lines: uint32(len(numbers)), EventBufferSize: buffer}
	copy(r.Offsets[:], numbers)
	copy(r.Consumer[:], "foyer")
	r.Config.Flags = flags
	if err := uapi.GetLine(f.Fd(), &r); err != nil {
		open := refusedRequest(port, err)
		if errors.Is(err, unix.EBUSY) {
			open.Hint = c.heldBy(f, numbers)
		}
		return 0, open
	}
	return int(r.Fd), nil
}

// heldBy says who has the lines.
func (c chip) heldBy(f *os.File, numbers []uint32) string {
	for _, n := range numbers {
		line, err := uapi.GetLineInfoV2(f.Fd(), int(n))
		if err == nil && line.Flags.IsUsed() {
			return fmt.Sprintf("line %d of %s is in use by %q; stop that program, or take the overlay out of the boot configuration",
				n, c.name, uapi.BytesToString(line.Consumer[:]))
		}
	}
	return "gpioinfo tells by whom"
}

// refusedRequest sorts the reasons why a chip does not give its lines.
func refusedRequest(port string, err error) *OpenError {
	open := &OpenError{Port: port, Kind: ErrNoDevice, Hint: err.Error(), Err: err}
	switch {
	case errors.Is(err, unix.EBUSY):
		open.Kind = ErrHeld
	case errors.Is(err, fs.ErrPermission):
		open.Kind, open.Hint = ErrDenied, "add the user to the group that owns /dev/gpiochip0, usually gpio"
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENXIO):
		open.Hint = "the line gives no interrupts, or the kernel is older than 5.10: " + err.Error()
	}
	return open
}

// openKernel opens two lines for their falling edges.
func openKernel(root, port string, names [2]string) (Edges, error) {
	c, n, err := findLines(root, port, names[0], names[1])
	if err != nil {
		return nil, err
	}
	if n[0] == n[1] {
		return nil, &OpenError{Port: port, Kind: ErrBadPort, Hint: "both names are the same line"}
	}
	flags := uapi.LineFlagV2Input | uapi.LineFlagV2EdgeFalling | uapi.LineFlagV2BiasPullUp
	events, err := c.request(port, flags, kernelBuffer, n[0], n[1])
	if err != nil {
		return nil, err
	}
	k, err := newKernel(events, n[0], n[1])
	if err != nil {
		unix.Close(events)
		return nil, &OpenError{Port: port, Kind: ErrNoDevice, Hint: err.Error(), Err: err}
	}
	return k, nil
}

// traceChips is the fingerprint of all chips, for a Dialer.
func traceChips(root string) string {
	var text strings.Builder
	for _, path := range chipPaths(root) {
		text.WriteString(trace(path))
	}
	return text.String()
}
