package demo

// Text is a text in every language of the pack, or under "any" one that needs no translation: a number, a name.
type Text map[string]string

// In returns the text in lang.
func (t Text) In(lang string) string {
	for _, l := range []string{lang, "any", "en"} {
		if s, ok := t[l]; ok {
			return s
		}
	}
	return ""
}

// raw is an expression, a number or a text as it was written.
type raw string

// UnmarshalText takes whatever was written.
func (r *raw) UnmarshalText(text []byte) error {
	*r = raw(text)
	return nil
}

// Manifest is manifest.json (YAML is taken too: JSON is a part of it).
type Manifest struct {
	ID        string         `yaml:"id,required"`      // lower-case letters, digits and dashes
	Version   int            `yaml:"version,required"` // counts from 1
	Title     Text           `yaml:"title,required"`
	About     Text           `yaml:"about,required"` // one line for the shelf
	Cover     string         `yaml:"cover,required"` // a square picture for the shelf
	Tint      string         `yaml:"tint"`           // the colour around the cover; mist if there is none
	Kind      kind           `yaml:"kind"`           // demo (the default), game or quiz
	Languages []string       `yaml:"languages,required"`
	Seconds   int            `yaml:"seconds,required"` // how long playing it usually takes
	Age       int            `yaml:"age"`              // fit for children from this age on
	Vars      map[string]raw `yaml:"vars"`             // the pack's variables and what they start with
	Scenes    []string       `yaml:"scenes"`           // files of scenes; the first scene of the first file begins
	H5P       []string       `yaml:"h5p"`              // folders or .h5p files; each becomes the scene of its name
	Reward    *Reward        `yaml:"reward"`
	Sources   []string       `yaml:"sources"` // where figures that the pack shows come from
	Licence   string         `yaml:"licence"`
}

// Reward is what a good score is worth; a campaign at headquarters says what that is.
type Reward struct {
	Name  string `yaml:"name,required"`
	Score int    `yaml:"score,required"` // and above
	Title Text   `yaml:"title,required"`
}

type kind string

func (kind) Words() []string { return []string{"demo", "game", "quiz"} }

// rawFile is a file of scenes.
type rawFile struct {
	Scenes []rawScene `yaml:"scenes,required"`
	Parts  []rawPart  `yaml:"parts"`
}

// rawPart is a group of layers that scenes share.
type rawPart struct {
	Name   string     `yaml:"name,required"`
	Layers []rawLayer `yaml:"layers,required"`
}

type rawScene struct {
	Name   string      `yaml:"name,required"`
	Ground raw         `yaml:"ground"` // a colour; paper if there is none
	Enter  []rawAction `yaml:"enter"`
	Tick   []rawAction `yaml:"tick"` // done again and again; dt is the time since the last
	Timers []rawTimer  `yaml:"timers"`
	Layers []rawLayer  `yaml:"layers"`
	Quiz   *rawQuiz    `yaml:"quiz"`
}

type rawTimer struct {
	After raw         `yaml:"after,required"` // seconds since the scene came
	Do    []rawAction `yaml:"do,required"`
}

type rawQuiz struct {
	Question Text        `yaml:"question,required"`
	Note     Text        `yaml:"note"` // shown once it is answered
	Choices  []rawChoice `yaml:"choices,required"`
	Many     bool        `yaml:"many"` // more than one is right
	Score    int         `yaml:"score"`
	Next     []rawAction `yaml:"next,required"`
}

type rawChoice struct {
	Text  Text `yaml:"text,required"`
	Right bool `yaml:"right"`
}

// rawAction is one thing that happens. Without go or finish the next one of the list follows.
type rawAction struct {
	If     raw         `yaml:"if"`     // only then
	Set    raw         `yaml:"set"`    // "a = 1; b = a + 1"
	Reveal string      `yaml:"reveal"` // a layer's id
	Hide   string      `yaml:"hide"`
	Then   []rawAction `yaml:"then"`
	Else   []rawAction `yaml:"else"`
	Go     string      `yaml:"go"`
	Finish raw         `yaml:"finish"` // done, won or lost
}

type rawSlide struct {
	Var  string `yaml:"var,required"`
	From raw    `yaml:"from,required"`
	To   raw    `yaml:"to,required"`
	Step raw    `yaml:"step"`
}

// rawLayer is one thing on the stage. Whatever of fill, image, clip, cart, ring, text and layers it has is drawn in this order.
type rawLayer struct {
	ID   string `yaml:"id"`   // for reveal and hide
	At   []raw  `yaml:"at"`   // x, y, width, height
	Tall []raw  `yaml:"tall"` // instead of at where the stage stands
	Wide []raw  `yaml:"wide"` // and where it lies
	Show raw    `yaml:"show"` // only while this is not 0

	Fill    raw   `yaml:"fill"` // a colour
	Stroke  raw   `yaml:"stroke"`
	Weight  raw   `yaml:"weight"` // of the stroke
	Radius  raw   `yaml:"radius"`
	Shadow  bool  `yaml:"shadow"`
	Line    []raw `yaml:"line"`  // x1, y1, x2, y2 within at; stroke and weight
	Ring    []raw `yaml:"ring"`  // from and to in degrees, clockwise from the top
	Image   raw   `yaml:"image"` // a file
	Clip    raw   `yaml:"clip"`
	Playing raw   `yaml:"playing"` // the clip runs while this is not 0
	Cart    raw   `yaml:"cart"`

	Text   Text `yaml:"text"`
	Size   raw  `yaml:"size"`
	Heavy  bool `yaml:"heavy"`
	Colour raw  `yaml:"colour"`
	Align  side `yaml:"align"`
	Top    bool `yaml:"top"` // the text begins at the top instead of standing in the middle
	Lines  int  `yaml:"lines"`
	Inset  raw  `yaml:"inset"` // of the text, left and right

	Opacity raw     `yaml:"opacity"`
	Move    [][]raw `yaml:"move"`  // seconds, x, y
	Scale   [][]raw `yaml:"scale"` // seconds, factor
	Fade    [][]raw `yaml:"fade"`  // seconds, opacity
	Clock   raw     `yaml:"clock"` // what the keyframes go by; t
	Loop    raw     `yaml:"loop"`  // they begin again after so many seconds
	Ease    ease    `yaml:"ease"`

	Of     []raw            `yaml:"of"` // the width and height that the inner layers count in
	Layers []rawLayer       `yaml:"layers"`
	Part   string           `yaml:"part"`
	Each   []map[string]raw `yaml:"each"` // the layer once for each; $key stands for its value

	Tap   []rawAction `yaml:"tap"`
	Left  []rawAction `yaml:"left"`  // swiped to the left
	Right []rawAction `yaml:"right"` // and to the right
	Slide *rawSlide   `yaml:"slide"`
	Hold  button      `yaml:"hold"` // a button of the cartridge's gamepad
}

type side string

func (side) Words() []string { return []string{"left", "center", "right"} }

type ease string

func (ease) Words() []string { return []string{"out", "in", "both", "none"} }

type button string

func (button) Words() []string { return []string{"left", "right", "up", "down", "x", "z"} }
