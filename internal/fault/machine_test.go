package fault

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"foyer/internal/hil/hiltest"
	"foyer/sync/journal"
	"foyer/sync/wire"
)

// guest is a store in a machine of its own, with a real kernel, ext4 and a disk with a volatile cache.
type guest struct {
	t     *testing.T
	image string
	port  string // of headquarters' broker on this machine; "1": none
	epoch string
	acked map[string][]string // by lane and writer, in the order of writing
	count int
}

func newGuest(t *testing.T, broker string) *guest {
	_, port, err := net.SplitHostPort(broker)
	if err != nil {
		t.Fatal(err)
	}
	return &guest{t: t, image: newImage(t), port: port, acked: map[string][]string{}}
}

// run is the guest's script: the disk, a network to us, and what it shall do.
func (g *guest) run(do string) string {
	text := `set -e
mkdir -p /disk
mount -t ext4 /dev/vda /disk
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
` + strings.ReplaceAll(do, "STORE", fmt.Sprintf("guest store -chain %s -store %s -broker tcp://10.0.2.2:%s", here.Chain, here.Store, g.port)) + "\n"
	path := filepath.Join(g.t.TempDir(), "run.sh")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		g.t.Fatal(err)
	}
	return path
}

func (g *guest) boot(do string, disk []string, args ...string) *hiltest.Machine {
	args = append(append(disk, "-netdev", "user,id=net,restrict=off", "-device", "virtio-net-pci,netdev=net,romfile="), args...)
	return hiltest.Boot(g.t, "wall", g.run(do), "virtio_pci virtio_blk virtio_net ext4 crc32c_generic", args...)
}

// note takes an acknowledgement; a line that the cut has cut is none.
func (g *guest) note(line string) {
	f := strings.Fields(line)
	switch {
	case len(f) == 3 && f[0] == "A" && f[2] == ".":
		g.acked[f[1][:2]] = append(g.acked[f[1][:2]], f[1])
		g.count++
	case len(f) == 2 && f[0] == "OPEN":
		g.epoch = f[1]
	}
}

// cut boots it, waits for so many acknowledgements, takes the power away, and tells what the disk has lost.
func (g *guest) cut(round, n int, lies bool) string {
	g.t.Helper()
	disk, args := hiltest.NewDisk(g.t, g.image, lies, uint64(round))
	m := g.boot(fmt.Sprintf("STORE -seed %d -n 0 -pause 1ms", round+1), args)
	for goal := g.count + n; g.count < goal; {
		line, ok := m.Next()
		if !ok || strings.HasPrefix(line, "ERROR") {
			g.t.Fatalf("round %d: the machine ended by itself:\n%s", round, m.Seen())
		}
		g.note(line)
	}
	disk.CutIn(1 + rand.IntN(12)) // some commits later, in the middle of one
	select {
	case <-disk.Off:
	case <-time.After(generous):
		g.t.Fatalf("round %d: it writes no more:\n%s", round, m.Seen())
	}
	m.Off()
	for line, ok := m.Next(); ok; line, ok = m.Next() {
		g.note(line)
	}
	lost, err := disk.Lost()
	if err != nil {
		g.t.Fatal(err)
	}
	return lost
}

// left is what the journal holds after a cut, by name, as the next start would find it: the file system's log is played back
// on a copy of the disk.
func (g *guest) left() (names map[string]bool, err error) {
	dir := g.t.TempDir()
	image, file := filepath.Join(dir, "image"), filepath.Join(dir, "journal.db")
	out, err := exec.Command("sh", "-c", `PATH=$PATH:/sbin:/usr/sbin; cp --sparse=always "$0" "$1" && { e2fsck -fp "$1" || [ $? = 1 ]; } &&
debugfs -R "dump /journal.db $2" "$1"`, g.image, image, file).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	names = map[string]bool{}
	err = journal.Export(file, func(e journal.Exported) error {
		r, err := wire.DecodeRecord(e.Payload)
		if err != nil {
			return err
		}
		body, err := r.Open()
		if err == nil {
			names[body.(*wire.Visit).Visit] = true
		}
		return err
	})
	return names, err
}

