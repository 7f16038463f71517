package demo

import (
	"fmt"
	"strings"

	"foyer/internal/words"
)

// A quiz is laid out by the house: its question, its choices, and a note once it is answered. It becomes layers and actions
// like those that a pack writes itself.

// The variables of a quiz: whether it is answered, which choice was picked last, and which are picked.
const (
	quizDone = "quiz_done"
	quizPick = "quiz_pick"
	maxPicks = 6
)

func quizChoice(i int) string { return fmt.Sprintf("quiz_c%d", i) }

// hidden gives the variables of quizzes and of H5P contents their places.
func (l *loader) hidden(list ...string) {
	for _, name := range list {
		if _, known := l.pack.slots[name]; !known && l.pack.slots != nil {
			l.pack.slots[name] = len(l.pack.start)
			l.pack.start = append(l.pack.start, 0)
		}
	}
}

func hasQuiz(all []source) bool {
	for _, s := range all {
		for _, sc := range s.scenes {
			if sc.Quiz != nil {
				return true
			}
		}
	}
	return false
}

func (l *loader) quizVars() {
	list := []string{quizDone, quizPick}
	for i := range maxPicks {
		list = append(list, quizChoice(i))
	}
	l.hidden(list...)
}

func nums(v ...float64) []raw {
	out := make([]raw, len(v))
	for i, x := range v {
		out[i] = raw(fmt.Sprintf("%g", x))
	}
	return out
}

// quiz puts the layers of a quiz on a scene.
func (l *loader) quiz(at string, s *rawScene) {
	q := s.Quiz
	l.words(at+".question", q.Question)
	if q.Note != nil {
		l.words(at+".note", q.Note)
	}
	right := 0
	for i, c := range q.Choices {
		l.words(fmt.Sprintf("%s.choices[%d].text", at, i), c.Text)
		if c.Right {
			right++
		}
	}
	switch {
	case len(q.Choices) < 2 || len(q.Choices) > maxPicks:
		l.doc.At(at+".choices", "%d choices, want 2 to %d", len(q.Choices), maxPicks)
		return
	case right == 0 || right > 1 && !q.Many:
		l.doc.At(at+".choices", "%d are right, want exactly one, or many: true", right)
		return
	}
	points := q.Score
	if points == 0 {
		points = 10
	}
	reset := []string{quizDone + " = 0", quizPick + " = 0"}
	for i := range q.Choices {
		reset = append(reset, quizChoice(i)+" = 0")
	}
	s.Enter = append([]rawAction{{Set: raw(strings.Join(reset, "; "))}}, s.Enter...)
	s.Layers = append(s.Layers, l.quizLayers(q, points)...)
}

// answer is what marks a quiz as answered and gives its points where it was answered rightly.
func answer(q *rawQuiz, points int) []rawAction {
	var all []string
	for i, c := range q.Choices {
		want := " == 0"
		if c.Right {
			want = " == 1"
		}
		all = append(all, quizChoice(i)+want)
	}
	return []rawAction{{Set: raw(fmt.Sprintf("%s = 1; score = score + if(%s, %d, 0)", quizDone, strings.Join(all, " and "), points))}}
}

func (l *loader) quizLayers(q *rawQuiz, points int) []rawLayer {
	list := []rawLayer{
		{Tall: nums(70, 110, 860, 310), Wide: nums(80, 90, 600, 420), Text: q.Question, Size: "64", Heavy: true, Lines: 5, Align: "left", Colour: "ink"},
		{Tall: nums(70, 1150, 860, 180), Wide: nums(80, 540, 600, 240), Text: q.Note, Size: "38", Lines: 5, Align: "left", Top: true, Colour: "slate",
			Show: quizDone, Fade: [][]raw{nums(0, 1)}},
	}
	if q.Note == nil {
		list = list[:1]
	}
	high, pitch := 150.0, 176.0
	if n := len(q.Choices); n > 4 {
		high, pitch = 100, 124
	}
	for i, c := range q.Choices {
		list = append(list, choiceLayer(q, points, i, c, high, pitch))
	}
	next := rawLayer{Tall: nums(530, 1360, 400, 124), Wide: nums(80, 800, 400, 124), Fill: "teal", Radius: "62", Text: l.said("next"), Size: "44",
		Heavy: true, Colour: "card", Show: quizDone, Tap: q.Next}
	list = append(list, next)
	if q.Many {
		check := next
		check.Text, check.Show, check.Tap = l.said("check"), raw("not "+quizDone), answer(q, points)
		list = append(list, check)
	}
	return list
}

// said is a word of the house in every language of the pack.
func (l *loader) said(key string) Text {
	out := Text{}
	for _, lang := range l.pack.Languages {
		out[lang] = words.Load().Text(lang, "kiosk.demo."+key)
	}
	return out
}

// choiceLayer is one choice: a card, its text, and once it is answered a sign beside the right ones and the wrong one picked.
func choiceLayer(q *rawQuiz, points, i int, c rawChoice, high, pitch float64) rawLayer {
	y := float64(i) * pitch
	picked := quizChoice(i)
	tap := []rawAction{{If: raw("not " + quizDone), Set: raw(picked + " = 1; " + quizPick + fmt.Sprintf(" = %d", i+1)), Then: answer(q, points)}}
	if q.Many {
		tap = []rawAction{{If: raw("not " + quizDone), Set: raw(picked + " = 1 - " + picked)}}
	}
	sign, tint := raw(quizDone+" and "+picked), raw("coral")
	icon := crossLines
	if c.Right {
		sign, tint, icon = quizDone, "teal", checkLines
	}
	mark := rawLayer{At: nums(740, high/2-34, 68, 68), Fill: tint, Radius: "34", Show: sign, Layers: icon}
	return rawLayer{Tall: nums(70, 460+y, 860, high), Wide: nums(760, 100+y, 710, high), Of: nums(860, high), Layers: []rawLayer{
		{At: nums(0, 0, 860, high), Fill: "card", Stroke: "sand", Weight: "3", Radius: "36", Tap: tap},
		{At: nums(0, 0, 860, high), Stroke: tint, Weight: "8", Radius: "36", Show: sign},
		{At: nums(0, 0, 860, high), Stroke: "ink", Weight: "6", Radius: "36", Show: raw("not " + quizDone + " and " + picked)},
		{At: nums(0, 0, 740, high), Text: c.Text, Size: "44", Lines: 2, Align: "left", Inset: "44", Colour: "ink"},
		mark,
	}}
}

var checkLines = []rawLayer{
	{At: nums(0, 0, 68, 68), Line: nums(19, 36, 30, 47), Stroke: "card", Weight: "7"},
	{At: nums(0, 0, 68, 68), Line: nums(30, 47, 50, 23), Stroke: "card", Weight: "7"},
}

var crossLines = []rawLayer{
	{At: nums(0, 0, 68, 68), Line: nums(22, 22, 46, 46), Stroke: "card", Weight: "7"},
	{At: nums(0, 0, 68, 68), Line: nums(46, 22, 22, 46), Stroke: "card", Weight: "7"},
}
