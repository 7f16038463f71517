package h5p

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func content(library, params string) map[string][]byte {
	return map[string][]byte{"h5p.json": []byte(`{"title":"T &amp; U","language":"en","mainLibrary":"` + library + `"}`), "content/content.json": []byte(params)}
}

func TestRead(t *testing.T) {
	for _, tc := range []struct {
		library, params string
		want            []Step
		err             string
	}{
		{"H5P.MultiChoice", `{"question":"<p>Which <b>one</b>?</p>","answers":[{"text":"<div>A</div>","correct":true},{"text":"B","correct":false}]}`,
			[]Step{{Question: "Which one ?", Choices: []Choice{{"A", true}, {"B", false}}}}, ""},
		{"H5P.TrueFalse", `{"question":"So?","correct":"false"}`, []Step{{Question: "So?", Choices: []Choice{{"True", false}, {"False", true}}}}, ""},
		{"H5P.SingleChoiceSet", `{"choices":[{"question":"1","answers":["a","b"]},{"question":"2","answers":["a","b"]}]}`,
			[]Step{{Question: "1", Choices: []Choice{{"a", true}, {"b", false}}}, {Question: "2", Choices: []Choice{{"b", false}, {"a", true}}}}, ""},
		{"H5P.QuestionSet", `{"questions":[{"library":"H5P.TrueFalse 1.8","params":{"question":"q","correct":"true"}}]}`,
			[]Step{{Question: "q", Choices: []Choice{{"True", true}, {"False", false}}}}, ""},
		{"H5P.Dialogcards", `{"dialogs":[{"text":"front","answer":"back"}]}`, []Step{{Front: "front", Back: "back"}}, ""},
		{"H5P.Accordion", `{"panels":[{"title":"t","content":{"params":{"text":"<p>x</p>"}}}]}`, []Step{{Title: "t", Text: "x"}}, ""},
		{"H5P.CoursePresentation", `{}`, nil, "is not played here"},
		{"H5P.MultiChoice", `{"question":"q","answers":[{"text":"A"}]}`, nil, "two answers"},
		{"H5P.MultiChoice", `{"question":7}`, nil, "H5P.MultiChoice"},
		{"H5P.Dialogcards", `{}`, nil, "nothing in it"},
	} {
		got, err := Read(content(tc.library, tc.params))
		if tc.err != "" {
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%s %s: %v, want %q", tc.library, tc.params, err, tc.err)
			}
			continue
		}
		if diff := cmp.Diff(tc.want, got.Steps); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", tc.library, err, diff)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("H5P.QuestionSet", `{"questions":[{"library":"H5P.MultiChoice 1.0","params":{"question":"q","answers":[{"text":"a","correct":true},{"text":"b"}]}}]}`)
	f.Add("H5P.Accordion", `{"panels":[{"title":"t"}]}`)
	f.Fuzz(func(t *testing.T, library, params string) {
		c, err := Read(map[string][]byte{"h5p.json": []byte(`{"mainLibrary":"` + library + `"}`), "content/content.json": []byte(params)})
		if err == nil && (len(c.Steps) == 0 || len(c.Steps) > MaxSteps) {
			t.Fatalf("%d steps", len(c.Steps))
		}
	})
}
