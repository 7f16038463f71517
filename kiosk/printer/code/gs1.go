package code

import (
	"errors"
	"fmt"
	"strings"
)

// Element is one application identifier and its value.
type Element struct{ AI, Value string }

// rule is what an AI's value must look like (GS1 General Specifications, section 3): digits, then more characters.
type rule struct {
	digits  int  // exactly so many digits first
	least   int  // of more
	most    int  // of more
	numeric bool // these are digits too
	check   bool // the digits end in a check digit
	date    bool // the digits are YYMMDD
}

// rules by AI. A last "n" stands for any digit: where the decimal point is.
var rules = map[string]rule{
	"00":   {digits: 18, check: true},                          // SSCC
	"01":   {digits: 14, check: true},                          // GTIN
	"02":   {digits: 14, check: true},                          // GTIN contained
	"10":   {least: 1, most: 20},                               // batch
	"11":   {digits: 6, date: true},                            // production
	"12":   {digits: 6, date: true},                            // due
	"13":   {digits: 6, date: true},                            // packed
	"15":   {digits: 6, date: true},                            // best before
	"16":   {digits: 6, date: true},                            // sell by
	"17":   {digits: 6, date: true},                            // expires
	"20":   {digits: 2},                                        // variant
	"21":   {least: 1, most: 20},                               // serial
	"22":   {least: 1, most: 20},                               // consumer product variant
	"30":   {least: 1, most: 8, numeric: true},                 // count
	"37":   {least: 1, most: 8, numeric: true},                 // count contained
	"240":  {least: 1, most: 30},                               // additional product identification
	"241":  {least: 1, most: 30},                               // customer's part number
	"250":  {least: 1, most: 30},                               // secondary serial
	"253":  {digits: 13, most: 17, check: true},                // GDTI
	"254":  {least: 1, most: 20},                               // GLN extension
	"255":  {digits: 13, most: 12, numeric: true, check: true}, // GCN: a coupon
	"400":  {least: 1, most: 30},                               // order
	"401":  {least: 1, most: 30},                               // GINC
	"410":  {digits: 13, check: true},                          // ship to
	"412":  {digits: 13, check: true},                          // bought from
	"414":  {digits: 13, check: true},                          // location
	"415":  {digits: 13, check: true},                          // invoicing party
	"417":  {digits: 13, check: true},                          // party
	"420":  {least: 1, most: 20},                               // postal code
	"310n": {digits: 6}, "320n": {digits: 6},                   // net weight, kg and lb
	"390n": {least: 1, most: 15, numeric: true},            // amount, or coupon value
	"391n": {digits: 3, least: 1, most: 15, numeric: true}, // the same with a currency (ISO 4217)
	"392n": {least: 1, most: 15, numeric: true},            // price
	"393n": {digits: 3, least: 1, most: 15, numeric: true}, // price with a currency
	"394n": {digits: 4},                                    // percentage off
	"8003": {digits: 14, most: 16, check: true},            // GRAI
	"8004": {least: 1, most: 30},                           // GIAI
	"8005": {digits: 6},                                    // price a unit
	"8017": {digits: 18, check: true},                      // GSRN, provider
	"8018": {digits: 18, check: true},                      // GSRN, recipient: a member
	"8020": {least: 1, most: 25},                           // payment slip
	"8110": {digits: 4, most: 66},                          // coupon, North America
	"8112": {digits: 4, most: 56},                          // the same, serialised
	"8200": {least: 1, most: 70},                           // product's page
	"90":   {least: 1, most: 30}, "91": {least: 1, most: 90}, "92": {least: 1, most: 90}, "93": {least: 1, most: 90}, "94": {least: 1, most: 90},
	"95": {least: 1, most: 90}, "96": {least: 1, most: 90}, "97": {least: 1, most: 90}, "98": {least: 1, most: 90}, "99": {least: 1, most: 90},
}

