package llrp

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// told is what a report says, in short.
func told(body []byte) string {
	var lines []string
	var tag Tag
	for r := Report(body); r.More(); {
		found, err := r.Next(&tag)
		switch {
		case err != nil:
			lines = append(lines, err.Error())
		case found:
			var line strings.Builder
			line.WriteString(fmt.Sprintf("%x/%d", tag.EPC, tag.EPCBits))
			for _, f := range []struct {
				has  Has
				text string
			}{
				{HasAntenna, fmt.Sprintf("antenna %d", tag.Antenna)}, {HasRSSI, fmt.Sprintf("%d dBm", tag.RSSI)},
				{HasFirstSeen, fmt.Sprintf("first %d", tag.FirstSeen)}, {HasLastSeen, fmt.Sprintf("last %d", tag.LastSeen)},
				{HasSeenCount, fmt.Sprintf("seen %d", tag.SeenCount)},
			} {
				if tag.Has&f.has != 0 {
					line.WriteString(" " + f.text)
				}
			}
			lines = append(lines, line.String())
		}
	}
	return strings.Join(lines, "; ")
}

// Bodies of reports. The first two were recorded from a reader that gives no last time, the third from one with a long EPC.
func TestReports(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"no last time", "00f0001f8d3000abcdef0000000000000581000186d1820005a9e4bef876b4",
			"3000abcdef00000000000005/96 antenna 1 -47 dBm first 1594174805145268"},
		{"another", "00f0001f8d301430a55c0ac3000000000981000186ca820005a9e4bef88110",
			"301430a55c0ac30000000009/96 antenna 1 -54 dBm first 1594174805147920"},
		{"144 bits", "00f0002d00f1001800901fb41f712ac9c37ab79d618173188324001a81000186ef820004ec2ea8381f57880001",
			"1fb41f712ac9c37ab79d618173188324001a/144 antenna 1 -17 dBm first 1385585041743703 seen 1"},
		{"nothing", "", ""},
		{"half an EPC", "00f00010 8d 3000abcdef000000000000", "a parameter longer than what holds it"},
		{"only the EPC", "00f00011 8d 3000abcdef00000000000005", "3000abcdef00000000000005/96"},
		{"two tags", "00f00011 8d 3000abcdef00000000000005 00f00014 8d 3000abcdef00000000000006 81 0002",
			"3000abcdef00000000000005/96; 3000abcdef00000000000006/96 antenna 2"},
		{"a vendor's parameter between", "03ff000c 00006394 00000001 00f00011 8d 3000abcdef00000000000005", "3000abcdef00000000000005/96"},
		{"a vendor's parameter inside", "00f0001d 8d 3000abcdef00000000000005 03ff000c 00006394 00000001", "3000abcdef00000000000005/96"},
		{"every other TV", "00f0003f 8d 3000abcdef00000000000005 83 0000000000000001 85 0000000000000001 87 0003 89 00000001 8a 0001 8b ffff 8c 3000 8e 0001 90 00000000 93 0000",
			"3000abcdef00000000000005/96"},
		{"no EPC, then a good one", "00f00007 81 0001 00f00011 8d 3000abcdef00000000000006", "a tag without an EPC; 3000abcdef00000000000006/96"},
		{"a TV that nobody knows, then a good one", "00f00013 8d 3000abcdef00000000000005 ff 00 00f00011 8d 3000abcdef00000000000006",
			"a parameter of an unknown kind and length; 3000abcdef00000000000006/96"},
		{"fewer bytes than bits", "00f0000c 00f10008 0060 3000", "an EPC with fewer bytes than bits"},
		{"an EPC of 9 bits", "00f0000c 00f10008 0009 3080", "3080/9"},
		{"EPCData without a count", "00f00009 00f10005 00", "an EPC with fewer bytes than bits"},
		{"a TV kind as TLV", "00f00008 00060004", "a parameter of an unknown kind and length"},
		{"a tag longer than the report", "00f00020 8d 3000abcdef00000000000005", "a parameter longer than what holds it"},
		{"a parameter of no length", "00f00000 8d 3000", "a parameter longer than what holds it"},
		{"one byte", "00", "a parameter longer than what holds it"},
		{"a TV cut short", "81 00", "a parameter longer than what holds it"},
	} {
		if got := told(unhex(t, c.body)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// feed runs a stream through a Splitter in pieces and lists the messages.
func feed(pieces ...[]byte) (got []string, err error) {
	var s Splitter
	for _, p := range pieces {
		p = bytes.Clone(p)
		if err = s.Feed(p, func(m Message) { got = append(got, fmt.Sprintf("%v/%d %d %x", m.Type, m.Version, m.ID, m.Body)) }); err != nil {
			break
		}
		clear(p) // a message must not lie in what the next read overwrites
	}
	return got, err
}

func TestSplitter(t *testing.T) {
	empty := "043d 0000000a 00000000"
	alive := "083e 0000000a 00000007"
	event := "043f 0000000c 00000001 abcd"
	for _, c := range []struct {
		name   string
		pieces []string
		want   string
		err    error
	}{
		{"an empty report", []string{empty}, "RO_ACCESS_REPORT/1 0 ", nil},
		{"three in one piece", []string{empty + alive + event}, "RO_ACCESS_REPORT/1 0 ; KEEPALIVE/2 7 ; READER_EVENT_NOTIFICATION/1 1 abcd", nil},
		{"cut inside the header", []string{empty + "04", "3f 0000", "000c 00000001 ab", "cd" + alive}, "RO_ACCESS_REPORT/1 0 ; READER_EVENT_NOTIFICATION/1 1 abcd; KEEPALIVE/2 7 ", nil},
		{"a message that we do not know", []string{"07ff 0000000b 00000001 00"}, "MESSAGE_1023/1 1 00", nil},
		{"reserved bits", []string{empty + "843d 0000000a 00000000"}, "RO_ACCESS_REPORT/1 0 ", ErrHeader},
		{"version 0", []string{"003d 0000000a 00000000"}, "", ErrHeader},
		{"version 7", []string{"1c3d 0000", "000a 00000000"}, "", ErrHeader},
		{"shorter than its header", []string{"043d 00000009 00000000"}, "", ErrLength},
		{"two gigabytes", []string{"043d", "80000000 00000000"}, "", ErrLength},
		{"text", []string{"HTTP/1.1 400 Bad Request"}, "", ErrHeader},
	} {
		var pieces [][]byte
		for _, p := range c.pieces {
			if c.name == "text" {
				p = hex.EncodeToString([]byte(p))
			}
			pieces = append(pieces, unhex(t, p))
		}
		got, err := feed(pieces...)
		if strings.Join(got, "; ") != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: got %q, %v", c.name, strings.Join(got, "; "), err)
		}
	}
}

// However a stream is cut, the same messages come.
func TestSplitterIsBlindToPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stream []byte
		for range rapid.IntRange(0, 5).Draw(t, "messages") {
			w := message(Type(rapid.Uint16Range(0, 1023).Draw(t, "type")), rapid.Uint32().Draw(t, "id"))
			w.b = append(w.b, rapid.SliceOfN(rapid.Byte(), 0, 50).Draw(t, "body")...)
			stream = append(stream, w.done()...)
		}
		stream = append(stream, rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "tail")...)
		want, wantErr := feed(stream)
		var pieces [][]byte
		for rest := stream; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "cut")
			pieces, rest = append(pieces, rest[:n]), rest[n:]
		}
		got, err := feed(pieces...)
		if fmt.Sprint(got) != fmt.Sprint(want) || !errors.Is(err, wantErr) {
			t.Fatalf("in pieces %q, %v; at once %q, %v", got, err, want, wantErr)
		}
	})
}

