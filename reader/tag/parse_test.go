package tag

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The numbers of one fob and of one member, in every way that people write them. Golden: the fob of a forum post with
// both printed numbers; GS1 TDS 2.3 annex E.3.
func TestParseNumber(t *testing.T) {
	for _, c := range []struct {
		text   string
		scheme Scheme
		hex    string
	}{
		{"0008075634", EM4100x32, "007B3972"},
		{" 0008075634\t", EM4100x32, "007B3972"},
		{"4294967295", EM4100x32, "FFFFFFFF"},
		{"123,14706", EM4100x24, "7B3972"},
		{"123， 14706", EM4100x24, "7B3972"},
		{"1,5", EM4100x24, "010005"},
		{"6F007B3972", EM4100, "6F007B3972"},
		{"6f 00 7b 39 72", EM4100, "6F007B3972"},
		{"01 00 07 34 50", EM4100, "0100073450"},
		{"6F007B39725F", EM4100, "6F007B3972"},
		{"62E3086CED08", EM4100, "62E3086CED"},
		{"em4100:0100073450", EM4100, "0100073450"},
		{"EM4100: 6F007B39725F", EM4100, "6F007B3972"},
		{"em4100-32:0008075634", EM4100x32, "007B3972"},
		{"em4100-32:007B3972", EM4100x32, "007B3972"},
		{"w34:007b3972", EM4100x32, "007B3972"},
		{"w26:123,14706", EM4100x24, "7B3972"},
		{"em4100-24:7B3972", EM4100x24, "7B3972"},
		{"wiegand-32:007B3972", Wiegand32, "007B3972"},
		{"wiegand:2307600643", Wiegand, "2307600643"},
		{"078CFC4F", UID, "078CFC4F"},
		{"04:A0:35:B2:BC:2B:80", UID, "04A035B2BC2B80"},
		{"04-a0-35-b2-bc-2b-80", UID, "04A035B2BC2B80"},
		{"uid：04a035b2bc2b80", UID, "04A035B2BC2B80"},
		{"0102030405060708090A", UID, "0102030405060708090A"},
		{"E20010710000529B0940B402", EPC, "E20010710000529B0940B402"},
		{"epc:E200", EPC, "E200"},
		{"2D76451FD4499602D2000000", GSRN, "952114112345678906"},
		{"epc:2d76451fd4499602d2000000", GSRN, "952114112345678906"},
		{"2D74257BF4499602D2000000", GSRN, "061414112345678902"},
		{"2D14257BF4499602D2000000", GSRN, "061414112345678902"}, // filter 0, as TDS 1.x printed it: the same member
		{"952114112345678906", GSRN, "952114112345678906"},
		{"gsrn:952114112345678906", GSRN, "952114112345678906"},
		{"(8018)952114112345678906", GSRN, "952114112345678906"},
		{"（8018）952114112345678906", GSRN, "952114112345678906"},
		{"/8018/952114112345678906", GSRN, "952114112345678906"},
		{"https://id.example.com/8018/952114112345678906?x=1", GSRN, "952114112345678906"},
		{"urn:epc:id:gsrn:9521141.1234567890", GSRN, "952114112345678906"},
		{"urn:epc:tag:gsrn-96:3.9521141.1234567890", GSRN, "952114112345678906"},
		{"urn:epc:id:gsrn:0614141.1234567890", GSRN, "061414112345678902"},
		{"urn:epc:tag:sgtin-96:3.95060001343.05.123456789", EPC, "3066C4409047E140075BCD15"},
		{"urn:epc:tag:sgtin-198:3.95060001343.05.32a%2Fb", EPC, "3666C4409047E159B2C2BF100000000000000000000000000000"},
		{"3666c4409047e159b2c2bf100000000000000000000000000000", EPC, "3666C4409047E159B2C2BF100000000000000000000000000000"},
		{"e7395211411234567890692832f8c3b786ccb6c0", GSRN, "952114112345678906"},
		{"F43952114112345678906", GSRN, "952114112345678906"}, // as GS1 prints it: the last word is not full
		{"F53952114112345678906", EPC, "F53952114112345678906000"},
		{"epc:F4395211411234567890600000000000", GSRN, "952114112345678906"},
		{"epc:E7395211411234567890692832F8C3B786CCB6C0", GSRN, "952114112345678906"},
	} {
		n, err := ParseNumber(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if n.Scheme() != c.scheme || n.Reveal() != c.hex {
			t.Errorf("%q: got %s %s, want %s %s", c.text, n.Scheme(), n.Reveal(), c.scheme, c.hex)
		}
	}
}

func TestParseNumberRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "is empty",
		"::":                         "is empty",
		"hello":                      "character 1 is neither a digit nor one of a to f",
		"123456789":                  "9 digits fit no kind of tag",
		"6052739847":                 "write em4100: before them",
		"256,1":                      "up to 255",
		"1,65536":                    "up to 65535",
		"1,2,3":                      "facility and card",
		",":                          "facility and card",
		"0C000621A56E":               "the checksum of the fob's number is 6E, want 8E", // as a datasheet prints it
		"952114112345678905":         "GSRN: the check digit is 5, want 6",              // as one library's documents print it
		"(8018)95211411234567890":    "a GSRN has 18 digits, this has 17 characters",
		"/8018/":                     "a GSRN has 18 digits",
		"gsrn:95211411234567890A":    "a GSRN has 18 digits",
		"uid:0102030405":             "uid has 8 or 14 or 20 hex digits, this has 10",
		"em4100-24:7B39":             "em4100-24 has 6 hex digits, this has 4",
		"w34:123":                    "em4100-32 has 8 hex digits, this has 3",
		"em4100:6F007B397":           "em4100 has 10 hex digits, this has 9",
		"epc:123":                    "an even count",
		"epc:123456":                 "whole 16-bit words",
		"urn:epc:id:gsrn:95211.1":    "a company prefix has 6 to 12 digits",
		"urn:epc:id:gsrn:9521141":    "want 2 parts",
		"urn:epc:id:gsrn:95211411.x": "want decimal digits",
		"urn:epc:id:sgtin:95060001343.05.123456789": "says neither filter nor size",
		"urn:epc:tag:usdod-96:3.CAGEY.5678":         "there is no such scheme here",
		strings.Repeat("0", 513):                    "tag number of 513 characters: want at most 512",
	} {
		n, err := ParseNumber(text)
		if err == nil || !strings.Contains(err.Error(), want) || !n.IsZero() {
			t.Errorf("%.60q: got %v, %v; want %s", text, n, err, want)
		}
		if err != nil && len(text) > 8 && strings.Contains(err.Error(), text) {
			t.Errorf("%.60q: the error repeats the number: %v", text, err)
		}
	}
}

