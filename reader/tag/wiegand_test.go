package tag

import "testing"

// A card with the UID 078CFC4F, as readers of both orders send it.
func TestUIDFromWiegand(t *testing.T) {
	uid, err := ParseNumber("uid:078CFC4F")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		sent    string
		reverse bool
		same    bool
	}{
		{"wiegand-32:078CFC4F", false, true},
		{"wiegand-32:4FFC8C07", true, true},
		{"wiegand-32:078CFC4F", true, false},
		{"wiegand-32:4FFC8C07", false, false},
	} {
		n, err := ParseNumber(c.sent)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := UIDFromWiegand(n, c.reverse); !ok || (got == uid) != c.same {
			t.Errorf("%s, reverse %v: %s, %v; want the card: %v", c.sent, c.reverse, got.Reveal(), ok, c.same)
		}
		if n == uid {
			t.Errorf("%s is the UID without a rule", c.sent)
		}
	}
	for _, text := range []string{"w34:007B3972", "w26:123,14706", "uid:04A035B2BC2B80", "6F007B3972"} {
		n, err := ParseNumber(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := UIDFromWiegand(n, false); ok || !got.IsZero() {
			t.Errorf("%s became %v", text, got)
		}
	}
}
