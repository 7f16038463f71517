package epc

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// vectors: TDS 2.3 annex E.3 and what public libraries test, with the misprints put right. All forms of one EPC.
var vectors = []struct{ hex, tagURI, uri, element, path string }{
	{"3066C4409047E140075BCD15", "sgtin-96:3.95060001343.05.123456789", "sgtin:95060001343.05.123456789", "(01)09506000134352(21)123456789", "/01/09506000134352/21/123456789"},
	{"3666C4409047E159B2C2BF100000000000000000000000000000", "sgtin-198:3.95060001343.05.32a%2Fb", "sgtin:95060001343.05.32a%2Fb", "(01)09506000134352(21)32a/b", "/01/09506000134352/21/32a%2Fb"},
	{"36500001DB011169E5E5A70EC000000000000000000000000000", "sgtin-198:2.00000950.01093.Serial", "sgtin:00000950.01093.Serial", "(01)00000095010939(21)Serial", "/01/00000095010939/21/Serial"},
	{"311BA1B300CE0A6A83000000", "sscc-96:0.952012.03456789123", "sscc:952012.03456789123", "(00)095201234567891235", "/00/095201234567891235"},
	{"31003932449F003039000000", "sscc-96:0.061414123456.12345", "sscc:061414123456.12345", "(00)106141412345623458", "/00/106141412345623458"},
	{"3276451FD46072000000162E", "sgln-96:3.9521141.12345.5678", "sgln:9521141.12345.5678", "(414)9521141123454(254)5678", "/414/9521141123454/254/5678"},
	{"3976451FD46072CD9615F8800000000000000000000000000000", "sgln-195:3.9521141.12345.32a%2Fb", "sgln:9521141.12345.32a%2Fb", "(414)9521141123454(254)32a/b", "/414/9521141123454/254/32a%2Fb"},
	{"390039318D8401057AD850E2458D1E449952E64D9D3E851A4000", "sgln-195:0.061411123456..A%2F-BCDEFGHIJKLMNOPQR", "sgln:061411123456..A%2F-BCDEFGHIJKLMNOPQR", "(414)0614111234560(254)A/-BCDEFGHIJKLMNOPQR", "/414/0614111234560/254/A%2F-BCDEFGHIJKLMNOPQR"},
	{"3376451FD40C0E400000162E", "grai-96:3.9521141.12345.5678", "grai:9521141.12345.5678", "(8003)095211411234545678", "/8003/095211411234545678"},
	{"3776451FD40C0E59B2C2BF1000000000000000000000", "grai-170:3.9521141.12345.32a%2Fb", "grai:9521141.12345.32a%2Fb", "(8003)0952114112345432a/b", "/8003/0952114112345432a%2Fb"},
	{"3714257BF40C0E60C287118B266D1780000000000000", "grai-170:0.0614141.12345.ABCD1234%2F", "grai:0614141.12345.ABCD1234%2F", "(8003)00614141123452ABCD1234/", "/8003/00614141123452ABCD1234%2F"},
	{"3476451FD40000000000162E", "giai-96:3.9521141.5678", "giai:9521141.5678", "(8004)95211415678", "/8004/95211415678"},
	{"3474257BF40000000000162E", "giai-96:3.0614141.5678", "giai:0614141.5678", "(8004)06141415678", "/8004/06141415678"},
	{"3876451FD59B2C2BF10000000000000000000000000000000000", "giai-202:3.9521141.32a%2Fb", "giai:9521141.32a%2Fb", "(8004)952114132a/b", "/8004/952114132a%2Fb"},
	{"3814257BF58C1858D7C400000000000000000000000000000000", "giai-202:0.0614141.1ABc%2FD", "giai:0614141.1ABc%2FD", "(8004)06141411ABc/D", "/8004/06141411ABc%2FD"},
	{"2D76451FD4499602D2000000", "gsrn-96:3.9521141.1234567890", "gsrn:9521141.1234567890", "(8018)952114112345678906", "/8018/952114112345678906"},
	{"2D74257BF4499602D2000000", "gsrn-96:3.0614141.1234567890", "gsrn:0614141.1234567890", "(8018)061414112345678902", "/8018/061414112345678902"},
	{"2D000B7F7070D404D2000000", "gsrn-96:0.012345678901.01234", "gsrn:012345678901.01234", "(8018)012345678901012342", "/8018/012345678901012342"},
	{"2E76451FD4499602D2000000", "gsrnp-96:3.9521141.1234567890", "gsrnp:9521141.1234567890", "(8017)952114112345678906", "/8017/952114112345678906"},
	{"2C76451FD46072000000162E", "gdti-96:3.9521141.12345.5678", "gdti:9521141.12345.5678", "(253)95211411234545678", "/253/95211411234545678"},
	{"3E76451FD7039B061438997367D0C18B266D1AB66EE0", "gdti-174:3.9521141.98765.ABCDefgh012345678", "gdti:9521141.98765.ABCDefgh012345678", "(253)9521141987650ABCDefgh012345678", "/253/9521141987650ABCDefgh012345678"},
	{"3E74F4E4E7039B061438997367D0C18B266D1AB66EE0", "gdti-174:3.4012345.98765.ABCDefgh012345678", "gdti:4012345.98765.ABCDefgh012345678", "(253)4012345987652ABCDefgh012345678", "/253/4012345987652ABCDefgh012345678"},
	{"3E440932C05A42CDA346AD9BB84CED7E400000000000", "gdti-174:2.01234567890.1.3445678%26;%2Fd", "gdti:01234567890.1.3445678%26;%2Fd", "(253)01234567890123445678&;/d", "/253/01234567890123445678%26%3B%2Fd"},
	{"3C76451FD400C0E680003039", "cpi-96:3.9521141.98765.12345", "cpi:9521141.98765.12345", "(8010)952114198765(8011)12345", "/8010/952114198765/8011/12345"},
	{"3C34257BF400F12000000000", "cpi-96:1.0614141.123456.0", "cpi:0614141.123456.0", "(8010)0614141123456(8011)0", "/8010/0614141123456/8011/0"},
	{"3D76451FD75411DEF6B4CC00000003039000", "cpi-var:3.9521141.5PQ7%2FZ43.12345", "cpi:9521141.5PQ7%2FZ43.12345", "(8010)95211415PQ7/Z43(8011)12345", "/8010/95211415PQ7%2FZ43/8011/12345"},
	{"3D14257BF71CADD35D8000075BCD1500", "cpi-var:0.0614141.12-456.123456789", "cpi:0614141.12-456.123456789", "(8010)061414112-456(8011)123456789", "/8010/061414112-456/8011/123456789"},
	{"3F76451FD612640000019907", "sgcn-96:3.9521141.67890.04711", "sgcn:9521141.67890.04711", "(255)952114167890904711", "/255/952114167890904711"},
	{"3F74F4E4E612640000019907", "sgcn-96:3.4012345.67890.04711", "sgcn:4012345.67890.04711", "(255)401234567890104711", "/255/401234567890104711"},
	{"3FE175ADC32764000000000B", "sgcn-96:7.401234512345..1", "sgcn:401234512345..1", "(255)40123451234561", "/255/40123451234561"},
	{"3500E86F8000A9E000000586", "gid-96:952056.2718.1414", "gid:952056.2718.1414", "", ""},
	{"35FFFFFFFFFFFFFFFFFFFFFF", "gid-96:268435455.16777215.68719476735", "gid:268435455.16777215.68719476735", "", ""},
	{"F43952114112345678906000", "", "", "(8018)952114112345678906", "/8018/952114112345678906"},
	{"F53952114112345678906000", "", "", "(8017)952114112345678906", "/8017/952114112345678906"},
	{"E7395211411234567890692832F8C3B786CCB6C0", "", "", "(8018)952114112345678906", "/8018/952114112345678906"},
	{"E8395211411234567890692832F8C3B786CCB6C0", "", "", "(8017)952114112345678906", "/8017/952114112345678906"},
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.hex, func(t *testing.T) {
			e, err := Decode(unhex(t, v.hex))
			if err != nil {
				t.Fatal(err)
			}
			got := []string{e.TagURI(), e.URI(), e.Element(), e.Path()}
			want := []string{"", "", v.element, v.path}
			if v.uri != "" {
				want[0], want[1] = "urn:epc:tag:"+v.tagURI, "urn:epc:id:"+v.uri
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			raw, err := e.Encode()
			if got := strings.ToUpper(hex.EncodeToString(raw)); err != nil || got != v.hex {
				t.Errorf("encoded: %s, %v", got, err)
			}
			textsGiveBack(t, e)
		})
	}
}

