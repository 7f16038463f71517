package demo

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

const manifest = `{"id": "t", "version": 1, "title": {"en": "T", "zh-CN": "题"}, "about": {"en": "a", "zh-CN": "关"}, "cover": "c.svg",
"languages": ["zh-CN", "en"], "seconds": 30, "scenes": ["s.yaml"], "vars": {"n": 0, "m": "2 * 3"}, "reward": {"name": "r", "score": 5, "title": {"en": "R", "zh-CN": "奖"}}}`

const scenes = `
scenes:
  - name: one
    tick: [{set: "n = n + dt"}]
    timers: [{after: 4, do: [{go: two}]}]
    layers:
      - {at: [100, 500, 200, 200], fill: "#ff0000", tap: [{if: "n >= 1", go: two, else: [{set: "m = m + 1"}]}]}
      - {id: hint, at: [500, 500, 100, 100], text: {en: "hint", "zh-CN": "提示"}}
      - {at: [400, 700, 300, 100], slide: {var: m, from: 0, to: 10, step: 2}}
  - name: two
    enter: [{set: "score = 7"}, {reveal: hint}]
    layers:
      - {at: [100, 500, 200, 200], tap: [{finish: won}]}
      - {at: [100, 750, 200, 200], tap: [{go: one}]}
`

func files(extra ...string) fstest.MapFS {
	m := fstest.MapFS{"manifest.json": {Data: []byte(manifest)}, "s.yaml": {Data: []byte(scenes)}, "c.svg": {Data: []byte("<svg/>")}}
	for i := 0; i+1 < len(extra); i += 2 {
		m[extra[i]] = &fstest.MapFile{Data: []byte(extra[i+1])}
	}
	return m
}

