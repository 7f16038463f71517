// Package h5p reads contents that were made with H5P's editors, as plain data: no JavaScript of theirs is run.
//
// In: the files of an .h5p archive, h5p.json and content/content.json among them. Out: a list of Steps: questions with
// choices, cards with two sides, and pages of text, in the order in which they come. Texts lose their HTML.
// It never draws, never fetches, and knows no pack. Read natively are H5P.MultiChoice, TrueFalse, SingleChoiceSet,
// QuestionSet, Dialogcards, Flashcards and Accordion; another type is an error that names it.
// Called by kiosk/demo.
package h5p

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"regexp"
	"strings"
)

// Limits of a content.
const (
	MaxBytes = 1 << 20 // of content.json
	MaxSteps = 40
	maxText  = 600 // bytes of one text
)

// Step is one thing to look at or to answer. Exactly one of its parts is there.
type Step struct {
	Question string
	Choices  []Choice
	Many     bool // more than one choice is right
	Note     string

	Front, Back string // a card

	Title, Text string // a page
}

// Choice is one answer.
type Choice struct {
	Text  string
	Right bool
}

// Content is a whole content.
type Content struct {
	Title    string
	Language string
	Steps    []Step
}

// Read reads a content from its files by name.
func Read(files map[string][]byte) (Content, error) {
	head, ok := files["h5p.json"]
	body, there := files["content/content.json"]
	if !ok || !there {
		return Content{}, errors.New("want h5p.json and content/content.json: is this an H5P content?")
	}
	if len(head) > MaxBytes || len(body) > MaxBytes {
		return Content{}, fmt.Errorf("a content of more than %d bytes", MaxBytes)
	}
	var h struct {
		Title       string `json:"title"`
		Language    string `json:"language"`
		MainLibrary string `json:"mainLibrary"`
	}
	if err := json.Unmarshal(head, &h); err != nil {
		return Content{}, fmt.Errorf("h5p.json: %w", err)
	}
	c := Content{Title: plain(h.Title), Language: h.Language}
	if err := c.take(h.MainLibrary, body, 0); err != nil {
		return Content{}, err
	}
	switch n := len(c.Steps); {
	case n == 0:
		return Content{}, errors.New("content/content.json: there is nothing in it")
	case n > MaxSteps:
		return Content{}, fmt.Errorf("content/content.json: %d steps, want at most %d", n, MaxSteps)
	}
	return c, nil
}

// take adds what one library's parameters hold. A library is named "H5P.MultiChoice" or "H5P.MultiChoice 1.16".
func (c *Content) take(library string, params json.RawMessage, depth int) error {
	name, _, _ := strings.Cut(library, " ")
	read := map[string]func(json.RawMessage, int) error{
		"H5P.MultiChoice": c.multiChoice, "H5P.TrueFalse": c.trueFalse, "H5P.SingleChoiceSet": c.singleChoices, "H5P.QuestionSet": c.questionSet,
		"H5P.Dialogcards": c.dialogCards, "H5P.Flashcards": c.flashCards, "H5P.Accordion": c.accordion,
	}[name]
	if read == nil {
		return fmt.Errorf("the type %.60q is not played here; MultiChoice, TrueFalse, SingleChoiceSet, QuestionSet, Dialogcards, Flashcards and Accordion are", name)
	}
	if err := read(params, depth); err != nil {
		return fmt.Errorf("content/content.json: %s: %w", name, err)
	}
	return nil
}

func (c *Content) multiChoice(p json.RawMessage, _ int) error {
	var q struct {
		Question string `json:"question"`
		Answers  []struct {
			Text    string `json:"text"`
			Correct bool   `json:"correct"`
		} `json:"answers"`
		Overall []struct {
			Feedback string `json:"feedback"`
		} `json:"overallFeedback"`
	}
	if err := json.Unmarshal(p, &q); err != nil {
		return err
	}
	s := Step{Question: plain(q.Question)}
	right := 0
	for _, a := range q.Answers {
		s.Choices = append(s.Choices, Choice{plain(a.Text), a.Correct})
		if a.Correct {
			right++
		}
	}
	s.Many = right > 1
	return c.add(s)
}

func (c *Content) trueFalse(p json.RawMessage, _ int) error {
	var q struct {
		Question string `json:"question"`
		Correct  string `json:"correct"`
		Words    struct {
			True  string `json:"trueText"`
			False string `json:"falseText"`
		} `json:"l10n"`
	}
	if err := json.Unmarshal(p, &q); err != nil {
		return err
	}
	return c.add(Step{Question: plain(q.Question), Choices: []Choice{{or(plain(q.Words.True), "True"), q.Correct == "true"}, {or(plain(q.Words.False), "False"), q.Correct == "false"}}})
}