// textsGiveBack: every text of an EPC is read as that EPC, but for the filter where the text has none.
func textsGiveBack(t interface {
	Fatalf(string, ...any)
	Helper()
}, e EPC) {
	t.Helper()
	if uri := e.TagURI(); uri != "" {
		if got, err := Parse(uri, 0); err != nil || got != e {
			t.Fatalf("%s is read as %+v, %v; want %+v", uri, got, err, e)
		}
	}
	e.Filter = 0
	for _, text := range []string{e.URI(), e.Element(), e.Path(), e.DigitalLink()} {
		if text == "" {
			continue
		}
		got, err := Parse(text, len(e.Prefix))
		if err != nil {
			t.Fatalf("%s of %+v: %v", text, e, err)
		}
		// The shortest scheme is taken, and a path has no host.
		if got.URI() != e.URI() || got.Element() != e.Element() || got.Scheme > e.Scheme {
			t.Fatalf("%s is read as %+v, want %+v", text, got, e)
		}
	}
}

func TestErrata(t *testing.T) {
	for _, c := range []struct{ name, hex, want string }{
		{"TDS 1.x: filter 0 in the bits, 3 in the text", "2D14257BF4499602D2000000", "urn:epc:tag:gsrn-96:0.0614141.1234567890"},
		{"TDS 2.3 table 506: the serial in the URI", "3066C4409047E140075BCD15", "urn:epc:tag:sgtin-96:3.95060001343.05.123456789"},
		{"TDS 1.x: an SGCN-96 without its filter", "3F74F4E4E612640000019907", "urn:epc:tag:sgcn-96:3.4012345.67890.04711"},
	} {
		if e, err := Decode(unhex(t, c.hex)); err != nil || e.TagURI() != c.want {
			t.Errorf("%s: %s, %v", c.name, e.TagURI(), err)
		}
	}
	host, err := Decode(unhex(t, "E7395211411234567890692832F8C3B786CCB6C0"))
	if err != nil || host.Host != "id.example.com" || host.DigitalLink() != "https://id.example.com/8018/952114112345678906" {
		t.Errorf("TDS 2.3: the host is id.example.com: %+v, %v", host, err)
	}
	for name, raw := range map[string]string{
		"SSCC++ printed with the header of SSCC+": "F9009520123456789123592832F8C3B786CCB6C0",
		"ITIP++ printed with the header of ITIP+": "F3309521141123454010266AE27FDF3592832F8C3B786CCB6C00",
	} {
		if e, err := Decode(unhex(t, raw)); !errors.Is(err, ErrRaw) {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
	if _, err := Parse("(8018)952114112345678905", 7); err == nil || !strings.Contains(err.Error(), "the check digit is 5, want 6") {
		t.Errorf("the check digit 5: %v", err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, c := range []struct{ hex, want string }{
		{"", "EPC of 0 bytes"},
		{"E20010710000529B0940B402", "EPC header E2: no EPC that is known here"},
		{"000000000000000000000000", "EPC header 00: no EPC"},
		{"3076451FD4499602D2", "sgtin-96: wrong length: 9 bytes, want 12"},
		{"3066C4409047E140075BCD150000", "sgtin-96: wrong length: 14 bytes, want 12"},
		{"307E451FD4499602D2000000", "sgtin-96: there is no partition 7"},
		{"2D73FFFFFFFFFFFFFF000000", "gsrn-96: the company prefix has more digits"},
		{"2D5BFFFFC00000000000000F", "gsrn-96: the company prefix"},
		{"2D76451FD7FFFFFFFF000000", "gsrn-96: reference: the reference has more digits"},
		{"2D76451FD4499602D2000001", "gsrn-96: bits that must be zero are not"},
		{"3F76451FD612640000000000", "sgcn-96: serial: the serial is none"},
		{"3F76451FD612640000000001", "sgcn-96: serial: the serial is none"},
		{"3F76451FD612640000000015", "sgcn-96: serial: the serial is none"},
		{"3666C4409047E10000000000000000000000000000000000000", "wrong length"},
		{"3666C4409047E1000000000000000000000000000000000000FF", "sgtin-198: serial: the serial is none"},
		{"3666C4409047E159B2C2BF100000000000000000000100000000", "sgtin-198: serial: bits that must be zero are not"},
		{"3666C4409047E15032C2BF100000000000000000000000000000", "sgtin-198: serial: a character is none that GS1 allows"},
		{"3666C4409047E100000000000000000000000000000000000000", "sgtin-198: serial: the serial is none"},
		{"3666C4409047E159B2C2BF10000000000000000000000000000F", "sgtin-198: bits that must be zero are not"},
		{"3876451FD480000000000000000000000000000000000000000F", "giai-202: reference: "},
		{"3D76451FD75411DEF6B4CC0000000303900000", "cpi-var: wrong length: 19 bytes, want 18"},
		{"3D76451FD75411DEF6B4CC00000003039001", "cpi-var: bits that must be zero are not"},
		{"3D76451FD400", "cpi-var: reference: the part reference is none"},
		{"3D76451FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", "cpi-var: "},
		{"F439521141123456789", "gsrn+: wrong length"},
		{"F4395211411234567A906000", "gsrn+: a digit is above 9"},
		{"F43952114112345678905000", "gsrn+: the check digit is wrong"},
		{"F43952114112345678906001", "gsrn+: bits that must be zero are not"},
		{"E7395211411234567890612832F8C3B786CCB6C0", "gsrn++: the host name is written in a way"},
		{"E73952114112345678906FE8", "gsrn++: the host name is written in a way"},
		{"E73952114112345678906000", "gsrn++: the host name is written in a way"},
	} {
		raw, _ := hex.DecodeString(c.hex[:len(c.hex)&^1])
		e, err := Decode(raw)
		if err == nil || !strings.Contains(err.Error(), c.want) || e != (EPC{}) {
			t.Errorf("%s: %+v, %v; want %s", c.hex, e, err, c.want)
		}
	}
}

func TestDataThatFollowsIsPassedOver(t *testing.T) {
	e, err := Decode(unhex(t, "F4B9521141123456789061234567"))
	if err != nil || !e.More || e.Filter != 3 || e.Element() != "(8018)952114112345678906" {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := e.Encode(); err == nil {
		t.Error("an EPC whose data was not kept is written again")
	}
}

func TestEncodeRefuses(t *testing.T) {
	for _, c := range []struct {
		e    EPC
		want string
	}{
		{EPC{}, "there is no such scheme"},
		{EPC{Scheme: 99}, "there is no such scheme"},
		{EPC{Scheme: SGTIN96, Filter: 8, Prefix: "9521141", Reference: "012345", Serial: "1"}, "filter 8"},
		{EPC{Scheme: SGTIN96, Prefix: "95211", Reference: "01234567", Serial: "1"}, "6 to 12 digits"},
		{EPC{Scheme: SGTIN96, Prefix: "952114a", Reference: "012345", Serial: "1"}, "6 to 12 digits"},
		{EPC{Scheme: SGTIN96, Prefix: "9521141", Reference: "01234", Serial: "1"}, "reference: 5 digits: want 6"},
		{EPC{Scheme: SGTIN96, Prefix: "9521141", Reference: "012345", Serial: "01"}, "serial: a number with leading zeros"},
		{EPC{Scheme: SGTIN96, Prefix: "9521141", Reference: "012345", Serial: "274877906944"}, "serial: want at most 274877906943"},
		{EPC{Scheme: SGTIN96, Prefix: "9521141", Reference: "012345", Serial: "x"}, "serial: want decimal digits"},
		{EPC{Scheme: SGTIN96, Prefix: "9521141", Reference: "012345"}, "serial: 0 digits"},
		{EPC{Scheme: SGTIN198, Prefix: "9521141", Reference: "012345", Serial: strings.Repeat("1", 21)}, "serial: 21 characters: want 1 to 20"},
		{EPC{Scheme: SGTIN198, Prefix: "9521141", Reference: "012345", Serial: "a b"}, "a character is none"},
		{EPC{Scheme: GIAI202, Prefix: "952114112345", Reference: strings.Repeat("1", 19)}, "reference: 19 characters: want 1 to 18"},
		{EPC{Scheme: SSCC96, Prefix: "9521141", Reference: "0123456789", Serial: "1"}, "serial: want none"},
		{EPC{Scheme: GID96, Filter: 1, Prefix: "1", Reference: "1", Serial: "1"}, "filter 1"},
		{EPC{Scheme: GID96, Prefix: "268435456", Reference: "1", Serial: "1"}, "manager: want at most 268435455"},
		{EPC{Scheme: GSRNPlus, Reference: "952114112345678905"}, "check digit is 5, want 6"},
		{EPC{Scheme: GSRNPlus, Prefix: "9521141", Reference: "952114112345678906"}, "nothing beside"},
		{EPC{Scheme: GSRNPlus, Reference: "952114112345678906", Host: "a.com"}, "host name: this scheme has none"},
		{EPC{Scheme: GSRNHost, Reference: "952114112345678906"}, "host name of 1 to 63"},
		{EPC{Scheme: GSRNHost, Reference: "952114112345678906", Host: "会员.com"}, "a host name has letters"},
		{EPC{Scheme: GSRNHost, Reference: "952114112345678906", Host: strings.Repeat("a", 64)}, "host name of 1 to 63"},
	} {
		if raw, err := c.e.Encode(); err == nil || !strings.Contains(err.Error(), c.want) || raw != nil {
			t.Errorf("%+v: %x, %v; want %s", c.e, raw, err, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct {
		text   string
		prefix int
		want   string
	}{
		{"", 7, "want /01/"},
		{"urn:epc:tag:", 7, "want urn:epc:tag:SCHEME"},
		{"urn:epc:tag:usdod-96:3.CAGEY.5678", 7, "no such scheme"},
		{"urn:epc:tag:sgtin-96:8.9521141.012345.1", 7, "filter of 0 to 7"},
		{"urn:epc:tag:sgtin-96:3", 7, "filter of 0 to 7"},
		{"urn:epc:tag:sgtin-96:3.9521141.012345", 7, "want 3 parts"},
		{"urn:epc:tag:sgtin-198:3.9521141.012345.a%2", 7, "a % without two hex digits"},
		{"urn:epc:tag:sgtin-198:3.9521141.012345.a%2G", 7, "a % without two hex digits"},
		{"urn:epc:tag:gid-96:1.2", 7, "want 3 parts"},
		{"urn:epc:id:", 7, "want urn:epc:id:SCHEME"},
		{"urn:epc:id:pgln:0123456789.01", 7, "no such scheme"},
		{"urn:epc:id:sgln:9521141.12345.", 7, "serial: 0 characters"},
		{"(01", 7, "a bracket is not closed"},
		{"(10)ABC", 7, "no EPC begins with"},
		{"(01)0950600013435", 7, "want 14 digits"},
		{"(01)09506000134352", 11, "serial: 0 "},
		{"(01)09506000134352(10)5", 11, "then (21)"},
		{"(01)09506000134353(21)5", 11, "check digit is 3, want 2"},
		{"(01)09506000134352(21)5", 13, "company prefix of 13 digits"},
		{"(01)09506000134352(21)5", 5, "company prefix of 5 digits"},
		{"(01)09506000134352(21)5", 0, "say how many digits"},
		{"(8003)19521141123451", 7, "want a 0 first"},
		{"(8010)95211419876512345", 7, "want 0 digits"},
		{"(00)0952012345678912351", 7, "serial: want none"},
		{"https://id.gs1.org", 7, "there is no path"},
		{"/01/09506000134352/10/5", 11, "make no EPC"},
		{"/01/095060001343521/21/5", 11, "want 14 digits"},
		{"/8018/952114112345678906/21/5", 7, "make no EPC"},
		{"/01/09506000134352/21/%zz", 11, "a % without"},
		{"/01/%/21/5", 11, "a % without"},
	} {
		if e, err := Parse(c.text, c.prefix); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v; want %s", c.text, e, err, c.want)
		}
	}
}

func TestMoreTexts(t *testing.T) {
	for text, want := range map[string]string{
		"https://id.gs1.org/01/09506000134352/21/123456789?17=220630#a": "urn:epc:tag:sgtin-96:0.95060001343.05.123456789",
		"https://shop.example.cn/414/9521141123454":                     "urn:epc:tag:sgln-96:0.95211411234.5.0",
		"(01)09506000134352(21)(21)":                                    "urn:epc:tag:sgtin-198:0.95060001343.05.(21)",
		"(01)09506000134352(21)007":                                     "urn:epc:tag:sgtin-198:0.95060001343.05.007",
		"urn:epc:id:sgtin:95060001343.05.a.b.%2f":                       "urn:epc:tag:sgtin-198:0.95060001343.05.a.b.%2F",
	} {
		e, err := Parse(text, 11)
		if err != nil || e.TagURI() != want {
			t.Errorf("%s: %s, %v; want %s", text, e.TagURI(), err, want)
		}
	}
	e, err := Parse("https://id.example.com/8018/952114112345678906", 0)
	if err != nil || e.Scheme != GSRNHost || e.Host != "id.example.com" {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestEveryHeaderIsOneScheme(t *testing.T) {
	seen := map[byte]Scheme{}
	for _, s := range Schemes() {
		if was, twice := seen[layouts[s].header]; twice {
			t.Errorf("%s and %s share a header", was, s)
		}
		seen[layouts[s].header] = s
	}
	if len(seen) != int(GSRNPHost) {
		t.Errorf("%d headers", len(seen))
	}
}

// drawn makes an EPC that its scheme can hold.
func drawn(t *rapid.T) EPC {
	s := rapid.SampledFrom(Schemes()).Draw(t, "scheme")
	l := &layouts[s]
	e := EPC{Scheme: s, Filter: uint8(rapid.IntRange(0, 7).Draw(t, "filter"))}
	switch l.shape {
	case general:
		e.Filter = 0
		e.Prefix = drawnField(t, "manager", field{kind: integer}, gidManager, maxDigits)
		e.Reference = drawnField(t, "class", field{kind: integer}, gidClass, maxDigits)
		e.Serial = drawnField(t, "serial", field{kind: integer}, gidSerial, maxDigits)
	case plain:
		key := drawnDigits(t, "key", keyDigits-1)
		e.Reference = key + string(CheckDigit(key))
		if l.host {
			e.Host = rapid.StringMatching(`(www\.|id\.|qr\.)?[a-z0-9-]{1,20}\.(com|org|cn|example|com\.cn)(:[0-9]{2,4})?`).Draw(t, "host")
		}
	default:
		p := rapid.SampledFrom(partitions[:]).Draw(t, "partition")
		e.Prefix = drawnDigits(t, "prefix", p.digits)
		e.Reference = drawnField(t, "reference", l.reference, l.reference.bits-p.bits, l.reference.digits-p.digits)
		e.Serial = drawnField(t, "serial", l.serial, l.serial.bits, l.serial.digits)
	}
	return e
}

func drawnDigits(t *rapid.T, name string, n int) string {
	if n == 0 {
		return ""
	}
	return rapid.StringMatching(fmt.Sprintf("[0-9]{%d}", n)).Draw(t, name)
}

func drawnField(t *rapid.T, name string, f field, n, most int) string {
	switch f.kind {
	case digits:
		return drawnDigits(t, name, most)
	case numeric:
		return drawnDigits(t, name, rapid.IntRange(1, most).Draw(t, name+" digits"))
	case integer:
		return fmt.Sprint(rapid.Uint64Range(0, min(uint64(1)<<n, pow10[most])-1).Draw(t, name))
	case six:
		return rapid.StringOfN(rapid.SampledFrom([]rune(charsetSix)), 1, most, -1).Draw(t, name)
	case text:
		runes := rapid.SampledFrom([]rune(charset82))
		return rapid.StringOfN(runes, 1, min(most, n/charBits), -1).Draw(t, name)
	}
	return ""
}

// What is written is read back, by every way of writing.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawn(t)
		raw, err := e.Encode()
		if err != nil {
			t.Fatalf("%+v: %v", e, err)
		}
		if back, err := Decode(raw); err != nil || back != e {
			t.Fatalf("%x: %+v, %v; want %+v", raw, back, err, e)
		}
		textsGiveBack(t, e)
		if digit, ok := e.CheckDigit(); ok {
			key := e.key()
			if VerifyKey(key, len(key)) != nil || digit != key[len(key)-1] {
				t.Fatalf("check digit %c of %s", digit, key)
			}
		}
	})
}

// One wrong digit is noticed: that is what a check digit is for.
func TestCheckDigitSeesAWrongDigit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := []byte(drawnDigits(t, "key", rapid.IntRange(1, 17).Draw(t, "digits")))
		key = append(key, CheckDigit(string(key)))
		at := rapid.IntRange(0, len(key)-1).Draw(t, "at")
		key[at] = '0' + (key[at]-'0'+byte(rapid.IntRange(1, 9).Draw(t, "by")))%10
		if VerifyKey(string(key), len(key)) == nil {
			t.Fatalf("%s passes", key)
		}
	})
}

func TestGSRNDoesNotAllocate(t *testing.T) {
	member, plus, product, bad := unhex(t, "2D76451FD4499602D2000000"), unhex(t, "F43952114112345678906000"), unhex(t, "3066C4409047E140075BCD15"), unhex(t, "2D7E451FD4499602D2000000")
	if n := testing.AllocsPerRun(100, func() { GSRN(member); GSRN(plus); GSRN(product); GSRN(bad) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkGSRN(b *testing.B) {
	raw := unhex(b, "2D76451FD4499602D2000000")
	b.ReportAllocs()
	for b.Loop() {
		GSRN(raw)
	}
}

// sound: what Decode gives is written as the same bytes, and all its texts are read.
func sound(t *testing.T, raw []byte) {
	e, err := Decode(raw)
	digits, isMember := GSRN(raw)
	if err != nil {
		if e != (EPC{}) {
			t.Fatalf("%x: %+v beside %v", raw, e, err)
		}
		if isMember && raw[0] != layouts[GSRNHost].header && !errors.Is(err, errPadding) {
			t.Fatalf("%x: a member's number in an EPC that is refused: %v", raw, err)
		}
		return
	}
	if isMember != (e.Scheme == GSRN96 || e.Scheme == GSRNPlus || e.Scheme == GSRNHost) || isMember && string(digits[:]) != e.key() {
		t.Fatalf("%x: %+v, GSRN %s, %v", raw, e, digits, isMember)
	}
	if e.More {
		return
	}
	again, err := e.Encode()
	if err != nil {
		t.Fatalf("%x: %+v is not written: %v", raw, e, err)
	}
	if back, err := Decode(again); err != nil || back != e {
		t.Fatalf("%x: %+v, then %+v, %v", raw, e, back, err)
	}
	textsGiveBack(t, e)
}

func FuzzDecode(f *testing.F) {
	for _, v := range vectors {
		f.Add(unhex(f, v.hex))
	}
	f.Add(unhex(f, "E20010710000529B0940B402"))
	f.Fuzz(sound)
}

func FuzzParse(f *testing.F) {
	for _, v := range vectors {
		f.Add("urn:epc:tag:"+v.tagURI, 7)
		f.Add("urn:epc:id:"+v.uri, 6)
		f.Add(v.element, 12)
		f.Add("https://id.gs1.org"+v.path, 0)
	}
	f.Fuzz(func(t *testing.T, text string, prefix int) {
		e, err := Parse(text, prefix)
		if err != nil {
			return
		}
		raw, err := e.Encode()
		if err != nil {
			t.Fatalf("%q is read as %+v, which is not written: %v", text, e, err)
		}
		if back, err := Decode(raw); err != nil || back != e {
			t.Fatalf("%q is read as %+v, written and read as %+v, %v", text, e, back, err)
		}
	})
}
