// Package prom writes what a program knows about itself as text that Prometheus reads.
//
// In: names, values and labels. Out: one page in the text exposition format 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/). Values have base units: seconds, bytes.
// It keeps nothing between two pages, reads no clock and holds no registry: whoever is asked for a page writes all of it
// from the state that it has anyway.
// Called by internal/daemon, hq and whoever serves their pages.
package prom

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// ContentType is the page's.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Page is one page. The zero value is an empty one.
type Page struct {
	text []byte
	name string // of the family begun last
}

// Label is a name and its value. The name is a Go-like identifier, the value any text.
type Label struct{ Name, Value string }

// Counter begins a family of numbers that only grow; its name ends in _total.
func (p *Page) Counter(name, help string) { p.begin(name, help, "counter") }

// Gauge begins a family of numbers that go up and down.
func (p *Page) Gauge(name, help string) { p.begin(name, help, "gauge") }

var helpEscape = strings.NewReplacer(`\`, `\\`, "\n", `\n`)

func (p *Page) begin(name, help, kind string) {
	p.name = name
	p.text = append(p.text, "# HELP "+name+" "+helpEscape.Replace(help)+"\n# TYPE "+name+" "+kind+"\n"...)
}

var valueEscape = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// Value adds one number to the family begun last.
func (p *Page) Value(v float64, labels ...Label) {
	p.text = append(p.text, p.name...)
	for i, l := range labels {
		p.text = append(p.text, "{,"[min(i, 1)])
		p.text = append(p.text, l.Name+`="`+valueEscape.Replace(strings.ToValidUTF8(l.Value, "\uFFFD"))+`"`...)
	}
	if len(labels) > 0 {
		p.text = append(p.text, '}')
	}
	p.text = append(p.text, ' ')
	p.text = append(appendNumber(p.text, v), '\n')
}

// appendNumber writes whole numbers without an exponent: people read the page too.
func appendNumber(b []byte, v float64) []byte {
	switch {
	case math.IsInf(v, 1):
		return append(b, "+Inf"...)
	case v == math.Trunc(v) && math.Abs(v) < 1<<53:
		return strconv.AppendInt(b, int64(v), 10)
	}
	return strconv.AppendFloat(b, v, 'g', -1, 64)
}

// Flag adds 1 or 0.
func (p *Page) Flag(yes bool, labels ...Label) {
	v := 0.0
	if yes {
		v = 1
	}
	p.Value(v, labels...)
}

// Time adds a time in seconds since 1970, and nothing for the zero time: what never was has no number.
func (p *Page) Time(t time.Time, labels ...Label) {
	if !t.IsZero() {
		p.Value(float64(t.UnixMilli())/1000, labels...)
	}
}

// Bytes is the page's text.
func (p *Page) Bytes() []byte { return p.text }