// fixed lists the first two digits of the AIs whose length is known to every reader: no separator follows them (section 7.8.5).
const fixed = " 00 01 02 03 04 11 12 13 14 15 16 17 18 19 20 31 32 33 34 35 36 41 "

func (e Element) separated() bool { return !strings.Contains(fixed, " "+e.AI[:2]+" ") }

// ParseElements reads an element string as people write it, "(255)9501101530003(91)AB12", and checks each value.
func ParseElements(s string) ([]Element, error) {
	if len(s) > MaxData {
		return nil, fmt.Errorf("an element string of %d bytes: want at most %d", len(s), MaxData)
	}
	var all []Element
	for s != "" {
		ai, rest, ok := strings.Cut(strings.TrimPrefix(s, "("), ")")
		if s[0] != '(' || !ok {
			return nil, fmt.Errorf("%.40q: want (application identifier)value", s)
		}
		value := rest
		if i := nextAI(rest); i >= 0 {
			value = rest[:i]
		}
		s = rest[len(value):]
		e := Element{ai, value}
		if err := e.check(); err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	if len(all) == 0 {
		return nil, errors.New("an element string without an element")
	}
	return all, nil
}

// nextAI finds where the next "(digits)" begins that is an AI: a value may have brackets of its own.
func nextAI(s string) int {
	for i := range len(s) {
		if s[i] != '(' {
			continue
		}
		if ai, _, ok := strings.Cut(s[i+1:], ")"); ok {
			if _, known := ruleOf(ai); known {
				return i
			}
		}
	}
	return -1
}

func ruleOf(ai string) (rule, bool) {
	if r, ok := rules[ai]; ok && !strings.HasSuffix(ai, "n") {
		return r, true
	}
	if len(ai) == 4 && ai[3] >= '0' && ai[3] <= '9' {
		r, ok := rules[ai[:3]+"n"]
		return r, ok
	}
	return rule{}, false
}

func (e Element) check() error {
	r, ok := ruleOf(e.AI)
	if !ok {
		return fmt.Errorf("(%.8s): not an application identifier that Foyer knows", e.AI)
	}
	more := len(e.Value) - r.digits
	if more < r.least || more > r.most {
		return fmt.Errorf("(%s): %d characters, want %d to %d", e.AI, len(e.Value), r.digits+r.least, r.digits+r.most)
	}
	for i := range len(e.Value) {
		c := e.Value[i]
		if digit := c >= '0' && c <= '9'; (i < r.digits || r.numeric) && !digit || !digit && !strings.ContainsRune(charset82, rune(c)) {
			return fmt.Errorf("(%s): character %d is %q: want %s", e.AI, i+1, c, map[bool]string{true: "a digit", false: "one of GS1's character set 82"}[i < r.digits || r.numeric])
		}
	}
	return r.checkDigits(e)
}

func (r rule) checkDigits(e Element) error {
	if r.check && CheckDigit(e.Value[:r.digits-1]) != e.Value[r.digits-1] {
		return fmt.Errorf("(%s): check digit %c, want %c", e.AI, e.Value[r.digits-1], CheckDigit(e.Value[:r.digits-1]))
	}
	if month, day := "", ""; r.date {
		if month, day = e.Value[2:4], e.Value[4:6]; month < "01" || month > "12" || day > "31" {
			return fmt.Errorf("(%s): %s is no date: want YYMMDD", e.AI, e.Value)
		}
	}
	return nil
}

// charset82 is GS1's, beside the digits (General Specifications, figure 7.11-1).
const charset82 = "!\"%&'()*+,-./:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"

// CheckDigit is what follows the digits (General Specifications, section 7.9): weights 3 and 1 from the right.
func CheckDigit(digits string) byte {
	sum := 0
	for i := range len(digits) {
		weight := 1
		if (len(digits)-i)%2 == 1 {
			weight = 3
		}
		sum += int(digits[i]-'0') * weight
	}
	return byte('0' + (10-sum%10)%10)
}
