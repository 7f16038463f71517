package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkStores is a foyer-hq with many stores, played by foyer sim stores on the same machine, each with a badge and TLS. FOYER_STORES is
// how many, 1,000 otherwise. What it prints is for the log; the figures are headquarters' memory, and what the player says.
func BenchmarkStores(b *testing.B) {
	n := int(setting(b, "FOYER_STORES", 1000))
	for b.Loop() {
		dir := b.TempDir()
		h := openHeadquarters(b, dir, "127.0.0.1", "--mqtt", "127.0.0.1:0", "--mqtt-tls", "127.0.0.1:0")
		empty := h.memory()
		play(b, h, dir, n, "--rate", "0", "--for", "15s", "--campaign")
		b.ReportMetric((h.peak()-empty)/float64(n), "KiB-a-store")
		play(b, h, dir, n, "--rate", "1", "--for", "30s", "--campaign")
		play(b, h, dir, n, "--rate", "1", "--for", "30s", "--campaign", "--stalled", "5")
		play(b, h, dir, n, "--rate", "max", "--for", "30s")
		b.ReportMetric(h.peak()/1024, "MiB-at-most")
		h.stop()
	}
	b.ReportMetric(0, "ns/op")
}

// play plays stores and prints what the player says.
func play(b *testing.B, h *headquarters, dir string, n int, args ...string) {
	b.Helper()
	args = append([]string{"sim", "stores", strconv.Itoa(n), "--console", "http://" + h.doors.Console, "--admin-token-file", h.doors.AdminTokenFile,
		"--chain", chain, "--dir", filepath.Join(dir, "stores")}, args...)
	out, err := exec.Command(program(b, "foyer"), args...).CombinedOutput()
	fmt.Printf("%d stores, %s\n", n, strings.Join(args[9:], " "))
	for line := range strings.Lines(string(out)) {
		fmt.Print("    ", line)
	}
	if err != nil {
		b.Fatalf("foyer sim stores: %v", err)
	}
}

func (h *headquarters) memory() float64 { return h.status("VmRSS:") }
func (h *headquarters) peak() float64   { return h.status("VmHWM:") }

// status is a figure of /proc's, in KiB.
func (h *headquarters) status(name string) float64 {
	h.t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", h.process.Pid))
	must(h.t, err)
	_, rest, _ := strings.Cut(string(data), name)
	n, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	must(h.t, err)
	return n
}