// missing names an acknowledged record that is not on the disk. What headquarters has is still there, too: see uplink.DefaultKeep.
func (g *guest) missing() error {
	left, err := g.left()
	if err != nil {
		return err
	}
	for _, names := range g.acked {
		for _, name := range names {
			if !left[name] {
				return fmt.Errorf("%s was acknowledged and is gone", name)
			}
		}
	}
	return nil
}

// Five power cuts under the real journal and uplink, on a real kernel's ext4, on a disk that loses and tears what was not flushed.
// After each one every acknowledged record is on the disk, and in the end at headquarters, once, in order.
func TestPowerCutsInAMachine(t *testing.T) {
	hiltest.Wanted(t)
	h := alone(t)
	g := newGuest(t, h.address)
	for round := range 5 {
		lost := g.cut(round, 60+round*40, false)
		if err := g.missing(); err != nil {
			t.Errorf("cut %d: %v", round, err)
		}
		t.Logf("cut %d: %d acknowledged so far; the disk had %s", round, g.count, lost)
	}
	g.settles(h, "STORE -seed 9 -n 25")
}

// settles boots it for the last time, and checks that headquarters has what it ever acknowledged. It returns the guest's result.
func (g *guest) settles(h *headquarters, do string, args ...string) (result string) {
	t := g.t
	t.Helper()
	_, disk := hiltest.NewDisk(t, g.image, false, 9)
	m := g.boot(do, disk, args...)
	for !strings.HasPrefix(result, "RESULT") {
		line, ok := m.Next()
		if !ok || strings.HasPrefix(line, "ERROR") {
			t.Fatalf("it does not come to an end:\n%s", m.Seen())
		}
		g.note(line)
		result = line
	}
	m.Until("GUEST rc=0")
	var last uint64
	total := arrived(t, h, g.epoch, g.acked, func(lane string) uint64 {
		upto, err := h.hq.DB().Watermark(t.Context(), here.Store, g.epoch, lane)
		if err != nil {
			t.Error(err)
		}
		last += upto
		return upto
	})
	if want := fmt.Sprintf("acked=%d last=%d", last, last); !strings.Contains(result, want) {
		t.Errorf("%s: want %s", result, want)
	}
	t.Logf("%d acknowledged to their writers, %d at headquarters: %s", g.count, total, result)
	return result
}

// A box without a clock of its own begins in 1970; while it writes and sends, its clock is set years ahead, decades back, and in the end
// is two days wrong. Order comes from the numbers, so nothing changes but what is told of the clock.
func TestClocksInAMachine(t *testing.T) {
	hiltest.Wanted(t)
	h := alone(t)
	g := newGuest(t, h.address)
	const wrong = 48 * time.Hour
	result := g.settles(h, `STORE -seed 1 -n 80 -pause 150ms & store=$!
for year in 2031-05-05 1999-01-01; do sleep 3; date -s "$year 05:05:05"; done
sleep 3
date -u -s "`+time.Now().UTC().Add(wrong).Format(time.DateTime)+`"
wait $store`, "-rtc", "base=1970-01-01T00:00:00")
	_, text, _ := strings.Cut(result, "skew=")
	text, _, _ = strings.Cut(text, " ")
	skew, err := time.ParseDuration(text)
	if err != nil || (skew-wrong).Abs() > 10*time.Minute { // it was told when it booted
		t.Errorf("%s: want a skew of about %v (%v)", result, wrong, err)
	}
	years := map[int]bool{}
	for _, r := range h.rows() {
		years[r.At.Year()] = true
	}
	for _, year := range []int{1970, 1999, 2031} {
		if !years[year] {
			t.Errorf("no record of %d: the clock was not as it should be (%v)", year, years)
		}
	}
}

// The control: the same on a disk that says yes to every flush and does nothing. It must lose, or the rig shows nothing.
func TestPowerCutsInAMachineOnADiskThatLies(t *testing.T) {
	hiltest.Wanted(t)
	for round := range 3 { // a cut may leave all by chance
		g := newGuest(t, "127.0.0.1:1")
		lost := g.cut(round, 100, true)
		err := g.missing()
		t.Logf("%d acknowledged; the disk had %s; %v", g.count, lost, err)
		if err != nil {
			return
		}
	}
	t.Error("the control has lost nothing though nothing was flushed: the rig shows nothing")
}
