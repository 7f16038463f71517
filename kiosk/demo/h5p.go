package demo

import (
	"fmt"
	"path"
	"strings"

	"foyer/kiosk/demo/h5p"
)

// h5p reads an H5P content of the pack, a folder or an .h5p file, as scenes that follow each other: the first has the name of
// the folder or file, the others that name and a number. After the last it says how many were right.
func (l *loader) h5p(name string) ([]rawScene, error) {
	files, err := l.h5pFiles(name)
	if err != nil {
		return nil, err
	}
	c, err := h5p.Read(files)
	if err != nil {
		return nil, err
	}
	base := strings.ToLower(strings.TrimSuffix(path.Base(name), ".h5p"))
	var scenes []rawScene
	for i, s := range c.Steps {
		one := rawScene{Name: stepName(base, i)}
		next := []rawAction{{Go: stepName(base, i+1)}}
		if i == len(c.Steps)-1 {
			next = []rawAction{{Go: base + ".end"}}
		}
		switch {
		case s.Question != "":
			one.Quiz = question(s, next)
		case s.Front != "":
			one.Layers = l.cardLayers(s, next, i+1, len(c.Steps))
		default:
			one.Layers = l.pageLayers(s, next, i+1, len(c.Steps))
		}
		scenes = append(scenes, one)
	}
	scenes[0].Enter = []rawAction{{Set: "score = 0"}}
	l.reveals["h5p_back"] = true
	return append(scenes, l.h5pEnd(base, c)), nil
}

func stepName(base string, i int) string {
	if i == 0 {
		return base
	}
	return fmt.Sprintf("%s.%d", base, i+1)
}

func (l *loader) h5pFiles(name string) (map[string][]byte, error) {
	if data, ok := l.pack.files[name]; ok {
		return unzip(data)
	}
	files := map[string][]byte{}
	for file, data := range l.pack.files {
		if inside, ok := strings.CutPrefix(file, strings.TrimSuffix(name, "/")+"/"); ok {
			files[inside] = data
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there is no such file or folder in the pack")
	}
	return files, nil
}

func anyText(s string) Text { return Text{"any": s} }

func question(s h5p.Step, next []rawAction) *rawQuiz {
	q := &rawQuiz{Question: anyText(s.Question), Many: s.Many, Score: 10, Next: next}
	if s.Note != "" {
		q.Note = anyText(s.Note)
	}
	for _, c := range s.Choices {
		q.Choices = append(q.Choices, rawChoice{anyText(c.Text), c.Right})
	}
	return q
}

func count(n, of int) rawLayer {
	return rawLayer{Tall: nums(70, 90, 860, 60), Wide: nums(80, 70, 1390, 60), Text: anyText(fmt.Sprintf("%d / %d", n, of)), Size: "38", Colour: "slate", Align: "left"}
}

func (l *loader) onward(next []rawAction) rawLayer {
	return rawLayer{Tall: nums(530, 1340, 400, 130), Wide: nums(1070, 820, 400, 130), Fill: "teal", Radius: "65", Text: l.said("next"), Size: "46", Heavy: true,
		Colour: "card", Tap: next}
}

// cardLayers is a card that turns over under a finger.
func (l *loader) cardLayers(s h5p.Step, next []rawAction, n, of int) []rawLayer {
	tall, wide := nums(90, 450, 820, 780), nums(250, 160, 1050, 600)
	return []rawLayer{
		count(n, of),
		{Tall: tall, Wide: wide, Fill: "card", Radius: "56", Shadow: true, Tap: []rawAction{{Set: "seen_h5p_back = 1 - seen_h5p_back"}}},
		{Tall: tall, Wide: wide, Fill: "mist", Radius: "56", Show: "seen_h5p_back"},
		{Tall: tall, Wide: wide, Text: anyText(s.Front), Size: "60", Heavy: true, Lines: 7, Inset: "60", Show: "not seen_h5p_back"},
		{Tall: tall, Wide: wide, Text: anyText(s.Back), Size: "60", Heavy: true, Lines: 7, Inset: "60", Colour: "teallow", Show: "seen_h5p_back"},
		l.onward(append([]rawAction{{Set: "seen_h5p_back = 0"}}, next...)),
	}
}

func (l *loader) pageLayers(s h5p.Step, next []rawAction, n, of int) []rawLayer {
	list := []rawLayer{
		count(n, of),
		{Tall: nums(70, 180, 860, 220), Wide: nums(80, 150, 1390, 130), Text: anyText(s.Title), Size: "70", Heavy: true, Lines: 3, Align: "left"},
		l.onward(next),
	}
	if s.Text != "" {
		list = append(list, rawLayer{Tall: nums(70, 450, 860, 800), Wide: nums(80, 320, 1390, 460), Text: anyText(s.Text), Size: "46", Lines: 12, Align: "left", Top: true, Colour: "slate"})
	}
	return list
}

// h5pEnd tells what was scored, and begins again.
func (l *loader) h5pEnd(base string, c h5p.Content) rawScene {
	asked := 0
	for _, s := range c.Steps {
		if s.Question != "" {
			asked++
		}
	}
	end := rawScene{Name: base + ".end", Enter: []rawAction{{Finish: "done"}}, Layers: []rawLayer{
		{Tall: nums(70, 200, 860, 200), Wide: nums(80, 160, 1390, 180), Text: anyText(c.Title), Size: "72", Heavy: true, Lines: 3},
		{Tall: nums(70, 1100, 860, 150), Wide: nums(500, 700, 550, 150), Fill: "teal", Radius: "75", Text: l.said("again"), Size: "52", Heavy: true, Colour: "card",
			Tap: []rawAction{{Go: base}}},
	}}
	if c.Title == "" {
		end.Layers = end.Layers[1:]
	}
	if asked > 0 {
		end.Layers = append(end.Layers, rawLayer{Tall: nums(70, 480, 860, 300), Wide: nums(80, 360, 1390, 280), Text: anyText(fmt.Sprintf("{score / 10} / %d", asked)),
			Size: "200", Heavy: true, Colour: "teal"})
	}
	return end
}
