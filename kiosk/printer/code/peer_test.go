package code

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"foyer/kiosk/printer/dots"
)

// TestDataBarIsThatOfAnotherEncoder compares with npm's bwip-js, module by module. FOYER_NPM is a folder with its node_modules.
func TestDataBarIsThatOfAnotherEncoder(t *testing.T) {
	modules := os.Getenv("FOYER_NPM")
	if modules == "" {
		t.Skip("FOYER_NPM names no folder with bwip-js; the stage printing-peers of make test has one")
	}
	type sample struct {
		segments int
		text     string
	}
	random := rand.New(rand.NewPCG(1, 24724))
	var samples []sample
	var in bytes.Buffer
	for range 600 {
		s := sample{22, someElements(random)}
		if random.IntN(2) == 0 {
			s.segments = 2 * (1 + random.IntN(5))
		}
		samples = append(samples, s)
		fmt.Fprintf(&in, "%d\t%s\n", s.segments, s.text)
	}
	cmd := exec.CommandContext(t.Context(), "node", "testdata/databar.js")
	cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(modules, "node_modules"))
	cmd.Stdin, cmd.Stderr = &in, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("run bwip-js: %v", err)
	}
	theirs := strings.Split(strings.TrimRight(string(out), "\n"), "\n")
	if len(theirs) != len(samples) {
		t.Fatalf("bwip-js answered %d of %d", len(theirs), len(samples))
	}
	same, refused := 0, 0
	for i, s := range samples {
		elements, err := ParseElements(s.text)
		if err != nil {
			t.Errorf("%s: %v", s.text, err)
			continue
		}
		chars, err := characters(elements, s.segments)
		if strings.HasPrefix(theirs[i], "ERROR") {
			refused++
			if err == nil {
				t.Errorf("%s in %d: bwip-js refuses it: %s", s.text, s.segments, theirs[i])
			}
			continue
		}
		if err != nil {
			t.Errorf("%s in %d: %v", s.text, s.segments, err)
			continue
		}
		ours := run(chars, 0, len(chars), false) + "*1"
		if s.segments != 22 {
			ours = thinned(stack(chars, s.segments))
		}
		if ours != theirs[i] {
			t.Errorf("%s in rows of %d:\n%s\nbwip-js:\n%s", s.text, s.segments, strings.ReplaceAll(ours, "/", "\n"), strings.ReplaceAll(theirs[i], "/", "\n"))
			if t.Failed() && i > 20 {
				break
			}
			continue
		}
		same++
	}
	t.Logf("%d the same, %d refused by both", same, refused)
	if same < 200 {
		t.Errorf("only %d element strings were compared, want 200", same)
	}
}

// thinned writes a stacked symbol with every high row once.
func thinned(b *dots.Bitmap) string {
	var rows []string
	for y := 0; y < b.H; {
		var row strings.Builder
		for x := range b.W {
			row.WriteByte("01"[btoi(b.Black(x, y))])
		}
		rows = append(rows, row.String())
		if len(rows)%4 == 1 {
			y += stackedBar
		} else {
			y++
		}
	}
	return strings.Join(rows, "/")
}

// someElements makes an element string of the kinds that a coupon or a product may bear.
func someElements(r *rand.Rand) string {
	digits := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteByte(byte('0' + r.IntN(10)))
		}
		return b.String()
	}
	checked := func(n int) string { s := digits(n - 1); return s + string(CheckDigit(s)) }
	gtin := func(first string) string {
		s := first + digits(13-len(first))
		return "(01)" + s + string(CheckDigit(s))
	}
	text := func(from string, least, most int) string {
		var b strings.Builder
		for range least + r.IntN(most-least+1) {
			b.WriteByte(from[r.IntN(len(from))])
		}
		return b.String()
	}
	date := func() string { return digits(2) + fmt.Sprintf("%02d%02d", 1+r.IntN(12), 1+r.IntN(28)) }
	pick := func(all ...string) string { return all[r.IntN(len(all))] }
	upper, mixed := "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-./", "abcdefXYZ0123456789!%&'*+,-./:;<=>?_"
	switch r.IntN(12) {
	case 0:
		return "(255)" + checked(13) + digits(r.IntN(13))
	case 1:
		return "(255)" + checked(13) + digits(1+r.IntN(12)) + "(91)" + text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 1, 12)
	case 2:
		// A plain coupon of the North American form: prefix length, company, offer, value, requirement.
		return "(8110)" + "0" + digits(6) + digits(6) + "1" + fmt.Sprint(1+r.IntN(9)) + "110" + "0" + digits(3)
	case 3:
		return gtin("9") + "(3103)0" + fmt.Sprintf("%05d", r.IntN(40000))
	case 4:
		return gtin("9") + "(" + pick("3202", "3203") + ")0" + fmt.Sprintf("%05d", r.IntN(30000))
	case 5:
		return gtin("9") + "(" + pick("310", "320") + fmt.Sprint(r.IntN(6)) + ")" + fmt.Sprintf("%06d", r.IntN(110000)) + pick("", "(11)"+date(), "(13)"+date(), "(15)"+date(), "(17)"+date())
	case 6:
		return gtin("9") + "(392" + fmt.Sprint(r.IntN(4)) + ")" + digits(1+r.IntN(8)) + pick("", "(17)"+date(), "(21)"+text(upper, 1, 8))
	case 7:
		return gtin("9") + "(393" + fmt.Sprint(r.IntN(4)) + ")156" + digits(1+r.IntN(8)) + pick("", "(10)"+text(mixed, 1, 8))
	case 8:
		return gtin(pick("0", "1", "9")) + "(10)" + text(upper, 1, 20) + "(17)" + date() + "(21)" + text(upper, 1, 10)
	case 9:
		return "(10)" + text(mixed, 1, 20) + "(21)" + text(mixed, 1, 20) + pick("", "(91)"+text(upper, 1, 20))
	case 10:
		return "(8018)" + checked(18) + pick("", "(90)"+text(mixed, 1, 30))
	}
	return "(21)" + text(pick(upper, mixed, "0123456789", "0123456789abc"), 1, 20) + "(99)" + text(pick(upper, mixed, "0123456789"), 1, 40)
}