func TestStatusAndEvents(t *testing.T) {
	status, err := ParseStatus(unhex(t, "011f 000e 0065 0006 6e6f20726f 21"))
	if err != nil || status != (Status{101, "no ro!"}) || status.Error() != `status 101, "no ro!"` {
		t.Errorf("%+v, %v", status, err)
	}
	for _, body := range []string{"", "011f 0004", "011f 0006 0065", "0120 0008 0065 0000"} {
		if status, err := ParseStatus(unhex(t, body)); err == nil {
			t.Errorf("%s: %+v", body, status)
		}
	}
	var got []Event
	const now = "0080 000c 0005a9e4bef876b4"
	body := "00f6 0046" + now + "0100 0006 0002" + "00ff 0007 00 0003" + "00fc 0008 0002 6f77" + "00fb 0004" + "00fa 0005 50" + "00f9 000d 01 00000001 00000000" + "00f8 0007 0001 80" + "0101 0004"
	if err := EachEvent(unhex(t, body), func(e Event) { got = append(got, e) }); err != nil {
		t.Fatal(err)
	}
	want := []Event{{Kind: Connected, Code: 2}, {Kind: AntennaEvent, Antenna: 3}, {Kind: Exception, Text: "ow"}, {Kind: BufferLost},
		{Kind: BufferWarning, Code: 80}, {Kind: ROSpecEvent, Code: 1}, {Kind: OtherEvent}, {Kind: Closing}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// What we send, field by field (LLRP 1.0.1, sections 16 and 17).
func TestCommands(t *testing.T) {
	plan := Plan{Antennas: []uint16{1, 3}, Session: 1}.withDefaults()
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"add", plan.addROSpec(9), `0414 00000063 00000009
			00b1 0059 00000001 00 00
				00b2 0012  00b3 0005 00  00b6 0009 00 00000000
				00b7 0030 0002 0001 0003  00b8 0009 00 00000000
					00ba 001d 0001 01  00de 0016 0000  014a 0010 00  0150 000b 40 0020 00000000
				00ed 000d 01 0001  00ee 0006 1780`},
		{"keep-alive", plan.keepAliveConfig(1), "0403 00000019 00000001 00 00dc 0009 01 00002710 00e2 0005 00"},
		{"events", eventConfig(2), "0403 0000002b 00000002 00 00f4 0020 00f5 0007 0002 80 00f5 0007 0003 80 00f5 0007 0004 80 00f5 0007 0008 80"},
		{"start", startROSpec(3), "0416 0000000e 00000003 00000001"},
		{"acknowledge", plain(KeepAliveAck, 7), "0448 0000000a 00000007"},
	} {
		if want := unhex(t, c.want); !bytes.Equal(c.got, want) {
			t.Errorf("%s:\n got %x\nwant %x", c.name, c.got, want)
		}
		if m, err := Parse(c.got); err != nil || strings.HasPrefix(m.Type.String(), "MESSAGE_") {
			t.Errorf("%s: %v, %v", c.name, m.Type, err)
		}
	}
}