func opened(t testing.TB, m fstest.MapFS) *Pack {
	t.Helper()
	p, err := Open(m, Rules{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// touch taps a point of the stage.
func touch(t *testing.T, s State, x, y float32) State {
	t.Helper()
	var v View
	s.Draw(&v, true, "en")
	target, ok := v.Hit(x, y)
	if !ok {
		t.Fatalf("nothing at %v, %v of scene %s", x, y, s.Scene())
	}
	return s.Touch(v.Finger(target, Tap, x))
}

func TestAPlay(t *testing.T) {
	s := Start(opened(t, files()), 1)
	s = touch(t, s, 150, 550)
	if m, _ := s.Value("m"); s.Scene() != "one" || m != 7 {
		t.Fatalf("scene %s, m %v", s.Scene(), m)
	}
	s = touch(t, s, 595, 750)
	if m, _ := s.Value("m"); m != 6 {
		t.Errorf("the slider gives %v, want 6", m)
	}
	var stale View
	s.Draw(&stale, true, "en")
	s = touch(t, s.Advance(1.2), 150, 550)
	if s.Scene() != "two" {
		t.Fatal("the condition holds and the scene has not changed")
	}
	if hint, _ := s.Value("seen_hint"); hint != 1 {
		t.Error("the hint was not revealed")
	}
	if again := s.Touch(stale.Finger(stale.Targets[0], Tap, 150)); again.Scene() != "two" {
		t.Error("a finger that meant the scene before did something")
	}
	s = touch(t, s, 150, 550)
	if r := s.Result(); r != (Result{7, "won", "r"}) {
		t.Errorf("result %+v", r)
	}
	s = touch(t, s, 150, 800)
	if s.End != "" || s.Round != 1 {
		t.Errorf("begun again: end %q, round %d", s.End, s.Round)
	}
}

func TestTimersAndTimeAreTheSameInAnySteps(t *testing.T) {
	whole, pieces := Start(opened(t, files()), 1), Start(opened(t, files()), 1)
	whole = whole.Advance(3)
	for range 60 {
		pieces = pieces.Advance(0.05)
	}
	a, _ := whole.Value("n")
	b, _ := pieces.Value("n")
	if d := a - b; d > 1e-6 || d < -1e-6 || whole.Scene() != "one" {
		t.Errorf("%v and %v", a, b)
	}
	if whole.Advance(1.1).Scene() != "two" {
		t.Error("the timer did not go off")
	}
}

func TestAStateIsAValue(t *testing.T) {
	s := Start(opened(t, files()), 1)
	before, _ := s.Value("n")
	s.Advance(2)
	touch(t, s, 150, 550)
	if after, _ := s.Value("n"); after != before || s.Scene() != "one" {
		t.Error("a state was changed")
	}
}

func TestBadPacks(t *testing.T) {
	scene := func(layers string) fstest.MapFS {
		return files("s.yaml", "scenes:\n  - name: one\n    layers:\n"+layers)
	}
	for _, tc := range []struct {
		name string
		in   fstest.MapFS
		want []string
	}{
		{"no manifest", fstest.MapFS{"x": {}}, []string{"no manifest.json"}},
		{"torn manifest", files("manifest.json", `{"id": `), []string{"manifest.json:"}},
		{"another manifest", files("manifest.json", `{"width": 3}`), []string{`width`, "id: is missing"}},
		{"a scene file that is missing", files("manifest.json", strings.Replace(manifest, "s.yaml", "gone.yaml", 1)), []string{`no file "gone.yaml"`}},
		{"one language only", scene(`      - {at: [0, 500, 10, 10], text: {en: "x"}}`), []string{"s.yaml:4", "is missing in zh-CN"}},
		{"a language too many", scene(`      - {at: [0, 500, 10, 10], text: {en: x, zh-CN: "字", fr: y}}`), []string{"does not speak fr"}},
		{"a missing clip", scene(`      - {at: [0, 0, 10, 10], clip: no.mpg}`), []string{`no file "no.mpg"`}},
		{"a path outside", scene(`      - {at: [0, 0, 10, 10], image: ../../etc/passwd.svg}`), []string{"there is no file"}},
		{"no such scene", scene(`      - {at: [0, 500, 100, 100], tap: [{go: nowhere}]}`), []string{`no scene "nowhere"`}},
		{"no such variable", scene(`      - {at: [0, 0, "k + 1", 10]}`), []string{`no variable "k"`}},
		{"a target too small", scene(`      - {at: [0, 500, 40, 40], tap: [{go: one}]}`), []string{"40 x 40, want at least 74"}},
		{"targets too near", scene("      - {at: [0, 500, 100, 100], tap: [{go: one}]}\n      - {at: [110, 500, 100, 100], tap: [{go: one}]}"), []string{"10 from the one"}},
		{"a target too high", scene(`      - {at: [0, 20, 100, 100], tap: [{go: one}]}`), []string{"too high to reach"}},
		{"a colour", scene(`      - {at: [0, 0, 10, 10], fill: "#12"}`), []string{"no colour"}},
		{"several faults at once", scene(`      - {at: [0, 0, "(", 10], fill: "#12", tap: [{go: x}, {set: "t = 1"}, {reveal: y}]}`), []string{"no colour", `no scene "x"`, `"t" cannot be set`, `the id "y"`}},
		{"an action without end", files("s.yaml", "scenes:\n  - {name: a, enter: [{go: b}]}\n  - {name: b, enter: [{go: a}]}\n"), nil},
	} {
		_, err := Open(tc.in, Rules{})
		if tc.want == nil {
			if err != nil {
				t.Errorf("%s: %v", tc.name, err)
			}
			continue
		}
		for _, want := range tc.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v\nwant %q", tc.name, err, want)
			}
		}
	}
}

func TestExpressions(t *testing.T) {
	vars := names{"a": 0, "b": 1}
	for text, want := range map[string]float64{
		"1 + 2 * 3": 7, "(1 + 2) * 3": 9, "-a + b": 1, "a / 0": 0, "2 ^ 10": 1024, "7 % 4": 3, "a < b and not (a == b)": 1, "if(a > b, 1, 2)": 2,
		"clamp(99, 0, b)": 3, "min(a, b) + max(a, b)": 5, "10 ^ 300": maxValue, "a != 2 or b == 4": 0,
	} {
		e, err := compile(text, vars)
		if err != nil || e([]float64{2, 3}) != want {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
	for _, bad := range []string{"", "1 +", "c", "f(1)", "min(1)", "1 2", "((((", strings.Repeat("(", 200), "a = 1", "1..2"} {
		if _, err := compile(bad, vars); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	s, err := compileSaying("{a}: {b:2}, {a * 50:mm}, {b:02}", vars)
	if err != nil || s.say([]float64{2, 3}) != "2: 3.00, 1:40, 03" {
		t.Errorf("%v %q", err, s.say([]float64{2, 3}))
	}
}

// A quiz and an H5P content become scenes; right answers count.
func TestQuizAndH5P(t *testing.T) {
	m := files("s.yaml", `scenes:
  - name: one
    quiz:
      question: {en: "2 + 2?", zh-CN: "2 + 2？"}
      choices: [{text: {any: "3"}}, {text: {any: "4"}, right: true}]
      next: [{go: cards}]
`, "cards/h5p.json", `{"mainLibrary":"H5P.QuestionSet","title":"Set"}`, "cards/content/content.json",
		`{"questions":[{"library":"H5P.TrueFalse 1.0","params":{"question":"<p>Is it?</p>","correct":"true"}},{"library":"H5P.Dialogcards 1.0","params":{"dialogs":[{"text":"a","answer":"b"}]}}]}`)
	m["manifest.json"] = &fstest.MapFile{Data: []byte(strings.Replace(manifest, `"scenes"`, `"h5p": ["cards"], "scenes"`, 1))}
	s := Start(opened(t, m), 1)
	s = touch(t, s, 200, 720) // the second choice
	s = touch(t, s, 700, 1400)
	if score, _ := s.Value("score"); s.Scene() != "cards" || score != 0 {
		t.Fatalf("scene %s, score %v: a content begins at nothing", s.Scene(), score)
	}
	s = touch(t, touch(t, s, 200, 520), 700, 1400)
	if s.Scene() != "cards.2" {
		t.Fatalf("scene %s", s.Scene())
	}
	s = touch(t, touch(t, s, 500, 800), 700, 1400)
	if r := s.Result(); s.Scene() != "cards.end" || r != (Result{10, "done", "r"}) {
		t.Errorf("scene %s, %+v", s.Scene(), r)
	}
}

func TestZip(t *testing.T) {
	public, private, _ := ed25519.GenerateKey(nil)
	other, _, _ := ed25519.GenerateKey(nil)
	var a, b bytes.Buffer
	for _, w := range []*bytes.Buffer{&a, &b} {
		if err := Build(files(), private, w); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the same files gave different bytes")
	}
	if _, err := OpenZip(a.Bytes(), public, Rules{}); err != nil {
		t.Error(err)
	}
	if _, err := OpenZip(a.Bytes(), other, Rules{}); err != ErrUnsigned {
		t.Errorf("another key: %v", err)
	}
	var plain bytes.Buffer
	if err := Build(files(), nil, &plain); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenZip(plain.Bytes(), public, Rules{}); err != ErrUnsigned {
		t.Errorf("unsigned: %v", err)
	}
	for name, entries := range map[string]map[string]int{
		"outside": {"../evil": 3}, "absolute": {"/etc/x": 3}, "backslash": {`a\..\b`: 3}, "twice": {"A.svg": 1, "a.svg": 1}, "a bomb": {"zero.bin": 200 << 20},
	} {
		if _, err := OpenZip(zipped(t, entries), nil, Rules{}); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func zipped(t *testing.T, entries map[string]int) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, size := range entries {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		block := make([]byte, 1<<20)
		for ; size > 0; size -= len(block) {
			w.Write(block[:min(size, len(block))])
		}
	}
	z.Close()
	return b.Bytes()
}

// Whatever a pack says, playing it neither panics nor grows.
func FuzzPack(f *testing.F) {
	f.Add([]byte(manifest), []byte(scenes))
	f.Add([]byte(`{"id":"x"}`), []byte("scenes: [{name: a, quiz: {question: {en: q}, choices: [{text: {en: a}, right: true}], next: [{go: a}]}}]"))
	f.Fuzz(func(t *testing.T, m, s []byte) {
		p, err := Open(fstest.MapFS{"manifest.json": {Data: m}, "s.yaml": {Data: s}, "c.svg": {Data: []byte("<svg/>")}}, Rules{})
		if err != nil {
			return
		}
		state := Start(p, 7)
		var v View
		for i := range 40 {
			state = state.Advance(0.3)
			state.Draw(&v, i%2 == 0, "en")
			if len(v.Items) > MaxShown {
				t.Fatalf("%d items", len(v.Items))
			}
			for _, target := range v.Targets[:min(4, len(v.Targets))] {
				state = state.Touch(v.Finger(target, Gesture(i%4), target.X+1))
			}
		}
	})
}

func FuzzZip(f *testing.F) {
	var b bytes.Buffer
	if err := Build(files(), nil, &b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := unzip(data)
		total := 0
		for _, c := range got {
			total += len(c)
		}
		if err == nil && total > MaxBytes {
			t.Fatalf("%d bytes", total)
		}
	})
}

func BenchmarkDraw(b *testing.B) {
	var layers strings.Builder
	for i := range 100 {
		layers.WriteString(fmt.Sprintf("      - {at: [\"%d + 10 * sin(t)\", 500, 90, 90], fill: \"#ff0000\", move: [[0, 0, 0], [1, 5, 5]], loop: 1}\n", i))
	}
	s := Start(opened(b, files("s.yaml", "scenes:\n  - name: one\n    layers:\n"+layers.String())), 1)
	var v View
	b.ReportAllocs()
	for b.Loop() {
		s = s.Advance(0.033)
		s.Draw(&v, true, "en")
	}
}
