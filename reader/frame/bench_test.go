package frame

import (
	"testing"

	"foyer/firmware-profiles"
)

// bench splits and decodes one frame a round: all that a session does with it but the clock and the hash.
func bench(b *testing.B, id string) {
	p := find(b, id)
	wire := p.Examples[0].Wire[0]
	splitter, decoder := New(p), NewDecoder(p)
	var s Sighting
	tags := 0
	each := func(f Frame) {
		if decoder.Decode(f, &s).Kind == Tag {
			tags++
		}
	}
	b.SetBytes(int64(len(wire)))
	b.ReportAllocs()
	for b.Loop() {
		splitter.Feed(wire, each)
	}
	if tags != b.N {
		b.Fatalf("%d tags in %d frames", tags, b.N)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
}

func BenchmarkRDM6300(b *testing.B) { bench(b, "rdm6300") }
func BenchmarkM100(b *testing.B)    { bench(b, "m100") }
func BenchmarkR200(b *testing.B)    { bench(b, "r200") }

func BenchmarkPN532(b *testing.B)        { bench(b, "pn532") }
func BenchmarkUHFReader18(b *testing.B)  { bench(b, "uhfreader18") }
func BenchmarkUHFReader288(b *testing.B) { bench(b, "uhfreader288") }
func BenchmarkR2000(b *testing.B)        { bench(b, "r2000") }
func BenchmarkThingMagic(b *testing.B)   { bench(b, "thingmagic") }
func BenchmarkSSI(b *testing.B)          { bench(b, "ssi-scanner") }
func BenchmarkText(b *testing.B)         { bench(b, "text-scanner") }
func Benchmark7941E(b *testing.B)        { bench(b, "7941e") }

func BenchmarkWiegand34(b *testing.B) {
	p := find(b, "wiegand34")
	card, n, _ := CardBits(p.Examples[0].Bits)
	c := NewCard(p)
	var s Sighting
	b.ReportAllocs()
	for b.Loop() {
		if c.Decode(card, n, &s) != Good {
			b.Fatal("refused")
		}
	}
}

func find(t interface {
	Helper()
	Fatalf(string, ...any)
}, id string) *profiles.Profile {
	t.Helper()
	p, ok := profiles.Find(id)
	if !ok {
		t.Fatalf("no profile %s", id)
	}
	return p
}
