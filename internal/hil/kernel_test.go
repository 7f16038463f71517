package hil

import (
	"bufio"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"foyer/internal/hil/hiltest"
)

// TestWiegand: every card shown is heard, and no other, at every spacing that a reader may use and with the whole process
// stopped for 40 and 500 ms again and again; a chip that vanishes is noticed, costs nothing, and is opened again; a lamp
// shines as it should, and a door that bounces is told once.
func TestWiegand(t *testing.T) {
	m := hiltest.Boot(t, "virtual", "run-gpio.sh", "gpio-sim")
	for range 6 {
		wants(t, m.Result("profile="), "sent=100", "right=100", "wrong=0", "twice=0")
	}
	vanish := m.Result("vanish")
	wants(t, vanish, "sent=10", "right=10", "wrong=0")
	var noticed, cpu, back time.Duration
	for word := range strings.FieldsSeq(vanish) {
		name, value, _ := strings.Cut(word, "=")
		into, ok := map[string]*time.Duration{"noticed": &noticed, "cpu": &cpu, "back": &back}[name]
		if !ok {
			continue
		}
		var err error
		if *into, err = time.ParseDuration(value); err != nil {
			t.Fatal(err)
		}
	}
	// Of the machine's own clock, which the host's load does not touch; cpu is of 5 s without a chip.
	if noticed > time.Second || back > 2*time.Second || cpu > 500*time.Millisecond {
		t.Error(vanish)
	}
	wants(t, m.Result("signals"), "lamp=101010", "door=open,shut,open,shut", "busy=true", "numbers=true")
	wants(t, m.Result("house"), "flashes=3", "opened=true")
	m.Until("GUEST rc=0")
}

// TestClocks: foyerd answers a card and counts a door in 1970, and while its clock jumps years ahead and back.
func TestClocks(t *testing.T) {
	m := hiltest.Boot(t, "virtual", "run-clock.sh", "gpio-sim")
	for range 2 {
		wants(t, m.Result("house"), "flashes=3", "opened=true")
	}
	m.Until("GUEST rc=0")
}

// TestSerialDevice: a USB serial device inside the machine, plugged four times, and one that takes no data.
func TestSerialDevice(t *testing.T) {
	m := hiltest.Boot(t, "virtual", "run-gadget.sh", "dummy_hcd libcomposite usb_f_acm cdc_acm")
	for i := range 4 {
		open := m.Until("OPEN")
		// A dead port that stays open would make the device come back under another name, and leak a descriptor.
		wants(t, open, fmt.Sprint(1+i), "/dev/ttyACM0,", "7")
		m.Until(fmt.Sprintf("HEARD CARD%d", 1+i))
		wants(t, m.Until("LOST"), "unplugged=true")
	}
	wants(t, m.Result("serial"), "opened=4", "lost=4")
	wants(t, m.Result("stuck"), "stuck=true", "<nil>")
	m.Until("GUEST rc=0")
}

// TestUSBPrinter: a printer without paper, broken, and pulled out are told apart; what was written is not called printed.
func TestUSBPrinter(t *testing.T) {
	m := hiltest.Boot(t, "virtual", "run-printer.sh", "dummy_hcd libcomposite usb_f_printer usblp")
	for _, want := range []string{"fine", "no_paper", "broken", "fine"} {
		wants(t, m.Result("ask"), want)
	}
	wants(t, m.Result("print"), "outcome=failed", "trouble=no_paper", "sent=false")
	wants(t, m.Result("print"), "outcome=unknown", "trouble=fine", "all=true")
	wants(t, m.Result("paper"), "1")
	wants(t, m.Result("print"), "outcome=unknown", "trouble=fine", "all=true") // nobody took it off the wire
	m.Until("STANDS no_paper")
	wants(t, m.Result("print"), "outcome=unknown", "trouble=gone", "all=false")
	wants(t, m.Result("ask"), "gone")
	m.Until("GUEST rc=0")
}

// TestFTDI: an adapter on a real driver, unplugged and plugged four times from outside while both sides talk.
func TestFTDI(t *testing.T) {
	control := filepath.Join(t.TempDir(), "qmp")
	m := hiltest.Boot(t, "wall", "run-ftdi.sh", "xhci-pci ftdi_sio",
		"-device", "qemu-xhci", "-qmp", "unix:"+control+",server=on,wait=off")
	m.Until("GUEST up")
	q := dialQMP(t, control)
	for i := range 4 {
		far := q.plug(i)
		wants(t, m.Until("OPEN"), fmt.Sprint(1+i), "/dev/ttyUSB0,")
		card := fmt.Sprintf("CARD%d", i)
		if _, err := far.Write([]byte(card + "\n")); err != nil {
			t.Fatal(err)
		}
		m.Until("HEARD " + card)
		answer, err := bufio.NewReader(far).ReadString('\n')
		if err != nil || answer != "ack "+card+"\n" {
			t.Errorf("plug %d: the device heard %q, %v", i, answer, err)
		}
		q.pull(i)
		wants(t, m.Until("LOST"), "unplugged=true")
		far.Close()
	}
	wants(t, m.Result("serial"), "opened=4", "lost=4")
	m.Until("GUEST rc=0")
}

// dial waits for a socket that the machine makes.
func dial(t *testing.T, path string) net.Conn {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); ; {
		conn, err := net.Dial("unix", path)
		if err == nil {
			conn.SetDeadline(time.Now().Add(3 * time.Minute))
			t.Cleanup(func() { conn.Close() })
			return conn
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond) // there is no event to wait for
	}
}

// wants reports an error unless a result has every one of the words.
func wants(t *testing.T, result string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(result+" ", " "+word+" ") {
			t.Errorf("%s\nwant %s", result, word)
		}
	}
}
