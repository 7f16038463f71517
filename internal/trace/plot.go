package trace

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"time"

	"foyer/reader/tag"
	"foyer/shop/presence"
)

// The plot's measures, in pixels.
const (
	plotWide  = 1200
	plotLeft  = 70
	plotRight = 20
	laneHigh  = 150
	laneGap   = 46
	plotTop   = 64
	maxLanes  = 12
	maxDots   = 4000 // of one tag; more would only be ink
)

// Plot draws what a zone's readers heard and what was decided, as SVG: a lane for each tag with marks first, then for the
// others, strongest first.
func Plot(w io.Writer, t Trace, z presence.Zone, decided []Decision) error {
	p := newPlot(only(t, z), z.WithDefaults(), decided)
	out := bufio.NewWriter(w)
	high := plotTop + len(p.lanes)*(laneHigh+laneGap) + 30
	fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", plotWide, high, plotWide, high)
	fmt.Fprintln(out, `<rect width="100%" height="100%" fill="#fff"/>`)
	fmt.Fprintf(out, `<text x="%d" y="22" font-size="15" font-weight="bold">Zone %s</text><text x="%d" y="40" fill="#555">%s</text>`+"\n", plotLeft, z.ID, plotLeft, Settings(p.zone))
	p.legend(out)
	for i, word := range p.lanes {
		p.lane(out, word, plotTop+i*(laneHigh+laneGap)+20)
	}
	if p.hidden > 0 {
		fmt.Fprintf(out, `<text x="%d" y="%d" fill="#555">and %d tags more</text>`+"\n", plotLeft, high-8, p.hidden)
	}
	fmt.Fprintln(out, "</svg>")
	return out.Flush()
}

type plot struct {
	zone      presence.Zone
	trace     Trace
	decided   []Decision
	lanes     []string
	hidden    int
	begin     time.Duration
	end       time.Duration
	low, high tag.RSSI
}

func newPlot(t Trace, z presence.Zone, decided []Decision) *plot {
	p := &plot{zone: z, trace: t, decided: decided, low: max(z.Leave, -90), high: z.Enter}
	_, _, marked := truth(t)
	best := map[string]tag.RSSI{}
	for _, e := range t {
		if e.Kind == Arrived && best[e.Tag] == 0 {
			best[e.Tag] = -200
		}
		if e.Kind == Read {
			if b, known := best[e.Tag]; !known || e.RSSI > b {
				best[e.Tag] = e.RSSI
			}
		}
		if e.Kind == Read && e.HasRSSI {
			p.low, p.high = min(p.low, e.RSSI), max(p.high, e.RSSI)
		}
		p.end = e.At
	}
	for _, d := range decided {
		p.end = max(p.end, d.At)
	}
	if len(t) > 0 {
		p.begin = t[0].At
	}
	p.low, p.high = p.low-2, p.high+2
	for word := range best {
		p.lanes = append(p.lanes, word)
	}
	slices.SortFunc(p.lanes, func(a, b string) int {
		if marked[a] != marked[b] {
			if marked[a] {
				return -1
			}
			return 1
		}
		if best[a] != best[b] {
			return int(best[b]) - int(best[a])
		}
		return slices.Compare([]byte(a), []byte(b))
	})
	p.hidden = max(0, len(p.lanes)-maxLanes)
	p.lanes = p.lanes[:len(p.lanes)-p.hidden]
	return p
}

func (p *plot) x(at time.Duration) float64 {
	return plotLeft + (plotWide-plotLeft-plotRight)*float64(at-p.begin)/float64(max(p.end-p.begin, time.Second))
}

func (p *plot) y(top int, r tag.RSSI) float64 {
	return float64(top) + laneHigh*float64(p.high-max(r, p.low))/float64(p.high-p.low)
}

func (p *plot) legend(w io.Writer) {
	fmt.Fprintf(w, `<g transform="translate(%d,58)" fill="#333"><rect x="0" y="-9" width="16" height="10" fill="#cfe8cf"/><text x="22">really there</text>`+
		`<rect x="120" y="-9" width="16" height="5" fill="#2b6cb0"/><text x="142">present, as decided</text>`+
		`<circle cx="290" cy="-4" r="2" fill="#444"/><text x="298">a read</text>`+
		`<line x1="360" x2="380" y1="-4" y2="-4" stroke="#2f855a" stroke-width="1.5"/><text x="386">enter</text>`+
		`<line x1="440" x2="460" y1="-4" y2="-4" stroke="#c05621" stroke-width="1.5" stroke-dasharray="4 3"/><text x="466">leave</text>`+
		`<rect x="520" y="-9" width="16" height="10" fill="#ddd"/><text x="542">reader offline</text></g>`+"\n", plotLeft)
}

