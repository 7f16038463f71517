package prom

import (
	"bytes"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Process adds what every dashboard asks of a process, under the names that Prometheus' own clients use, and what program
// this is. What the system does not tell is left out.
func (p *Page) Process(program, version string) {
	p.Gauge("foyer_build_info", "Always 1; which build this is.")
	p.Value(1, Label{"program", program}, Label{"version", version}, Label{"goversion", runtime.Version()})
	var used unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &used) == nil {
		p.Counter("process_cpu_seconds_total", "Processor time used, in seconds.")
		p.Value(float64(used.Utime.Nano()+used.Stime.Nano()) / 1e9)
	}
	p.memory()
	p.files()
	sample := []metrics.Sample{{Name: "/sched/goroutines:goroutines"}, {Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	p.Gauge("go_goroutines", "Goroutines that exist.")
	p.Value(float64(sample[0].Value.Uint64()))
	p.Gauge("go_memstats_heap_alloc_bytes", "Bytes of objects on the heap, also those not yet swept.")
	p.Value(float64(sample[1].Value.Uint64()))
}

// memory reads /proc/self/stat (proc_pid_stat(5)): field 22 is the start in clock ticks after boot, 24 the resident pages.
func (p *Page) memory() {
	text, err := os.ReadFile("/proc/self/stat")
	_, rest, ok := strings.Cut(string(text), ") ") // the name may hold blanks; its last bracket ends it for us
	fields := strings.Fields(rest)
	if err != nil || !ok || len(fields) < 22 {
		return
	}
	const first, ticks = 3, 100 // the number of fields[0]; USER_HZ on every Linux that Go runs on
	if pages, err := strconv.ParseFloat(fields[24-first], 64); err == nil {
		p.Gauge("process_resident_memory_bytes", "Memory in use, in bytes.")
		p.Value(pages * float64(os.Getpagesize()))
	}
	if begun, err := strconv.ParseFloat(fields[22-first], 64); err == nil {
		if boot, ok := booted(); ok {
			p.Gauge("process_start_time_seconds", "When the process began, in seconds since 1970.")
			p.Time(boot.Add(time.Duration(begun / ticks * float64(time.Second))))
		}
	}
}

// booted is when the machine was started.
func booted() (time.Time, bool) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return time.Time{}, false
	}
	for line := range bytes.Lines(text) {
		if at, ok := bytes.CutPrefix(line, []byte("btime ")); ok {
			seconds, err := strconv.ParseInt(string(bytes.TrimSpace(at)), 10, 64)
			return time.Unix(seconds, 0), err == nil
		}
	}
	return time.Time{}, false
}

func (p *Page) files() {
	open, err := os.ReadDir("/proc/self/fd")
	var most unix.Rlimit
	if err != nil || unix.Getrlimit(unix.RLIMIT_NOFILE, &most) != nil {
		return
	}
	p.Gauge("process_open_fds", "Open files.")
	p.Value(float64(len(open) - 1)) // one is the listing's own
	p.Gauge("process_max_fds", "Open files that are allowed.")
	p.Value(float64(most.Cur))
}
