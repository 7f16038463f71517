package frame

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"foyer/firmware-profiles"
)

// secondCheck is what proves a tag beside the check of its frame, by profile. Chance must not make a member where there is
// one; where there is none, make bench tells how often it makes a number that nobody has.
var secondCheck = map[string]string{
	"m100": "the tag's CRC and PC", "r200": "the tag's CRC and PC", "thingmagic": "the tag's CRC and PC",
	"pn532": "the length's own check, and an answer of exactly one shape",
	"r2000": "", // the PC's length alone: the reader keeps the tag's CRC to itself
	// A number and its check are all that there is.
	"rdm6300": "", "7941e": "", "uhfreader18": "", "uhfreader288": "", "ssi-scanner": "", "text-scanner": "",
}

// noise feeds n random bytes in parallel, and counts the frames and the tags that come out.
func noise(p *profiles.Profile, seed byte, n int) (frames, tags uint64) {
	var all sync.WaitGroup
	var f, g atomic.Uint64
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		all.Go(func() {
			buffer := make([]byte, 1<<16)
			random := rand.NewChaCha8([32]byte{seed, byte(w)})
			splitter, decoder := New(p), NewDecoder(p)
			var s Sighting
			each := func(frame Frame) {
				if decoder.Decode(frame, &s).Kind == Tag {
					g.Add(1)
				}
			}
			for left := n / workers; left > 0; left -= len(buffer) {
				b := buffer[:min(left, len(buffer))]
				random.Read(b)
				splitter.Feed(b, each)
			}
			splitter.Flush(each)
			f.Add(splitter.Counters().Frames)
		})
	}
	all.Wait()
	return f.Load(), g.Load()
}

// A profile that is new here must say whether something beside its frame's check proves a tag.
func TestNoTagInNoise(t *testing.T) {
	for _, p := range profiles.Builtin() {
		if p.Kind != profiles.Serial {
			continue
		}
		second, known := secondCheck[p.ID]
		if !known {
			t.Errorf("%s: is there a second check? say so", p.ID)
		}
		const n = 4 << 20
		if _, tags := noise(p, 7, n); second != "" && tags > 0 {
			t.Errorf("%s: %d tags in %d random bytes in spite of %s", p.ID, tags, n, second)
		}
	}
}

// BenchmarkNoise feeds a hundred million random bytes to every serial protocol.
func BenchmarkNoise(b *testing.B) {
	const n = 100_000_000
	for _, p := range profiles.Builtin() {
		if p.Kind != profiles.Serial {
			continue
		}
		b.Run(p.ID, func(b *testing.B) {
			b.SetBytes(n)
			var frames, tags uint64
			for b.Loop() {
				frames, tags = noise(p, 8, n)
			}
			if second := secondCheck[p.ID]; second != "" && tags > 0 {
				b.Errorf("%d tags in spite of %s", tags, second)
			}
			b.ReportMetric(float64(frames), "frames")
			b.ReportMetric(float64(tags), "tags")
		})
	}
}

// BenchmarkNoiseCards gives random bits of the right number to every Wiegand format: what the parity lets through.
func BenchmarkNoiseCards(b *testing.B) {
	const n = 10_000_000
	for _, p := range profiles.Builtin() {
		if p.Kind != profiles.WiegandGPIO || p.Wiegand.Number.Bits == 0 {
			continue
		}
		b.Run(p.ID, func(b *testing.B) {
			c, random := NewCard(p), rand.New(rand.NewPCG(8, 8))
			var s Sighting
			taken := 0
			for b.Loop() {
				taken = 0
				for range n {
					if c.Decode(random.Uint64()>>(64-p.Wiegand.Bits), p.Wiegand.Bits, &s) == Good {
						taken++
					}
				}
			}
			b.ReportMetric(float64(taken)/n, fmt.Sprintf("of-1-by-%d-parity-bits", len(p.Wiegand.Parity)))
		})
	}
}