// What is printed of a number is read back as that number.
func TestNumberTextRoundTrip(t *testing.T) {
	sizes := map[Scheme][]int{EM4100: {5}, EM4100x32: {4}, EM4100x24: {3}, UID: {4, 7, 10}, Wiegand32: {4}}
	rapid.Check(t, func(t *rapid.T) {
		scheme := rapid.SampledFrom([]Scheme{EM4100, EM4100x32, EM4100x24, UID, Wiegand32}).Draw(t, "scheme")
		size := rapid.SampledFrom(sizes[scheme]).Draw(t, "size")
		raw := rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "raw")
		n, err := NewNumber(scheme, raw)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseNumber(scheme.String() + ":" + n.Reveal())
		if err != nil || back != n {
			t.Fatalf("got %s %s, %v; want %s %s", back.Scheme(), back.Reveal(), err, scheme, n.Reveal())
		}
		ten, split := n.Printed()
		if short, ok := Shorter(n, EM4100x32); ok {
			if got, err := ParseNumber(ten); err != nil || got != short {
				t.Fatalf("printed %s: %v, %v", ten, got, err)
			}
		}
		if short, ok := Shorter(n, EM4100x24); ok {
			if got, err := ParseNumber(split); err != nil || got != short {
				t.Fatalf("printed %s: %v, %v", split, got, err)
			}
		}
	})
}

func FuzzParseNumber(f *testing.F) {
	for _, s := range []string{"0008075634", "123，14706", "6F:00:7B:39:72:5F", "(8018)952114112345678906", "urn:epc:tag:gsrn-96:3.9521141.1234567890", "epc:E7395211411234567890692832F8", "https://x/8018/952114112345678906#a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ParseNumber(text)
		if (err == nil) == n.IsZero() {
			t.Fatalf("%q: %v, %v", text, n, err)
		}
		for i, form := range Forms(n) {
			if form.IsZero() || i == 0 && form != n {
				t.Fatalf("%q: form %d is %v", text, i, form)
			}
		}
		n.Element()
		n.Printed()
	})
}
