package presence

import (
	"math"
	"time"

	"foyer/reader/tag"
)

// MaxAverage is the longest window of reads that are averaged.
const MaxAverage = 8

// The range of signal strengths told apart; stronger and weaker ones count as these.
const (
	weakest   = -128
	strongest = 20
)

// power is a received power in 1e-15 mW: whole numbers, so that a sum from which old values are taken never drifts.
type power int64

var powers = func() (t [256]power) {
	for i := range t {
		dBm := min(max(float64(int8(i)), weakest), strongest)
		t[i] = power(math.Round(math.Pow(10, dBm/10+15)))
	}
	return t
}()

func level(r tag.RSSI) int8 { return int8(min(max(r, weakest), strongest)) }

func powerOf(r tag.RSSI) power { return powers[uint8(level(r))] }

// mean is the mean power of the last few reads. Powers are averaged and not decibels: a tag that a reader hears well every
// other time is near, and a mean of decibels would let one fade outweigh that.
type mean struct {
	sum  power
	ring [MaxAverage]int8
	n    uint8
	next uint8
}

func (m *mean) add(r tag.RSSI, window uint8) {
	l := level(r)
	if m.n == window {
		m.sum -= powers[uint8(m.ring[m.next])]
	} else {
		m.n++
	}
	m.sum += powers[uint8(l)]
	m.ring[m.next] = l
	if m.next++; m.next == window {
		m.next = 0
	}
}

// hear takes a read into the mean, if it carries a strength, and begins a new mean after a silence. It tells whether the
// tag is heard at the floor or stronger; a read without a strength is.
func (m *mean) hear(r *tag.Read, z *area, silent time.Duration, floor power) bool {
	if !r.HasRSSI {
		return true
	}
	if silent > z.Window {
		*m = mean{}
	}
	m.add(r.RSSI, uint8(z.Average))
	return m.sum >= floor*power(m.n)
}

// above tells whether m is stronger than o by a ratio of powers. Without strengths nothing is.
func (m *mean) above(o *mean, ratio float64) bool {
	return m.n > 0 && o.n > 0 && float64(m.sum)*float64(o.n) >= ratio*float64(o.sum)*float64(m.n)
}
