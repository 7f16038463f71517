package demo

import (
	"errors"
	"fmt"
	"image/color"
	"io/fs"
	"maps"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"foyer/internal/strictyaml"
)

// ManifestFile is what every pack has.
const ManifestFile = "manifest.json"

var idForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// Open reads a pack and reports every fault that can be found without playing it.
func Open(from fs.FS, r Rules) (*Pack, error) {
	files, err := readAll(from)
	if err != nil {
		return nil, err
	}
	return open(files, r)
}

// readAll takes all files into memory, within the limits of a pack.
func readAll(from fs.FS) (map[string][]byte, error) {
	files := map[string][]byte{}
	total := 0
	err := fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return nil
		case !d.Type().IsRegular():
			return fmt.Errorf("%s: a pack holds files and folders only", name)
		case len(files) >= MaxFiles:
			return fmt.Errorf("more than %d files", MaxFiles)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Size() > MaxFile {
			return fmt.Errorf("%s: %d bytes, want at most %d", name, info.Size(), MaxFile)
		}
		data, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		if total += len(data); total > MaxBytes {
			return fmt.Errorf("%s: all files together are above %d bytes", name, MaxBytes)
		}
		files[name] = data
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read pack: %w", err)
	}
	return files, nil
}

func open(files map[string][]byte, r Rules) (*Pack, error) {
	data, ok := files[ManifestFile]
	if !ok {
		return nil, fmt.Errorf("there is no %s: a pack is a folder with that file in it", ManifestFile)
	}
	l := &loader{rules: r, pack: &Pack{files: files, byName: map[string]int{}}, reveals: map[string]bool{}}
	l.doc = strictyaml.Decode(ManifestFile, data, &l.pack.Manifest)
	l.manifest()
	raws := l.rawScenes()
	l.compile(raws)
	if len(l.faults) == 0 && l.doc.OK() {
		l.stage()
	}
	if err := errors.Join(append([]error{l.doc.Err()}, l.faults...)...); err != nil {
		return nil, err
	}
	return l.pack, nil
}

// loader builds a pack and collects its faults. doc is the file being read.
type loader struct {
	rules   Rules
	pack    *Pack
	doc     *strictyaml.Doc
	faults  []error
	reveals map[string]bool
	actions int
	layers  int
	touch   int
}

func (l *loader) manifest() {
	m := &l.pack.Manifest
	if !idForm.MatchString(m.ID) {
		l.doc.At("id", "%.40q: want 1 to 32 lower-case letters, digits or dashes", m.ID)
	}
	if m.Version < 1 {
		l.doc.At("version", "want a number of 1 or more")
	}
	if m.Kind == "" {
		m.Kind = "demo"
	}
	if len(m.Languages) == 0 || len(m.Languages) > 8 {
		l.doc.At("languages", "want 1 to 8 languages, as [zh-CN, en]")
	}
	if m.Seconds < 1 || m.Seconds > MaxSeconds {
		l.doc.At("seconds", "want 1 to %d: how long playing usually takes", MaxSeconds)
	}
	if m.Age < 0 || m.Age > 18 {
		l.doc.At("age", "want 0 to 18")
	}
	l.words("title", m.Title)
	l.words("about", m.About)
	l.picture("cover", m.Cover)
	if m.Tint != "" {
		l.colour("tint", raw(m.Tint))
	}
	if m.Reward != nil {
		l.words("reward.title", m.Reward.Title)
		if !idForm.MatchString(m.Reward.Name) {
			l.doc.At("reward.name", "%.40q: want 1 to 32 lower-case letters, digits or dashes", m.Reward.Name)
		}
	}
	l.variables()
}

