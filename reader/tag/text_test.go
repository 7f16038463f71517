package tag

import "testing"

func TestFromText(t *testing.T) {
	for text, want := range map[string]string{
		"https://club.example/8018/952114112345678906?x=1": "gsrn 952114112345678906",
		"(8018)952114112345678906":                         "gsrn 952114112345678906",
		"]C18018952114112345678906":                        "gsrn 952114112345678906",
		"8018952114112345678906":                           "gsrn 952114112345678906",
		"0109506000134352\x1d8018952114112345678906":       "gsrn 952114112345678906",
		"8018952114112345678905":                           "text 38303138393532313134313132333435363738393035", // wrong check digit
		"80189521141123456789061":                          "text 3830313839353231313431313233343536373839303631",
		"/8018/12":                                         "text 2F383031382F3132",
		"MEMBER-7":                                         "text 4D454D4245522D37",
		"]":                                                "text 5D",
	} {
		n, err := FromText([]byte(text))
		if got := n.Scheme().String() + " " + n.Reveal(); err != nil || got != want {
			t.Errorf("%q: %s, %v; want %s", text, got, err, want)
		}
	}
	if _, err := FromText(make([]byte, MaxBytes+1)); err == nil {
		t.Error("a text longer than a number is taken")
	}
	if n := testing.AllocsPerRun(20, func() { FromText([]byte("8018952114112345678906")) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzFromText(f *testing.F) {
	f.Add([]byte("]C18018952114112345678906"))
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := FromText(text)
		if (err == nil) == n.IsZero() || err == nil && n.Scheme() != GSRN && string(n.Bytes(nil)) != string(text) {
			t.Fatalf("%q: %v, %v", text, n, err)
		}
	})
}
