// Package linetest starts real brokers for tests, and a proxy that makes the line between fail in chosen ways.
//
// In: a *testing.T. Out: addresses on 127.0.0.1. Everything ends with the test.
// It is never part of a program: only tests import it.
// Called by the tests of sync/line, sync/uplink and sync/downlink.
package linetest

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
)

// Broker is a broker that a test may stop and start again. It forgets everything when it stops.
type Broker interface {
	URL() string
	Address() string
	Start()
	Stop()
}

// Each runs a test against every broker that this machine has: the embedded one always, Mosquitto where it is installed.
func Each(t *testing.T, test func(t *testing.T, b Broker)) {
	t.Run("embedded", func(t *testing.T) { test(t, Embedded(t)) })
	t.Run("mosquitto", func(t *testing.T) { test(t, Mosquitto(t)) })
}

// place is an address that stays the same over restarts.
type place struct{ address string }

func (p place) Address() string { return p.address }
func (p place) URL() string     { return "tcp://" + p.address }

// freePlace finds a port that was free a moment ago.
func freePlace(t *testing.T) place {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return place{l.Addr().String()}
}

type embedded struct {
	place
	t      *testing.T
	server *mqtt.Server
}

// Embedded starts a mochi broker in this process.
func Embedded(t *testing.T) Broker {
	b := &embedded{place: freePlace(t), t: t}
	b.Start()
	t.Cleanup(b.Stop)
	return b
}

func (b *embedded) Start() {
	b.t.Helper()
	b.server = mqtt.New(&mqtt.Options{Logger: slog.New(slog.DiscardHandler)})
	if err := b.server.AddHook(new(auth.AllowHook), nil); err != nil {
		b.t.Fatal(err)
	}
	if err := b.server.AddListener(listeners.NewTCP(listeners.Config{ID: "test", Address: b.address})); err != nil {
		b.t.Fatal(err)
	}
	if err := b.server.Serve(); err != nil {
		b.t.Fatal(err)
	}
}

func (b *embedded) Stop() {
	if b.server != nil {
		b.server.Close()
		b.server = nil
	}
}

type mosquitto struct {
	place
	t       *testing.T
	program string
	config  string
	process *exec.Cmd
}

// mosquittoProgram is where Debian's mosquitto is; where it is not installed the test is skipped.
func mosquittoProgram(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("mosquitto")
	if err != nil {
		program = "/usr/sbin/mosquitto" // not in everybody's PATH
	}
	if _, err := os.Stat(program); err != nil {
		t.Skip("SKIP: mosquitto is not installed (apt-get install mosquitto): this broker is not tested")
	}
	return program
}

// Mosquitto starts Debian's mosquitto, or skips the test where it is not installed.
func Mosquitto(t *testing.T) Broker {
	b := &mosquitto{place: freePlace(t), t: t, program: mosquittoProgram(t), config: filepath.Join(t.TempDir(), "mosquitto.conf")}
	_, port, _ := net.SplitHostPort(b.address)
	text := fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous true\npersistence false\nlog_dest stderr\nuser root\n", port)
	if err := os.WriteFile(b.config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	b.Start()
	t.Cleanup(b.Stop)
	return b
}

// Start waits for the line in which mosquitto says that it runs.
func (b *mosquitto) Start() {
	b.t.Helper()
	b.process = exec.Command(b.program, "-c", b.config)
	out, err := b.process.StderrPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.process.Start(); err != nil {
		b.t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var said []string
	for lines.Scan() {
		if said = append(said, lines.Text()); strings.Contains(lines.Text(), " running") {
			go io.Copy(io.Discard, out)
			return
		}
	}
	b.t.Fatalf("mosquitto does not start: %s", strings.Join(said, "\n"))
}

// Stop kills it as a power cut would.
func (b *mosquitto) Stop() {
	if b.process != nil {
		b.process.Process.Kill()
		b.process.Wait()
		b.process = nil
	}
}