// variables gives each variable its place, in the order of their names.
func (l *loader) variables() {
	m := &l.pack.Manifest
	l.pack.slots = maps.Clone(builtin)
	if len(m.Vars) > MaxVars {
		l.doc.At("vars", "%d variables, want at most %d", len(m.Vars), MaxVars)
		return
	}
	l.pack.start = make([]float64, firstOwn, firstOwn+len(m.Vars))
	for _, name := range slices.Sorted(maps.Keys(m.Vars)) {
		at := strictyaml.Join("vars", name)
		if !regexp.MustCompile(`^[a-z][a-z0-9_]*$`).MatchString(name) || functions[name].do != nil || slices.Contains([]string{"and", "or", "not"}, name) {
			l.doc.At(at, "want a name of lower-case letters, digits and _")
			continue
		}
		if _, taken := builtin[name]; taken {
			l.doc.At(at, "this name is taken: it means something already")
			continue
		}
		e, err := compile(string(m.Vars[name]), builtin)
		if err != nil {
			l.doc.At(at, "%v", err)
			continue
		}
		l.pack.slots[name] = len(l.pack.start)
		l.pack.start = append(l.pack.start, e(l.pack.start))
	}
}

// source is a file of scenes or what stands for one.
type source struct {
	doc    *strictyaml.Doc
	scenes []rawScene
	parts  map[string][]rawLayer
}

// rawScenes reads the files of scenes and the H5P contents.
func (l *loader) rawScenes() []source {
	var all []source
	manifest := l.doc
	for i, name := range l.pack.Scenes {
		data, ok := l.pack.files[name]
		if !ok {
			manifest.At(fmt.Sprintf("scenes[%d]", i), "there is no file %q in the pack", name)
			continue
		}
		var f rawFile
		s := source{doc: strictyaml.Decode(name, data, &f), scenes: f.Scenes, parts: map[string][]rawLayer{}}
		for _, p := range f.Parts {
			s.parts[p.Name] = p.Layers
		}
		all = append(all, s)
	}
	for i, name := range l.pack.Manifest.H5P {
		scenes, err := l.h5p(name)
		if err != nil {
			manifest.At(fmt.Sprintf("h5p[%d]", i), "%s: %v", name, err)
			continue
		}
		all = append(all, source{doc: manifest, scenes: scenes})
	}
	if len(l.pack.Scenes)+len(l.pack.Manifest.H5P) == 0 {
		manifest.At("scenes", "is missing: name at least one file of scenes, or one H5P content in h5p")
	}
	return all
}

func (l *loader) compile(all []source) {
	if hasQuiz(all) {
		l.quizVars()
	}
	for _, s := range all {
		for i, sc := range s.scenes {
			if _, twice := l.pack.byName[sc.Name]; twice {
				s.doc.At(fmt.Sprintf("scenes[%d].name", i), "there are two scenes %q", sc.Name)
			}
			l.pack.byName[sc.Name] = len(l.pack.byName)
			l.reveal(sc.Layers)
		}
		for _, layers := range s.parts {
			l.reveal(layers)
		}
	}
	for id := range l.reveals {
		if _, taken := l.pack.slots["seen_"+id]; !taken {
			l.pack.slots["seen_"+id] = len(l.pack.start)
			l.pack.start = append(l.pack.start, 0)
		}
	}
	if n := len(l.pack.byName); n > MaxScenes || n == 0 {
		l.doc.At("scenes", "%d scenes, want 1 to %d", n, MaxScenes)
		return
	}
	manifest := l.doc
	for _, s := range all {
		l.doc = s.doc
		for i, sc := range s.scenes {
			l.pack.scenes = append(l.pack.scenes, l.scene(fmt.Sprintf("scenes[%d]", i), sc, s.parts))
		}
		if s.doc != manifest {
			if err := s.doc.Err(); err != nil {
				l.faults = append(l.faults, err)
			}
		}
	}
	l.doc = manifest
}

// reveal collects the ids of layers: each has a variable that says whether it is seen.
func (l *loader) reveal(layers []rawLayer) {
	for _, x := range layers {
		if x.ID != "" {
			l.reveals[x.ID] = true
		}
		l.reveal(x.Layers)
	}
}

