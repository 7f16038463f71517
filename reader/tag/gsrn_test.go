package tag

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGSRN96Golden(t *testing.T) {
	for _, c := range []struct{ epc, digits string }{
		{"2D76451FD4499602D2000000", "952114112345678906"},
		{"2D74257BF4499602D2000000", "061414112345678902"},
		{"2D14257BF4499602D2000000", "061414112345678902"},
		{"F43952114112345678906000", "952114112345678906"},
		{"E7395211411234567890692832F8C3B786CCB6C0", "952114112345678906"},
		{"E73952114112345678906281", "952114112345678906"}, // a host name that nobody reads here: the member stands before it
	} {
		n, err := FromEPC(unhex(t, c.epc))
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := n.GSRN(); !ok || got != c.digits || n.Element() != "(8018)"+c.digits || n.DigitalLink() != "/8018/"+c.digits {
			t.Errorf("%s: got %s, %s, %s", c.epc, got, n.Element(), n.DigitalLink())
		}
	}
}

func TestFromEPCKeepsWhatIsNoMember(t *testing.T) {
	for name, epc := range map[string]string{
		"product":          "3066C4409047E140075BCD15",
		"provider":         "2E76451FD4499602D2000000",
		"unprogrammed":     "E20010710000529B0940B402",
		"partition 7":      "2D7E451FD4499602D2000000",
		"padding":          "2D76451FD4499602D2000001",
		"prefix too large": "2D73FFFFFFFFFFFFFF000000",
		"short":            "2D76451FD4499602D200",
		"plus, not BCD":    "F4395211411234567A9060000000",
		"plus, bad check":  "F4395211411234567890500000",
		"plus, short":      "F439521141123456",
	} {
		t.Run(name, func(t *testing.T) {
			raw := unhex(t, epc)
			raw = raw[:len(raw)&^1]
			n, err := FromEPC(raw)
			if err != nil || n.Scheme() != EPC || n.Reveal() != strings.ToUpper(hex.EncodeToString(raw)) {
				t.Errorf("got %s %s, %v", n.Scheme(), n.Reveal(), err)
			}
			if _, ok := n.GSRN(); ok || n.Element() != "" || n.DigitalLink() != "" {
				t.Error("has a GSRN")
			}
		})
	}
	for _, size := range []int{0, 1, 3, 63, 64} {
		if n, err := FromEPC(make([]byte, size)); err == nil || !n.IsZero() {
			t.Errorf("EPC of %d bytes is taken", size)
		}
	}
}

// encodeGSRN96 writes the EPC from the numbers with big integers: another way than the decoder's.
func encodeGSRN96(filter, partition int, prefix, reference uint64) []byte {
	prefixBits := []uint{40, 37, 34, 30, 27, 24, 20}[partition]
	v := big.NewInt(0x2D)
	put := func(width uint, x uint64) {
		v.Lsh(v, width)
		v.Or(v, new(big.Int).SetUint64(x))
	}
	put(3, uint64(filter))
	put(3, uint64(partition))
	put(prefixBits, prefix)
	put(58-prefixBits, reference)
	put(24, 0)
	return v.FillBytes(make([]byte, 12))
}

func TestGSRN96EveryPartition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		filter, partition := rapid.IntRange(0, 7).Draw(t, "filter"), rapid.IntRange(0, 6).Draw(t, "partition")
		digits := 12 - partition
		prefix := rapid.Uint64Range(0, uint64(math.Pow10(digits))-1).Draw(t, "prefix")
		reference := rapid.Uint64Range(0, uint64(math.Pow10(17-digits))-1).Draw(t, "reference")
		n, err := FromEPC(encodeGSRN96(filter, partition, prefix, reference))
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("%0*d%0*d", digits, prefix, 17-digits, reference)
		sum := 0
		for i, c := range text {
			sum += int(c-'0') * []int{3, 1}[i%2] // 17 digits: the first weighs 3 too
		}
		want := fmt.Sprintf("%s%d", text, (10-sum%10)%10)
		if got, _ := n.GSRN(); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		uri := fmt.Sprintf("urn:epc:id:gsrn:%s.%s", text[:digits], text[digits:])
		for _, form := range []string{uri, n.Element(), n.DigitalLink(), want} {
			if back, err := ParseNumber(form); err != nil || back != n {
				t.Fatalf("%s: got %v, %v", form, back, err)
			}
		}
	})
}

func TestFormsOfAFob(t *testing.T) {
	for text, want := range map[string][]string{
		"6F007B3972":               {"em4100 6F007B3972", "em4100-32 007B3972", "em4100-24 7B3972"},
		"0008075634":               {"em4100-32 007B3972", "em4100-24 7B3972"},
		"123,14706":                {"em4100-24 7B3972"},
		"078CFC4F":                 {"uid 078CFC4F"},
		"wiegand-32:007B3972":      {"wiegand-32 007B3972"},
		"2D76451FD4499602D2000000": {"gsrn 952114112345678906"},
	} {
		n, err := ParseNumber(text)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range Forms(n) {
			got = append(got, f.Scheme().String()+" "+f.Reveal())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	if Forms(Number{}) != nil {
		t.Error("no number has forms")
	}
	odd, err := NewNumber(EM4100, []byte{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	if ten, split := odd.Printed(); ten != "" || split != "" || len(Forms(odd)) != 1 {
		t.Errorf("an EM4100 number of 3 bytes prints as %q, %q and has forms %v", ten, split, Forms(odd))
	}
}

func TestDecodingDoesNotAllocate(t *testing.T) {
	gsrn, product := unhex(t, "2D76451FD4499602D2000000"), unhex(t, "3066C4409047E140075BCD15")
	fob, err := NewNumber(EM4100, []byte{0x6F, 0, 0x7B, 0x39, 0x72})
	if err != nil {
		t.Fatal(err)
	}
	got := testing.AllocsPerRun(100, func() {
		FromEPC(gsrn)
		FromEPC(product)
		Shorter(fob, EM4100x24)
	})
	if got != 0 {
		t.Errorf("%v allocations", got)
	}
}

func FuzzFromEPC(f *testing.F) {
	f.Add([]byte("\x2D\x76\x45\x1F\xD4\x49\x96\x02\xD2\x00\x00\x00"))
	f.Add([]byte("\xF4\x39\x52\x11\x41\x12\x34\x56\x78\x90\x60\x00"))
	f.Fuzz(func(t *testing.T, epc []byte) {
		n, err := FromEPC(epc)
		if (err == nil) == n.IsZero() {
			t.Fatalf("%x: %v, %v", epc, n, err)
		}
		digits, ok := n.GSRN()
		if !ok {
			return
		}
		if back, err := ParseNumber(digits); err != nil || back != n {
			t.Fatalf("%x gives %s, which is not read back: %v", epc, digits, err)
		}
	})
}
