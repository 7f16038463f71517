package prom

import (
	"bytes"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// parse reads a page as Prometheus does.
func parse(t testing.TB, page []byte) map[string]*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(page))
	if err != nil {
		t.Fatalf("%v in\n%s", err, page)
	}
	return families
}

func TestPage(t *testing.T) {
	var p Page
	p.Counter("foyer_frames_total", "Frames, \\ and\na second line.")
	p.Value(3, Label{"reader", "door"}, Label{"kind", "a \"b\" \\ \n c"})
	p.Value(1<<52+1, Label{"reader", "柜台"})
	p.Gauge("foyer_at_seconds", "A time.")
	p.Time(time.Time{}, Label{"reader", "never"})
	p.Time(time.UnixMilli(1_700_000_000_250))
	p.Gauge("foyer_up", "Yes or no.")
	p.Flag(true)
	p.Gauge("foyer_most", "No bound.")
	p.Value(math.Inf(1))
	const want = `# HELP foyer_frames_total Frames, \\ and\na second line.
# TYPE foyer_frames_total counter
foyer_frames_total{reader="door",kind="a \"b\" \\ \n c"} 3
foyer_frames_total{reader="柜台"} 4503599627370497
# HELP foyer_at_seconds A time.
# TYPE foyer_at_seconds gauge
foyer_at_seconds 1.70000000025e+09
# HELP foyer_up Yes or no.
# TYPE foyer_up gauge
foyer_up 1
# HELP foyer_most No bound.
# TYPE foyer_most gauge
foyer_most +Inf
`
	if got := string(p.Bytes()); got != want {
		t.Errorf("got\n%s", got)
	}
	read := parse(t, p.Bytes())
	frames := read["foyer_frames_total"].GetMetric()
	if len(read) != 4 || frames[0].GetLabel()[1].GetValue() != "a \"b\" \\ \n c" || frames[1].GetCounter().GetValue() != 1<<52+1 ||
		read["foyer_at_seconds"].GetMetric()[0].GetGauge().GetValue() != 1_700_000_000.25 {
		t.Errorf("read as %v", read)
	}
}

func TestProcess(t *testing.T) {
	var p Page
	p.Process("test", "v1")
	read := parse(t, p.Bytes())
	value := func(name string) float64 {
		f := read[name]
		if f == nil {
			t.Fatalf("no %s in\n%s", name, p.Bytes())
		}
		return f.GetMetric()[0].GetGauge().GetValue()
	}
	open, most := value("process_open_fds"), value("process_max_fds")
	begun, resident := value("process_start_time_seconds"), value("process_resident_memory_bytes")
	now := float64(time.Now().Unix())
	if open < 3 || open > most || resident < 1<<20 || begun > now+2 || begun < now-24*3600 || value("go_goroutines") < 2 {
		t.Errorf("open %v of %v, resident %v, begun %v, now %v", open, most, resident, begun, now)
	}
	before := open
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p = Page{}
	p.Process("test", "v1")
	read = parse(t, p.Bytes())
	if open := value("process_open_fds"); open <= before {
		t.Errorf("%v files open, and %v before one was opened", open, before)
	}
}

// Whatever a reader or a shop is called, Prometheus reads the page, and reads the name as it was written.
func FuzzLabel(f *testing.F) {
	f.Add("door")
	f.Add("a\"b\\\n\xff{}")
	f.Fuzz(func(t *testing.T, name string) {
		var p Page
		p.Gauge("foyer_up", name)
		p.Flag(true, Label{"reader", name})
		read := parse(t, p.Bytes())
		if got := read["foyer_up"].GetMetric()[0].GetLabel()[0].GetValue(); got != strings.ToValidUTF8(name, "\uFFFD") {
			t.Errorf("%q is read as %q", name, got)
		}
	})
}
