// Package shape is a line as a mobile network gives it: so many bits a second, so long on the way, and some packets never come.
//
// In: a Config with bits a second, time.Duration and a share of packets. Out: a second network beside this machine's, in which
// a program can be started; between the two go real IP packets, so that a program's TCP meets what it would meet out there.
// It is never part of a program: only tests and benchmarks import it. Called by internal/bench.
//
// It needs root, /dev/net/tun and ip(8). Each end is a TUN device; the packets between them are ours to hold back and to drop,
// which the kernel itself does only where it has netem.
package shape

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Config of a line. Both directions are alike, and each has a queue and chances of its own.
type Config struct {
	Rate  int           // bits a second, IP headers included
	Delay time.Duration // from one end to the other, beside the time that the rate takes: half of what is added to a round trip
	Loss  float64       // share of packets that are lost, 0 to 1
	Queue time.Duration // how long a packet may wait for those before it; one that would wait longer is dropped
	Seed  uint64        // of the chances
}

// ErrCannot is returned where this machine gives no such line: errors.Is tells it from a fault.
var ErrCannot = errors.New("a shaped line needs root, /dev/net/tun and ip(8)")

// Line is open until Close.
type Line struct {
	space    string // the far network's name
	ends     [2]*os.File
	up, down *way
	done     sync.WaitGroup
}

// The addresses of the two ends: RFC 2544 keeps 198.18.0.0/15 for measurements.
const (
	Near = "198.18.47.1" // this machine
	Far  = "198.18.47.2" // in the other network
)

// Open makes the second network and the line to it. There is one at a time on a machine.
func Open(c Config) (*Line, error) {
	l := &Line{space: fmt.Sprintf("foyer-%d", os.Getpid())}
	if err := l.lay(); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	l.up, l.down = newWay(c, c.Seed), newWay(c, c.Seed+1)
	for _, pair := range []struct {
		way      *way
		from, to io.ReadWriter
	}{{l.up, l.ends[1], l.ends[0]}, {l.down, l.ends[0], l.ends[1]}} {
		arrivals := make(chan packet, 4096)
		l.done.Go(func() { pair.way.take(pair.from, arrivals) })
		l.done.Go(func() { pair.way.give(arrivals, pair.to) })
	}
	return l, nil
}

func (l *Line) lay() error {
	names := [2]string{"foyer-near", "foyer-far"}
	for i, name := range names {
		f, err := openTUN(name)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrCannot, err)
		}
		l.ends[i] = f
	}
	far := func(args ...string) []string { return append([]string{"-n", l.space}, args...) }
	for _, args := range [][]string{
		{"netns", "add", l.space},
		{"link", "set", names[1], "netns", l.space},
		{"address", "add", Near + "/30", "dev", names[0]},
		{"link", "set", names[0], "up"},
		far("address", "add", Far+"/30", "dev", names[1]),
		far("link", "set", names[1], "up"),
		far("link", "set", "lo", "up"),
	} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("%w: ip %s: %w: %s", ErrCannot, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
		}
	}
	return nil
}

// openTUN makes a device that hands over bare IP packets. It goes with its file.
func openTUN(name string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/net/tun: %w", err)
	}
	request, err := unix.NewIfreq(name)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("make device %s: %w", name, err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// Close takes the second network away. Programs in it must have ended.
func (l *Line) Close() error {
	for _, f := range l.ends {
		if f != nil {
			f.Close()
		}
	}
	l.done.Wait()
	exec.Command("ip", "netns", "delete", l.space).Run() // it may never have been made
	return nil
}

// Command is like exec.Command, for a program in the second network.
func (l *Line) Command(program string, args ...string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", l.space, program}, args...)...)
}

// Up is what went from the second network to this machine since Open; Down is the other direction.
func (l *Line) Up() Traffic   { return l.up.traffic() }
func (l *Line) Down() Traffic { return l.down.traffic() }

// way is one direction.
type way struct {
	c      Config
	chance *rand.Rand

	mu    sync.Mutex // guards what follows
	count Traffic
	flows map[flow]reach
	free  time.Time // when the last packet will have left
}

type packet struct {
	data []byte
	at   time.Time // of its arrival at the other end
}

func newWay(c Config, seed uint64) *way {
	return &way{c: c, chance: rand.New(rand.NewPCG(seed, 47)), flows: map[flow]reach{}}
}

// take reads what is sent until the device is closed.
func (w *way) take(from io.Reader, arrivals chan<- packet) {
	defer close(arrivals)
	buffer := make([]byte, 65536)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if at, ok := w.send(buffer[:n], time.Now()); ok {
			arrivals <- packet{append([]byte(nil), buffer[:n]...), at}
		}
	}
}

// send says when a packet arrives, if it does. One that is lost has taken its time on the line all the same.
func (w *way) send(data []byte, now time.Time) (arrives time.Time, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note(data, now)
	start := now
	if w.free.After(start) {
		start = w.free
	}
	if w.c.Queue > 0 && start.Sub(now) > w.c.Queue {
		w.count.Dropped++
		return now, false
	}
	w.free = start
	if w.c.Rate > 0 {
		w.free = start.Add(time.Duration(len(data)) * 8 * time.Second / time.Duration(w.c.Rate))
	}
	if w.chance.Float64() < w.c.Loss {
		w.count.Lost++
		return now, false
	}
	return w.free.Add(w.c.Delay), true
}

// give writes each packet when it is due.
func (w *way) give(arrivals <-chan packet, to io.Writer) {
	for p := range arrivals {
		if wait := time.Until(p.at); wait > 0 {
			time.Sleep(wait)
		}
		if _, err := to.Write(p.data); err != nil && errors.Is(err, os.ErrClosed) {
			return
		}
	}
}
