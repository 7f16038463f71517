package code

import (
	"strings"
	"testing"
)

func TestElementStrings(t *testing.T) {
	good, err := ParseElements("(01)09501101530003(17)261231(10)AB(C)12(21)x")
	if err != nil || len(good) != 4 || good[2].Value != "AB(C)12" {
		t.Errorf("%v, %v", good, err)
	}
	for s, want := range map[string]string{
		"":                                 "without an element",
		"9501101530003":                    "want (application identifier)value",
		"(255":                             "want (application identifier)value",
		"(256)1":                           "not an application identifier",
		"(255)9501101530004":               "check digit 4, want 3",
		"(255)95011015300":                 "11 characters, want 13 to 25",
		"(255)950110153000x":               "want a digit",
		"(17)261331":                       "no date",
		"(21)":                             "0 characters",
		"(21)优":                            "character set 82",
		"(310n)000100":                     "not an application identifier",
		"(8110)" + strings.Repeat("1", 71): "71 characters, want 4 to 70",
		strings.Repeat("(21)1", 300):       "want at most 1024",
	} {
		if _, err := ParseElements(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got %v, want %q", s, err, want)
		}
	}
}

// There is a character for every value, and no two are alike.
func TestEveryValueHasItsCharacter(t *testing.T) {
	for i, g := range groups {
		odd, even := widths(g.odd, g.widestOdd, true), widths(g.even, g.widestEven, false)
		end := 4192
		if i+1 < len(groups) {
			end = groups[i+1].first
		}
		if len(even) != g.evens || len(odd)*len(even) < end-g.first {
			t.Errorf("group %d: %d by %d characters, want %d", i+1, len(odd), len(even), end-g.first)
		}
	}
	seen := map[[8]int]int{}
	for value := range 4192 {
		c := character(value)
		sum := 0
		for _, w := range c {
			sum += w
		}
		if before, ok := seen[c]; ok || sum != charModules {
			t.Errorf("%d is as wide as %d modules, and like %d", value, sum, before)
		}
		seen[c] = value
	}
}

func TestCheckDigit(t *testing.T) {
	for digits, want := range map[string]byte{"950110153000": '3', "991234567890": '9', "0950110153000": '3'} {
		if got := CheckDigit(digits); got != want {
			t.Errorf("%s: %c, want %c", digits, got, want)
		}
	}
}

func FuzzDataBar(f *testing.F) {
	f.Add("(255)9501101530003123456(91)7K3M9Q", 192)
	f.Add("(01)95012345678903(3103)001750", 288)
	f.Fuzz(func(t *testing.T, s string, wide int) {
		m, err := Make(DataBarExpanded, s, wide)
		if err == nil && m.Modules.W > wide {
			t.Errorf("%d modules, want at most %d", m.Modules.W, wide)
		}
	})
}
