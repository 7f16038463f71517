package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	profiles "foyer/firmware-profiles"
	"foyer/reader/link"
)

const doctorHelp = `foyer doctor readers [-port PORT]... [-json] [-listen 1s] [-card 10s] [-listen-only]
    Lists serial ports, readers that type like a keyboard, and GPIO chips; finds out what hangs on each serial port as "foyer
    reader probe" does, and says what to write into foyerd.yaml and what to do about the rest. It changes no setting of a
    reader and never opens a port that somebody holds.
      -port         look at this port alone; may be given again
      -json         one JSON object a line
      -listen       how long to listen with each line setting
      -card         how long to wait for a card at a port that says nothing; 0 = do not ask for one
      -listen-only  send nothing: use it where a printer or a lock may hang on a port
Exit status: 0 done, 1 a port that was named cannot be looked at, 2 not understood.
`

// finding is one thing that is plugged in, and what to do about it: one line of foyer doctor readers -json. Stable.
type finding struct {
	found
	Name   string   `json:"name,omitempty"` // what it calls itself
	USB    *usbID   `json:"usb,omitempty"`
	Lines  int      `json:"lines,omitempty"` // of a GPIO chip
	HeldBy string   `json:"held_by,omitempty"`
	Do     string   `json:"do,omitempty"`
	Config *snippet `json:"config,omitempty"`
}

type usbID struct {
	VID    string `json:"vid"`
	PID    string `json:"pid"`
	Serial string `json:"serial,omitempty"`
}

// snippet is what belongs into foyerd.yaml, one item of each list.
type snippet struct {
	Reader string `json:"readers"`
	Zone   string `json:"zones"`
}

// doctorCommand says what is wrong and what to do.
func doctorCommand(args []string, stdout, stderr io.Writer) int {
	switch {
	case len(args) > 0 && args[0] == "readers":
		return doctorReaders(args[1:], prober{dev: "/dev", sys: "/sys"}, stdout, stderr)
	case len(args) > 0 && slices.Contains([]string{"-h", "--help", "help"}, args[0]):
		fmt.Fprint(stdout, doctorHelp)
		return 0
	}
	fmt.Fprint(stderr, doctorHelp)
	return 2
}

// doctor looks at everything.
type doctor struct {
	prober
	stdout io.Writer
	asJSON bool
	fits   []finding
}

func doctorReaders(args []string, p prober, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("foyer doctor readers", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, doctorHelp) }
	var named []string
	flags.Func("port", "", func(s string) error { named = append(named, s); return nil })
	d := doctor{prober: p, stdout: stdout}
	flags.BoolVar(&d.asJSON, "json", false, "")
	flags.DurationVar(&d.listen, "listen", time.Second, "")
	flags.DurationVar(&d.card, "card", 10*time.Second, "")
	flags.BoolVar(&d.listenOnly, "listen-only", false, "")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil || flags.NArg() > 0 || d.listen <= 0 || d.card < 0:
		return 2
	}
	if d.ask == nil {
		d.ask = func(text string) { fmt.Fprintln(stderr, text) }
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return d.run(ctx, named, stderr)
}

func (d *doctor) run(ctx context.Context, named []string, stderr io.Writer) int {
	all := d.everything(named)
	if len(all) == 0 {
		fmt.Fprintln(stderr, "Nothing is plugged in that could be a reader. Readers on the network (LLRP) are not looked for: name\n"+
			"them in foyerd.yaml as tcp://ADDRESS:5084 with the profile llrp.")
	}
	status := 0
	for _, f := range all {
		if f.Kind == "serial" {
			fmt.Fprintf(stderr, "looking at %s ...\n", f.Port)
			d.look(ctx, &f.found)
		}
		d.advise(&f)
		if len(named) > 0 && slices.Contains([]string{"held", "no_permission", "gone"}, f.State) {
			status = 1
		}
		d.tell(f)
	}
	d.summary()
	return status
}

// everything lists what is there, without opening it.
func (d *doctor) everything(named []string) []finding {
	var all []finding
	for _, port := range named {
		all = append(all, d.known(found{Port: port, Kind: "serial"}))
	}
	if len(named) > 0 {
		return all
	}
	for _, f := range d.list() {
		all = append(all, d.known(f))
	}
	for _, c := range link.Chips(d.dev) {
		f := finding{found: found{Port: c.Path, Kind: "gpio", State: "listed"}, Name: c.Label, Lines: c.Lines}
		if f.Why = fmt.Sprintf("%d lines, for Wiegand readers, lamps and door contacts", c.Lines); c.Err != nil {
			f.State, f.Why = stateOf(c.Err), c.Err.Error()
		}
		all = append(all, f)
	}
	return all
}

// known adds what the system knows of a port.
func (d *doctor) known(f found) finding {
	if f.Device == "" {
		if device, err := filepath.EvalSymlinks(f.Port); err == nil && device != f.Port {
			f.Device = device
		}
	}
	out := finding{found: f}
	if usb, ok := link.USBOf(d.sys, f.Port); ok {
		out.Name = strings.TrimSpace(usb.Vendor + " " + usb.Product)
		out.USB = &usbID{usb.VID, usb.PID, usb.Serial}
	}
	if f.Kind == "keyboard" {
		if name := link.InputName(d.sys, f.Port); name != "" {
			out.Name = name
		}
		d.judgeKeyboard(&out)
	}
	return out
}

// readerNames are what readers that type call themselves; a keyboard for hands does not.
var readerNames = regexp.MustCompile(`(?i)scan|bar.?code|rfid|reader|\bic card|sycreader|symbol|honeywell|datalogic|newland`)