// singleChoices is a row of questions; the first answer of each is the right one.
func (c *Content) singleChoices(p json.RawMessage, _ int) error {
	var q struct {
		Choices []struct {
			Question string   `json:"question"`
			Answers  []string `json:"answers"`
		} `json:"choices"`
	}
	if err := json.Unmarshal(p, &q); err != nil {
		return err
	}
	for n, one := range q.Choices {
		s := Step{Question: plain(one.Question)}
		for i := range one.Answers {
			at := (i + n) % len(one.Answers) // the right one is not always the first
			s.Choices = append(s.Choices, Choice{plain(one.Answers[at]), at == 0})
		}
		if err := c.add(s); err != nil {
			return err
		}
	}
	return nil
}

func (c *Content) questionSet(p json.RawMessage, depth int) error {
	var q struct {
		Questions []struct {
			Library string          `json:"library"`
			Params  json.RawMessage `json:"params"`
		} `json:"questions"`
	}
	if err := json.Unmarshal(p, &q); err != nil {
		return err
	}
	if depth > 2 {
		return errors.New("sets within sets within sets")
	}
	for i, one := range q.Questions {
		if len(c.Steps) > MaxSteps {
			break
		}
		if err := c.take(one.Library, one.Params, depth+1); err != nil {
			return fmt.Errorf("question %d: %w", i+1, err)
		}
	}
	return nil
}

func (c *Content) dialogCards(p json.RawMessage, _ int) error {
	var q struct {
		Dialogs []struct {
			Text   string `json:"text"`
			Answer string `json:"answer"`
		} `json:"dialogs"`
	}
	if err := json.Unmarshal(p, &q); err != nil {
		return err
	}
	for _, d := range q.Dialogs {
		if err := c.add(Step{Front: plain(d.Text), Back: plain(d.Answer)}); err != nil {
			return err
		}
	}
	return nil
}

func (c *Content) flashCards(p json.RawMessage, _ int) error {
	var q struct {
		Cards []struct {
			Text   string `json:"text"`
			Answer string `json:"answer"`
		} `json:"cards"`
	}
	if err := json.Unmarshal(p, &q); err != nil {
		return err
	}
	for _, d := range q.Cards {
		if err := c.add(Step{Front: plain(d.Text), Back: plain(d.Answer)}); err != nil {
			return err
		}
	}
	return nil
}

func (c *Content) accordion(p json.RawMessage, _ int) error {
	var q struct {
		Panels []struct {
			Title   string `json:"title"`
			Content struct {
				Params struct {
					Text string `json:"text"`
				} `json:"params"`
			} `json:"content"`
		} `json:"panels"`
	}
	if err := json.Unmarshal(p, &q); err != nil {
		return err
	}
	for _, d := range q.Panels {
		if err := c.add(Step{Title: plain(d.Title), Text: plain(d.Content.Params.Text)}); err != nil {
			return err
		}
	}
	return nil
}

// add takes a step that makes sense.
func (c *Content) add(s Step) error {
	right := 0
	for _, x := range s.Choices {
		if x.Right {
			right++
		}
		if x.Text == "" {
			return fmt.Errorf("%.40q: an answer without text", s.Question)
		}
	}
	switch {
	case s.Question != "" && (len(s.Choices) < 2 || right == 0):
		return fmt.Errorf("%.40q: want two answers or more, and a right one", s.Question)
	case s.Question == "" && s.Front == "" && s.Title == "":
		return fmt.Errorf("step %d has no text", len(c.Steps)+1)
	}
	c.Steps = append(c.Steps, s)
	return nil
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

var tags = regexp.MustCompile(`<[^>]*>`)

// plain takes the HTML out of a text, and braces, which mean something on a stage.
func plain(s string) string {
	if len(s) > 16*maxText {
		s = s[:16*maxText]
	}
	s = html.UnescapeString(tags.ReplaceAllString(s, " "))
	s = strings.NewReplacer("{", "(", "}", ")", "$", "＄").Replace(strings.ToValidUTF8(s, ""))
	s = strings.Join(strings.Fields(s), " ")
	for len(s) > maxText {
		s = s[:strings.LastIndexAny(s[:maxText], " ，。,.;")+1]
	}
	return s
}