func (l *loader) scene(at string, s rawScene, parts map[string][]rawLayer) scene {
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,40}$`).MatchString(s.Name) {
		l.doc.At(at+".name", "%.40q: want lower-case letters, digits, dots, dashes", s.Name)
	}
	if s.Quiz != nil {
		l.quiz(at+".quiz", &s)
	}
	out := scene{name: s.Name, ground: l.colourOr(at+".ground", s.Ground, "paper")}
	l.layers, l.touch = 0, 0
	out.enter = l.list(at+".enter", s.Enter)
	out.tick = l.list(at+".tick", s.Tick)
	for i, t := range s.Timers {
		p := fmt.Sprintf("%s.timers[%d]", at, i)
		out.timers = append(out.timers, timer{l.num(p+".after", t.After, 0), l.list(p+".do", t.Do)})
	}
	out.layers = l.compileLayers(at+".layers", s.Layers, parts, 0)
	out.count = l.touch
	if l.layers > MaxLayers {
		l.doc.At(at+".layers", "%d layers, want at most %d", l.layers, MaxLayers)
	}
	return out
}

func (l *loader) list(at string, actions []rawAction) []action {
	var out []action
	for i, a := range actions {
		if l.actions++; l.actions > MaxActions {
			l.doc.At(at, "more than %d actions in the pack", MaxActions)
			return nil
		}
		out = append(out, l.action(fmt.Sprintf("%s[%d]", at, i), a))
	}
	return out
}

func (l *loader) action(at string, a rawAction) action {
	out := action{scene: -1, finish: string(a.Finish)}
	if a.If != "" {
		out.when = l.num(at+".if", a.If, 0)
	}
	if a.Set != "" {
		set, err := assignments(string(a.Set), l.pack.slots)
		if err != nil {
			l.doc.At(at+".set", "%v", err)
		}
		out.set = set
	}
	for id, v := range map[string]float64{a.Reveal: 1, a.Hide: 0} {
		if id == "" {
			continue
		}
		slot, ok := l.pack.slots["seen_"+id]
		if !ok {
			l.doc.At(at, "there is no layer with the id %q", id)
			continue
		}
		out.set = append(out.set, assignment{slot, constant(v)})
	}
	if a.Go != "" {
		n, ok := l.pack.byName[a.Go]
		if !ok {
			l.doc.At(at+".go", "there is no scene %q; there are %s", a.Go, strings.Join(slices.Sorted(maps.Keys(l.pack.byName)), ", "))
			n = -1
		}
		out.scene = n
	}
	if a.Finish != "" && !slices.Contains([]raw{"done", "won", "lost"}, a.Finish) {
		l.doc.At(at+".finish", "%.20q: want done, won or lost", string(a.Finish))
	}
	out.then, out.other = l.list(at+".then", a.Then), l.list(at+".else", a.Else)
	return out
}

func (l *loader) compileLayers(at string, raws []rawLayer, parts map[string][]rawLayer, depth int) []layer {
	if depth > MaxNest {
		l.doc.At(at, "groups are nested deeper than %d levels", MaxNest)
		return nil
	}
	var out []layer
	for i, x := range raws {
		p := fmt.Sprintf("%s[%d]", at, i)
		copies := []rawLayer{x}
		if len(x.Each) > 0 {
			copies = copies[:0]
			for _, with := range x.Each {
				one := substituted(x, with)
				one.Each = nil
				copies = append(copies, one)
			}
		}
		for _, one := range copies {
			if l.layers++; l.layers > MaxLayers {
				return out
			}
			if one.Part != "" {
				inner, ok := parts[one.Part]
				if !ok {
					l.doc.At(p+".part", "there is no part %q in this file", one.Part)
				}
				one.Layers = append(slices.Clone(one.Layers), inner...)
			}
			out = append(out, l.layer(p, one, parts, depth))
		}
	}
	return out
}

// substituted is a layer with $key replaced by its value in every text of it.
func substituted(x rawLayer, with map[string]raw) rawLayer {
	var pairs []string
	// Longer names first: $ab is not $a and a b.
	for _, k := range slices.SortedFunc(maps.Keys(with), func(a, b string) int { return len(b) - len(a) }) {
		pairs = append(pairs, "$"+k, string(with[k]))
	}
	r := strings.NewReplacer(pairs...)
	return replaced(reflect.ValueOf(x), r).Interface().(rawLayer)
}

func replaced(v reflect.Value, r *strings.Replacer) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch v.Kind() {
	case reflect.String:
		out.SetString(r.Replace(v.String()))
	case reflect.Struct:
		for i := range v.NumField() {
			out.Field(i).Set(replaced(v.Field(i), r))
		}
	case reflect.Slice:
		if v.IsNil() {
			break
		}
		out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			out.Index(i).Set(replaced(v.Index(i), r))
		}
	case reflect.Map:
		if v.IsNil() {
			break
		}
		out.Set(reflect.MakeMap(v.Type()))
		for _, k := range v.MapKeys() {
			out.SetMapIndex(k, replaced(v.MapIndex(k), r))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			p := reflect.New(v.Type().Elem())
			p.Elem().Set(replaced(v.Elem(), r))
			out.Set(p)
		}
	}
	return out
}

func (l *loader) layer(at string, x rawLayer, parts map[string][]rawLayer, depth int) layer {
	out := layer{shadow: x.Shadow, heavy: x.Heavy, align: x.Align, top: x.Top, lines: x.Lines, ease: x.Ease, hold: x.Hold, touch: -1}
	l.places(at, x, &out)
	l.looks(at, x, &out)
	l.motion(at, x, &out)
	l.touches(at, x, &out)
	switch len(x.Of) {
	case 0:
	case 2:
		out.of = l.nums(at+".of", x.Of)
	default:
		l.doc.At(at+".of", "want [width, height]")
	}
	if len(x.Layers) > 0 {
		out.inner = l.compileLayers(at+".layers", x.Layers, parts, depth+1)
	}
	return out
}

// places compiles where the layer is and when it is seen.
func (l *loader) places(at string, x rawLayer, out *layer) {
	for form, own := range [2][]raw{x.Wide, x.Tall} {
		key := [2]string{".wide", ".tall"}[form]
		if own == nil {
			own, key = x.At, ".at"
		}
		switch {
		case len(own) == 4:
			out.at[form] = l.nums(at+key, own)
		case own == nil && x.Wide == nil && x.Tall == nil:
			w, h := Stage(form == 1)
			if depthless := x.Of == nil; depthless {
				out.at[form] = []expr{constant(0), constant(0), constant(float64(w)), constant(float64(h))}
				continue
			}
			fallthrough
		default:
			l.doc.At(at+key, "want [x, y, width, height]")
			out.at[form] = []expr{constant(0), constant(0), constant(1), constant(1)}
		}
	}
	if x.Show != "" {
		out.show = l.num(at+".show", x.Show, 1)
	} else if x.ID != "" {
		slot := l.pack.slots["seen_"+x.ID]
		out.show = func(v []float64) float64 { return v[slot] }
	}
}

func (l *loader) looks(at string, x rawLayer, out *layer) {
	out.fill, out.stroke = l.colourOr(at+".fill", x.Fill, ""), l.colourOr(at+".stroke", x.Stroke, "")
	out.weight, out.radius = l.num(at+".weight", x.Weight, 4), l.num(at+".radius", x.Radius, 0)
	if x.Line != nil {
		if out.line = l.nums(at+".line", x.Line); len(x.Line) != 4 {
			l.doc.At(at+".line", "want [x1, y1, x2, y2]")
			out.line = nil
		}
	}
	if x.Ring != nil {
		if out.ring = l.nums(at+".ring", x.Ring); len(x.Ring) != 2 {
			l.doc.At(at+".ring", "want [from, to] in degrees")
			out.ring = nil
		}
	}
	if x.Image != "" {
		out.image = l.picture(at+".image", string(x.Image))
	}
	if x.Clip != "" {
		out.clip = l.clipFile(at+".clip", string(x.Clip))
	}
	if x.Cart != "" {
		out.cart = l.cartFile(at+".cart", string(x.Cart))
	}
	out.playing = l.num(at+".playing", x.Playing, 1)
	out.opacity = l.num(at+".opacity", x.Opacity, 1)
	if x.Text != nil {
		l.words(at+".text", x.Text)
		out.text = map[string]saying{}
		for lang, text := range x.Text {
			s, err := compileSaying(text, l.pack.slots)
			if err != nil {
				l.doc.At(at+".text", "%v", err)
			}
			out.text[lang] = s
		}
		out.size = l.num(at+".size", x.Size, 40)
		out.inset = l.num(at+".inset", x.Inset, 0)
		out.colour = l.colourOr(at+".colour", x.Colour, "ink")
		if out.lines == 0 {
			out.lines = 1
		}
		if out.lines < 1 || out.lines > 14 {
			l.doc.At(at+".lines", "want 1 to 14")
		}
	}
}

func (l *loader) motion(at string, x rawLayer, out *layer) {
	tracks := []struct {
		key  string
		rows [][]raw
		size int
		into *track
	}{{".move", x.Move, 3, &out.move}, {".scale", x.Scale, 2, &out.scale}, {".fade", x.Fade, 2, &out.fade}}
	for _, t := range tracks {
		if len(t.rows) > 24 {
			l.doc.At(at+t.key, "%d keyframes, want at most 24", len(t.rows))
			continue
		}
		for i, row := range t.rows {
			p := fmt.Sprintf("%s%s[%d]", at, t.key, i)
			if len(row) != t.size {
				l.doc.At(p, "want %d numbers: seconds first", t.size)
				continue
			}
			*t.into = append(*t.into, l.nums(p, row))
		}
	}
	if x.Clock != "" {
		out.clock = l.num(at+".clock", x.Clock, 0)
	}
	if x.Loop != "" {
		out.loop = l.num(at+".loop", x.Loop, 0)
	}
}

func (l *loader) touches(at string, x rawLayer, out *layer) {
	out.tap, out.swipeL, out.swipeR = l.list(at+".tap", x.Tap), l.list(at+".left", x.Left), l.list(at+".right", x.Right)
	if s := x.Slide; s != nil {
		slot, ok := l.pack.slots[s.Var]
		if !ok || slot < firstOwn {
			l.doc.At(at+".slide.var", "there is no variable %q; give it in vars of the manifest", s.Var)
		}
		out.slide = &slider{slot, l.num(at+".slide.from", s.From, 0), l.num(at+".slide.to", s.To, 1), l.num(at+".slide.step", s.Step, 0)}
	}
	if len(out.tap)+len(out.swipeL)+len(out.swipeR) > 0 || out.slide != nil || out.hold != "" || out.cart != "" {
		out.touch = l.touch
		l.touch++
	}
}

func (l *loader) num(at string, r raw, otherwise float64) expr {
	if r == "" {
		return constant(otherwise)
	}
	e, err := compile(string(r), l.pack.slots)
	if err != nil {
		l.doc.At(at, "%v", err)
		return constant(otherwise)
	}
	return e
}

func (l *loader) nums(at string, list []raw) []expr {
	out := make([]expr, len(list))
	for i, r := range list {
		out[i] = l.num(fmt.Sprintf("%s[%d]", at, i), r, 0)
	}
	return out
}

// words holds a text against the languages of the pack and the characters of our font.
func (l *loader) words(at string, t Text) {
	langs := l.pack.Languages
	if _, any := t["any"]; any {
		langs = []string{"any"}
	}
	for _, lang := range langs {
		if strings.TrimSpace(t[lang]) == "" {
			l.doc.At(at, "is missing in %s", lang)
		}
	}
	for _, lang := range slices.Sorted(maps.Keys(t)) {
		if !slices.Contains(langs, lang) {
			l.doc.At(strictyaml.Join(at, lang), "the pack does not speak %s; its languages are %s", lang, strings.Join(l.pack.Languages, ", "))
		}
		if l.rules.Covers != nil && !l.rules.Covers(t[lang]) {
			l.doc.At(strictyaml.Join(at, lang), "%.60q has a character that the screen's font lacks", t[lang])
		}
		if len(t[lang]) > 1200 {
			l.doc.At(strictyaml.Join(at, lang), "%d bytes of text, want at most 1200", len(t[lang]))
		}
	}
}

func (l *loader) colourOr(at string, r raw, otherwise string) color.NRGBA {
	if r == "" {
		if otherwise == "" {
			return color.NRGBA{}
		}
		r = raw(otherwise)
	}
	return l.colour(at, r)
}

// colour reads a name of the house's palette, perhaps with an opacity ("ink/40"), or #RRGGBB or #RRGGBBAA.
func (l *loader) colour(at string, r raw) color.NRGBA {
	text := string(r)
	if hex, ok := strings.CutPrefix(text, "#"); ok && (len(hex) == 6 || len(hex) == 8) {
		if len(hex) == 6 {
			hex += "ff"
		}
		if v, err := strconv.ParseUint(hex, 16, 32); err == nil {
			return color.NRGBA{R: uint8(v >> 24), G: uint8(v >> 16), B: uint8(v >> 8), A: uint8(v)}
		}
	}
	name, part, thin := strings.Cut(text, "/")
	c, ok := color.NRGBA{A: 0xFF}, !strings.HasPrefix(name, "#")
	if ok && l.rules.Colour != nil {
		c, ok = l.rules.Colour(name)
	}
	percent := 100
	if thin {
		var err error
		percent, err = strconv.Atoi(part)
		ok = ok && err == nil && percent >= 0 && percent <= 100
	}
	if !ok {
		l.doc.At(at, "%.30q is no colour: want #RRGGBB, or a name of the palette like teal, coral/50", text)
	}
	c.A = uint8(int(c.A) * percent / 100)
	return c
}

func (l *loader) file(at, name string, ending ...string) []byte {
	data, ok := l.pack.files[name]
	switch {
	case !slices.Contains(ending, strings.ToLower(path.Ext(name))):
		l.doc.At(at, "%.60q: want a file that ends in %s", name, strings.Join(ending, " or "))
	case !ok:
		l.doc.At(at, "there is no file %q in the pack", name)
	}
	return data
}

func (l *loader) picture(at, name string) string {
	data := l.file(at, name, ".svg", ".png")
	if data != nil && l.rules.Picture != nil {
		if err := l.rules.Picture(name, data); err != nil {
			l.doc.At(at, "%s: %v", name, err)
		}
	}
	return name
}

// Limits of a clip: what a box without a graphics chip plays at full rate.
const (
	maxClipPixels  = 1280 * 720
	maxClipSeconds = 120
	maxClipRate    = 30.01
)

func (l *loader) clipFile(at, name string) string {
	data := l.file(at, name, ".mpg")
	if data == nil || l.rules.Clip == nil {
		return name
	}
	w, h, fps, seconds, err := l.rules.Clip(data)
	switch {
	case err != nil:
		l.doc.At(at, "%s: %v", name, err)
	case w*h > maxClipPixels:
		l.doc.At(at, "%s: %d x %d, want at most 1280 x 720", name, w, h)
	case fps > maxClipRate:
		l.doc.At(at, "%s: %.2f pictures a second, want at most 30", name, fps)
	case seconds > maxClipSeconds:
		l.doc.At(at, "%s: %.0f seconds, want at most %d", name, seconds, maxClipSeconds)
	}
	return name
}

func (l *loader) cartFile(at, name string) string {
	data := l.file(at, name, ".wasm")
	if data != nil && l.rules.Cart != nil {
		if err := l.rules.Cart(data); err != nil {
			l.doc.At(at, "%s: %v", name, err)
		}
	}
	return name
}