func (d *doctor) judgeKeyboard(f *finding) {
	f.Why = "types like a keyboard, and its name is not a reader's; if it is one all the same, its profile is wedge"
	if readerNames.MatchString(f.Name + " " + filepath.Base(f.Port)) {
		f.State, f.Profile, f.Why = "fits", "wedge", "types like a keyboard, and its name is a reader's"
	}
	if errors.Is(unix.Access(f.Port, unix.R_OK), unix.EACCES) {
		f.State, f.Why = "no_permission", "foyer may not read it"
	}
}

// advise says what to do.
func (d *doctor) advise(f *finding) {
	switch f.State {
	case "fits":
		f.Config = d.write(f)
		f.Do = "write it into foyerd.yaml as below"
	case "silent":
		f.Do = "check the reader's power and that TX and RX are crossed; hold a card to it and look again with -card 20s; for a speed of its own: foyer reader record " + f.Port + " - -baud N"
	case "unclear":
		f.Do = "record it (foyer reader record " + f.Port + " FILE) and begin a profile from that: foyer profile new my-reader -from FILE"
	case "held":
		f.HeldBy = heldBy(f.Port)
		f.Do = "stop that program and look again; foyerd: systemctl stop foyerd"
	case "no_permission":
		f.Do = d.permission(f)
	case "gone":
		f.Do = "check the plug and the name; ls -l /dev/serial/by-id shows what is there"
	}
}

// permission says how to get leave, for good.
func (d *doctor) permission(f *finding) string {
	switch {
	case f.Kind == "keyboard" && f.USB != nil:
		return fmt.Sprintf(`write into /etc/udev/rules.d/70-foyer.rules: SUBSYSTEM=="input", ATTRS{idVendor}=="%s", ATTRS{idProduct}=="%s", GROUP="dialout", MODE="0660"; then plug it in again`,
			strings.ToLower(f.USB.VID), strings.ToLower(f.USB.PID))
	case f.Kind == "keyboard":
		return "add foyerd's user to the group input: usermod -aG input USER"
	case f.Kind == "gpio":
		return "add foyerd's user to the group gpio: usermod -aG gpio USER; without such a group write into /etc/udev/rules.d/70-foyer.rules: " +
			`SUBSYSTEM=="gpio", KERNEL=="gpiochip*", GROUP="dialout", MODE="0660"`
	}
	return "add the user to the group that owns the port, mostly dialout: usermod -aG dialout USER; then log in anew, or restart foyerd"
}

// write makes the items for foyerd.yaml. The port's name is one that lasts.
func (d *doctor) write(f *finding) *snippet {
	d.fits = append(d.fits, *f)
	n := len(d.fits)
	s := &snippet{
		Reader: fmt.Sprintf("{name: reader-%d, profile: %s, port: %q}", n, f.Profile, d.lasting(f)),
		Zone:   fmt.Sprintf(`{id: zone-%d, name: {en: "Entrance", zh-CN: "入口"}, role: entrance, readers: [reader-%d]}`, n, n),
	}
	if p, ok := profiles.Find(f.Profile); ok && p.Canonical.Scheme != profiles.EPC {
		s.Zone = fmt.Sprintf(`{id: zone-%d, name: {en: "Counter", zh-CN: "柜台"}, role: counter, readers: [reader-%d], tap: true}`, n, n)
	}
	d.fits[n-1].Config = s
	return s
}

// lasting is a name of the port that is the same after the next plugging in, if there is one.
func (d *doctor) lasting(f *finding) string {
	if f.Kind != "serial" || strings.Contains(f.Port, "/by-") {
		return f.Port
	}
	device, err := filepath.EvalSymlinks(f.Port)
	names, _ := filepath.Glob(filepath.Join(d.dev, "serial/by-id/*")) // the pattern is sound
	for _, name := range names {
		if other, fault := filepath.EvalSymlinks(name); err == nil && fault == nil && other == device {
			return name
		}
	}
	if f.USB == nil {
		return f.Port
	}
	return strings.TrimSuffix("usb:"+f.USB.VID+":"+f.USB.PID+":"+f.USB.Serial, ":")
}

// tell writes one finding.
func (d *doctor) tell(f finding) {
	if d.asJSON {
		json.NewEncoder(d.stdout).Encode(f)
		return
	}
	head := []string{f.Port + ": " + f.State}
	if f.Profile != "" {
		head[0] += " " + f.Profile
	}
	if f.Name != "" {
		head = append(head, f.Name)
	}
	if f.USB != nil {
		text := "USB " + f.USB.VID + ":" + f.USB.PID
		if f.USB.Serial != "" {
			text += ", serial number " + f.USB.Serial
		}
		head = append(head, text)
	}
	if f.Device != "" {
		head = append(head, "now "+f.Device)
	}
	fmt.Fprintf(d.stdout, "%s\n    %s\n", strings.Join(head, "; "), f.Why)
	if f.Do != "" {
		fmt.Fprintf(d.stdout, "    do: %s\n", f.Do)
	}
}

// summary is what to copy.
func (d *doctor) summary() {
	if d.asJSON || len(d.fits) == 0 {
		return
	}
	fmt.Fprint(d.stdout, "\nFor foyerd.yaml; give readers and zones the names of their places:\n\nreaders:\n")
	for _, f := range d.fits {
		fmt.Fprintf(d.stdout, "  - %s\n", f.Config.Reader)
	}
	fmt.Fprint(d.stdout, "zones:\n")
	for _, f := range d.fits {
		fmt.Fprintf(d.stdout, "  - %s\n", f.Config.Zone)
	}
}
