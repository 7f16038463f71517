package demo

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// shopper is one member of the demo's cast. All of them are invented.
type shopper struct {
	key                        string // as the buttons name them
	family, latin, given       string
	title, language, tier      string
	card                       string // EM4100, ten hex digits, or none
	gsrn                       uint64 // the service reference of their UHF tag
	consents                   string
	birthdayToday, noGreeting  bool
	contractEndsIn, memberDays int
}

const everything = "recognise|greet_by_name|public_screen|marketing"

// cast are the people that the buttons move. Cards are numbers printed in public manuals, so no real fob is among them.
var cast = []shopper{
	{key: "anna", family: "王", latin: "Wang", given: "安娜", title: "ms", language: "zh-CN", tier: "gold",
		card: "6F007B3972", gsrn: 1234567001, consents: everything, contractEndsIn: 12, memberDays: 900},
	{key: "li", family: "李", latin: "Li", given: "伟", title: "mr", language: "zh-CN", tier: "silver",
		card: "62E3086CED", gsrn: 1234567002, consents: everything, birthdayToday: true, memberDays: 400},
	{key: "bob", family: "Miller", given: "Bob", title: "mr", language: "en", tier: "silver",
		card: "01000734E0", gsrn: 1234567003, consents: everything, memberDays: 30},
	{key: "zhang", family: "张", latin: "Zhang", given: "文", title: "teacher", language: "zh-CN", tier: "diamond",
		card: "5900B47B4F", gsrn: 1234567004, consents: everything, contractEndsIn: 200, memberDays: 2000},
	{key: "chen", family: "陈", latin: "Chen", given: "晓", title: "ms", language: "zh-CN", tier: "silver",
		card: "0500207B32", gsrn: 1234567005, consents: "recognise|greet_by_name|marketing", memberDays: 120},
}

// epc is a shopper's UHF tag: GSRN-96 under GS1's example company prefix 9521141 (GS1 TDS 2, section on GSRN-96:
// header 0x2D, filter 3 bits, partition 5, company prefix 24 bits, service reference 34 bits, 24 zero bits).
func (s shopper) epc() []byte {
	const header, filter, partition, company = 0x2D, 0, 5, 9521141
	high := uint64(header)<<56 | uint64(filter)<<53 | uint64(partition)<<50 | uint64(company)<<26 | s.gsrn>>8
	b := binary.BigEndian.AppendUint64(nil, high)
	return binary.BigEndian.AppendUint32(b, uint32(s.gsrn)<<24)
}

// em4100 is a shopper's fob, as an RDM6300 reads it.
func (s shopper) em4100() []byte {
	b, err := hex.DecodeString(s.card)
	if err != nil {
		panic(err) // the cast is above
	}
	return b
}

func find(key string) (shopper, bool) {
	for _, s := range cast {
		if s.key == key {
			return s, true
		}
	}
	return shopper{}, false
}

// membersCSV is the cast as headquarters imports it.
func membersCSV(now time.Time) []byte {
	var b strings.Builder
	b.WriteString("id,family,family_latin,given,title,language,tier,birthday,since,contract_ends,tags,consents,no_greeting\n")
	for i, s := range cast {
		birthday, contract := "", ""
		if s.birthdayToday {
			birthday = now.Format("01-02")
		}
		if s.contractEndsIn > 0 {
			contract = now.AddDate(0, 0, s.contractEndsIn).Format(time.DateOnly)
		}
		fmt.Fprintf(&b, "m-demo-%d,%s,%s,%s,%s,%s,%s,%s,%s,%s,em4100:%s epc:%X,%s,%t\n", i+1,
			s.family, s.latin, s.given, s.title, s.language, s.tier, birthday,
			now.AddDate(0, 0, -s.memberDays).Format(time.DateOnly), contract, s.card, s.epc(), s.consents, s.noGreeting)
	}
	return []byte(b.String())
}