// FuzzMessages: no bytes make it panic, and none are taken for a tag without an EPC.
func FuzzMessages(f *testing.F) {
	f.Add(unhex(f, "043d000000374095894100f0002d00f1001800901fb41f712ac9c37ab79d618173188324001a81000186ef820004ec2ea8381f57880001"), uint8(9))
	f.Add(unhex(f, "043d0000000a00000000043e0000000a00000007"), uint8(3))
	f.Add(llrpEvents(f), uint8(30))
	f.Fuzz(func(t *testing.T, stream []byte, cut uint8) {
		at := min(int(cut), len(stream))
		var tag Tag
		each := func(m Message) {
			for r := Report(m.Body); r.More(); {
				left := len(r)
				if found, err := r.Next(&tag); found && (err != nil || tag.EPCBits == 0 || len(tag.EPC) != (tag.EPCBits+7)/8) {
					t.Fatalf("%+v, %v", tag, err)
				}
				if len(r) >= left {
					t.Fatal("stands still")
				}
			}
			if s, err := ParseStatus(m.Body); err == nil && len(s.Text) > maxText {
				t.Fatal("a long text")
			}
			_ = EachEvent(m.Body, func(Event) {})
		}
		var s Splitter
		if s.Feed(stream[:at], each) == nil {
			_ = s.Feed(stream[at:], each)
		}
		if s.Held() > len(stream) || s.Held() > MaxMessage {
			t.Fatalf("%d bytes held", s.Held())
		}
	})
}

func llrpEvents(t testing.TB) []byte {
	return unhex(t, "043f 00000020 00000000 00f6 0016 0080 000c 0005a9e4bef876b4 0100 0006 0000")
}

func report(tags int) []byte {
	w := message(ROAccessReport, 1)
	for i := range tags {
		w.begin(pTagReport)
		w.b = append(w.b, 0x8D, 0x30, 0, 0xAB, 0xCD, 0xEF, 0, 0, 0, 0, 0, 0, byte(i), 0x81, 0, 1, 0x86, 0xD1)
		w.b = append(w.b, 0x82, 0, 5, 0xA9, 0xE4, 0xBE, 0xF8, 0x76, 0xB4, 0x88, 0, 1)
		w.end()
	}
	return w.done()
}

// Nothing is allocated a tag, from the bytes to the number.
func TestNoAllocationATag(t *testing.T) {
	var s Splitter
	var tag Tag
	stream, n := report(1), 0
	each := func(m Message) {
		for r := Report(m.Body); r.More(); {
			if found, err := r.Next(&tag); found && err == nil {
				if _, err := tag.Number(); err == nil {
					n++
				}
			}
		}
	}
	if allocs := testing.AllocsPerRun(100, func() { _ = s.Feed(stream, each) }); allocs != 0 || n != 101 {
		t.Errorf("%v allocations, %d tags", allocs, n)
	}
}

func bench(b *testing.B, tags int) {
	var s Splitter
	var tag Tag
	stream, n := report(tags), 0
	each := func(m Message) {
		for r := Report(m.Body); r.More(); {
			if found, err := r.Next(&tag); found && err == nil {
				n++
			}
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		_ = s.Feed(stream, each)
	}
	if n != tags*b.N {
		b.Fatalf("%d tags", n)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/tag")
}

func BenchmarkReportOfOne(b *testing.B)     { bench(b, 1) }
func BenchmarkReportOfHundred(b *testing.B) { bench(b, 100) }