func (p *plot) lane(w io.Writer, word string, top int) {
	visits, _, _ := truth(p.trace)
	fmt.Fprintf(w, `<text x="%d" y="%d" font-weight="bold">%s</text>`+"\n", plotLeft, top-11, word)
	for _, v := range visits[key{word, p.zone.ID}] {
		p.bar(w, v.from, min(v.to, p.end), top, laneHigh, "#cfe8cf")
	}
	p.offline(w, top)
	fmt.Fprintf(w, `<rect x="%d" y="%d" width="%d" height="%d" fill="none" stroke="#999"/>`+"\n", plotLeft, top, plotWide-plotLeft-plotRight, laneHigh)
	p.axes(w, top)
	p.floor(w, top, p.zone.Enter, `stroke="#2f855a"`)
	p.floor(w, top, p.zone.Leave, `stroke="#c05621" stroke-dasharray="4 3"`)
	p.dots(w, word, top)
	p.stays(w, word, top)
}

// axes writes the strengths, and the time at round seconds.
func (p *plot) axes(w io.Writer, top int) {
	for r := (p.high / 10) * 10; r >= p.low; r -= 10 {
		if r > p.high { // rounded towards zero
			continue
		}
		fmt.Fprintf(w, `<text x="%d" y="%.0f" text-anchor="end" fill="#555">%d</text>`+"\n", plotLeft-6, p.y(top, r)+4, r)
	}
	fmt.Fprintf(w, `<text x="14" y="%d" fill="#555">dBm</text>`+"\n", top-6)
	step := time.Second
	for _, s := range []time.Duration{2, 5, 10, 30, 60, 300, 600, 3600, 7200, 6 * 3600, 24 * 3600} {
		if (p.end-p.begin)/step > 12 {
			step = s * time.Second
		}
	}
	for at := p.begin.Truncate(step) + step; at < p.end; at += step {
		fmt.Fprintf(w, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#999"/><text x="%.1f" y="%d" text-anchor="middle" fill="#555">%v</text>`+"\n",
			p.x(at), p.x(at), top+laneHigh, top+laneHigh+4, p.x(at), top+laneHigh+16, at)
	}
}

func (p *plot) floor(w io.Writer, top int, r tag.RSSI, style string) {
	if r >= p.low {
		fmt.Fprintf(w, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke-width="1.5" %s/>`+"\n", plotLeft, plotWide-plotRight, p.y(top, r), p.y(top, r), style)
	}
}

func (p *plot) dots(w io.Writer, word string, top int) {
	n := 0
	for _, e := range p.trace {
		if e.Kind == Read && e.Tag == word {
			n++
		}
	}
	every, i := n/maxDots+1, 0
	for _, e := range p.trace {
		if e.Kind != Read || e.Tag != word {
			continue
		}
		if i++; i%every != 0 && every > 1 {
			continue
		}
		y := float64(top + laneHigh - 4)
		if e.HasRSSI {
			y = p.y(top, e.RSSI)
		}
		fmt.Fprintf(w, `<circle cx="%.1f" cy="%.1f" r="1.3" fill="#444" fill-opacity="0.55"/>`+"\n", p.x(e.At), y)
	}
}

// stays draws what was decided, as a bar above the reads with an arrow at each arrival and a bar's end at each departure.
func (p *plot) stays(w io.Writer, word string, top int) {
	from := time.Duration(-1)
	for _, d := range p.decided {
		if d.Tag != word || d.Zone != p.zone.ID {
			continue
		}
		x := p.x(d.At)
		if d.Kind == Arrived {
			from = d.At
			fmt.Fprintf(w, `<path d="M%.1f %d l-5 -9 h10 z" fill="#2b6cb0"/><line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#2b6cb0"/>`+"\n", x, top, x, x, top, top+laneHigh)
			continue
		}
		if from >= 0 {
			p.bar(w, from, d.At, top, 5, "#2b6cb0")
		}
		from = -1
		fmt.Fprintf(w, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#c53030" stroke-dasharray="2 2"/>`+"\n", x, x, top, top+laneHigh)
	}
	if from >= 0 {
		p.bar(w, from, p.end, top, 5, "#2b6cb0")
	}
}

func (p *plot) offline(w io.Writer, top int) {
	since := map[string]time.Duration{}
	for _, e := range p.trace {
		from, off := since[e.Reader]
		switch {
		case e.Kind == Offline && !off:
			since[e.Reader] = e.At
		case e.Kind == Online && off:
			p.bar(w, from, e.At, top, laneHigh, "#ddd")
			delete(since, e.Reader)
		}
	}
	for _, from := range since {
		p.bar(w, from, p.end, top, laneHigh, "#ddd")
	}
}

func (p *plot) bar(w io.Writer, from, to time.Duration, top, high int, colour string) {
	fmt.Fprintf(w, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", p.x(from), top, max(1, p.x(to)-p.x(from)), high, colour)
}
