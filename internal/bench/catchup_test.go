package bench

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"foyer/internal/shape"
	"foyer/reader/sim"
	"foyer/sync/wire"
)

// aWeekLater is the line of the aim: 3G as it is on a bad day. Its delay is 150 ms for a round trip, half of it each way.
var aWeekLater = shape.Config{Rate: 384_000, Delay: 75 * time.Millisecond, Loss: 0.01, Queue: time.Second, Seed: 1}

// What a segment holds of a stream and has around it on Linux: IPv4 20, TCP 20, time stamps 12, in 1,500.
const (
	segment = 1448
	around  = 52
)

// batch is how many records sync/uplink puts into one.
const batch = 250

// handshakes is how many round trips pass before the first record may go: TCP's, TLS 1.3's, CONNECT, SUBSCRIBE.
const handshakes = 4

// minimum is how long a week must take: its batches, full ones and each sent once, with their topics, TLS and the heads of TCP and IP,
// at the line's rate; after the handshakes, and until the last has been acknowledged. Nothing that is lost or sent again counts.
func minimum(t testing.TB, c shape.Config, week []event) time.Duration {
	stream := 0
	for _, b := range batches(week) {
		data, err := wire.EncodeBatch(b)
		must(t, err)
		stream += len(data) + len((wire.Place{Chain: chain, Store: "north"}).Up(b.Lane)) + 7 + 22
	}
	bytes := stream + (stream+segment-1)/segment*around
	return time.Duration(bytes)*8*time.Second/time.Duration(c.Rate) + (handshakes+1)*2*c.Delay
}

func lanes(week []event) map[string][]json.RawMessage {
	all := map[string][]json.RawMessage{}
	for _, e := range week {
		all[e.lane] = append(all[e.lane], e.payload)
	}
	return all
}

// BenchmarkCatchUp is a real foyerd with a week in its journal, a badge and TLS, that finds its line again after headquarters was away.
// FOYER_RATE (bits a second), FOYER_LOSS (share) and FOYER_EVENTS make it another line or another week.
func BenchmarkCatchUp(b *testing.B) {
	c := aWeekLater
	c.Rate, c.Loss = int(setting(b, "FOYER_RATE", float64(c.Rate))), setting(b, "FOYER_LOSS", c.Loss)
	week := records(b, int(setting(b, "FOYER_EVENTS", aWeek)))
	for _, broker := range []string{"embedded", "mosquitto"} {
		b.Run(broker, func(b *testing.B) {
			for b.Loop() {
				catchUp(b, c, broker, week)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

func setting(t testing.TB, name string, usual float64) float64 {
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatalf("%s=%q: want a number", name, text)
	}
	return n
}

func catchUp(b *testing.B, c shape.Config, broker string, week []event) {
	line, err := shape.Open(c)
	if err != nil {
		b.Skipf("SKIP SKIP SKIP: %v", err)
	}
	defer line.Close()
	dir := b.TempDir()
	h := openDoors(b, dir, broker)
	defer h.stop()
	config := enrol(b, dir, h)
	remember(b, filepath.Join(dir, "journal.db"), week)
	began := time.Now()
	args := []string{"--config", config}
	stop := start(b, line.Command(program(b, "foyerd"), args...))
	waitFor(b, "headquarters holds the week", 100*time.Millisecond, func() error {
		if n := h.holds("north"); n < len(week) {
			return fmt.Errorf("%d of %d records", n, len(week))
		}
		return nil
	})
	all := time.Since(began)
	took := time.Since(line.Up().First) // a store whose line comes back has foyerd running
	stop()
	up, down := line.Up(), line.Down()
	least := minimum(b, c, week)
	each := func(n int) float64 { return float64(n) / float64(len(week)) }
	b.ReportMetric(took.Seconds(), "s")
	b.ReportMetric(all.Seconds(), "s-with-foyerd's-start")
	b.ReportMetric(least.Seconds(), "least-s")
	b.ReportMetric(took.Seconds()/least.Seconds(), "times-least")
	b.ReportMetric(each(up.Payload+down.Payload), "tls-B/event")
	b.ReportMetric(each(up.Bytes+down.Bytes), "ip-B/event")
	b.ReportMetric(float64(up.Repeated)/float64(up.Payload)*100, "%-sent-again")
	b.Logf("%s: up %+v, down %+v", broker, up, down)
}

// openDoors starts headquarters where the far network reaches it, with its own broker or Mosquitto before it.
func openDoors(b *testing.B, dir, broker string) *headquarters {
	if broker == "embedded" {
		return openHeadquarters(b, dir, shape.Near, "--mqtt", "127.0.0.1:0", "--mqtt-tls", shape.Near+":0")
	}
	mosquitto, err := exec.LookPath("/usr/sbin/mosquitto")
	if err != nil {
		b.Skip("SKIP: no mosquitto on this machine (Debian package mosquitto)")
	}
	openHeadquarters(b, dir, shape.Near, "--mqtt", "127.0.0.1:0", "--mqtt-tls", shape.Near+":0").stop() // makes the authority
	port := freePort(b)
	files := filepath.Join(dir, "mosquitto")
	out, err := exec.Command(program(b, "foyer-hq"), "broker", "mosquitto", "--data", filepath.Join(dir, "hq"), "--chain", chain, "--out", files,
		"--installed", files, "--port", strconv.Itoa(port)).CombinedOutput()
	if err != nil {
		b.Fatalf("foyer-hq broker mosquitto: %v: %s", err, out)
	}
	f, err := os.OpenFile(filepath.Join(files, "mosquitto.conf"), os.O_APPEND|os.O_WRONLY, 0)
	must(b, err)
	_, err = f.WriteString("user root\n")
	must(b, err)
	must(b, f.Close())
	start(b, exec.Command(mosquitto, "-c", filepath.Join(files, "mosquitto.conf")))
	url := fmt.Sprintf("tls://%s:%d", shape.Near, port)
	waitFor(b, "mosquitto", 10*time.Millisecond, func() error {
		conn, err := net.Dial("tcp", net.JoinHostPort(shape.Near, strconv.Itoa(port)))
		if err == nil {
			conn.Close()
		}
		return err
	})
	return openHeadquarters(b, dir, shape.Near, "--broker", url, "--broker-badge")
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// enrol configures a store with one reader and gets it a badge.
func enrol(b *testing.B, dir string, h *headquarters) (config string) {
	b.Helper()
	pty, err := sim.NewPTY(filepath.Join(dir, "tap"))
	must(b, err)
	b.Cleanup(func() { pty.Close() })
	config = filepath.Join(dir, "foyerd.yaml")
	must(b, os.WriteFile(config, fmt.Appendf(nil, `chain: %s
store: north
name: {en: "North", zh-CN: "北店"}
data: .
tag_key_file: tag.key
log_level: info
listen: {socket: foyerd.sock}
headquarters: {identity: identity}
readers: [{name: tap, profile: rdm6300, port: %s}]
zones: [{id: tap, name: {en: "Tap", zh-CN: "刷卡"}, role: kiosk, readers: [tap], tap: true}]
`, chain, pty.Path()), 0o600))
	out, err := exec.Command(program(b, "foyerd"), "enrol", "--config", config, h.ticket("north")).CombinedOutput()
	if err != nil {
		b.Fatalf("foyerd enrol: %v: %s", err, out)
	}
	return config
}
