package profiles

import (
	"embed"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"foyer/internal/strictyaml"
)

// Board is what people call the pins of one kind of computer. It is immutable once parsed.
//
// Where a port says "gpio:GPIO17,GPIO27" or "gpio:pin11,pin13", Lines turns pins into lines of the kernel, because the
// kernel's own names differ from board to board and from one version to the next.
type Board struct {
	Schema int      `yaml:"schema,required"` // the vocabulary's version: 1
	ID     string   `yaml:"id,required"`
	Title  Text     `yaml:"title,required"`
	Models []string `yaml:"models"` // how /proc/device-tree/model begins; empty = any computer that no other board fits
	Chip   string   `yaml:"chip"`   // the label of the chip that has the pins
	Prefix string   `yaml:"prefix"` // what stands before a line's number in its name on the board: GPIO
	Pins   []Pin    `yaml:"pins"`

	File string `yaml:"-"`
}

// Pin is one pin of the board's connector.
type Pin struct {
	Pin  int `yaml:"pin,required"` // counted on the connector
	Line int `yaml:"line"`         // of the chip
}

// maxPins bounds what a board can have: the kernel's lines a chip.
const maxPins = 1024

// ParseBoard reads one board. The error holds every fault.
func ParseBoard(name string, data []byte) (*Board, error) {
	b := &Board{File: name}
	doc := strictyaml.Decode(name, data, b)
	if b.Schema != Schema {
		doc.At("schema", "got %d, want %d: the vocabulary that this program reads", b.Schema, Schema)
	}
	if b.ID != "" && !idForm.MatchString(b.ID) {
		doc.At("id", "got %.40q, want 1 to 32 lower case letters, digits and dashes", b.ID)
	}
	if slices.Contains(b.Models, "") {
		doc.At("models", "has an empty name, which every computer's begins with")
	}
	if len(b.Pins) > 0 && b.Chip == "" {
		doc.At("pins", "belong to a chip: give chip too")
	}
	if b.Prefix != "" && !prefixForm.MatchString(b.Prefix) {
		doc.At("prefix", "got %.20q, want letters", b.Prefix)
	}
	b.pins(doc)
	if err := doc.Err(); err != nil {
		return nil, err
	}
	return b, nil
}

var prefixForm = regexp.MustCompile(`^[A-Za-z_]{1,16}$`)

func (b *Board) pins(doc *strictyaml.Doc) {
	pins, lines := map[int]bool{}, map[int]bool{}
	for i, p := range b.Pins {
		path := "pins[" + strconv.Itoa(i) + "]"
		if p.Pin < 1 || p.Pin > maxPins || p.Line < 0 || p.Line >= maxPins {
			doc.At(path, "pin %d, line %d: want a pin of 1 to %d and a line of 0 to %d", p.Pin, p.Line, maxPins, maxPins-1)
		}
		if pins[p.Pin] || lines[p.Line] {
			doc.At(path, "pin %d, line %d: one of them stands above already", p.Pin, p.Line)
		}
		pins[p.Pin], lines[p.Line] = true, true
	}
}

// Lines writes the pins of a port of two lines as lines of the kernel: "gpio:pin11,GPIO27" becomes
// "gpio:pinctrl-bcm2711/17,pinctrl-bcm2711/27". What is no pin of the board stays as it is: the kernel may know it.
func (b *Board) Lines(port string) string {
	scheme, rest, ok := strings.Cut(port, ":")
	if !ok || scheme != "gpio" {
		return port
	}
	names := strings.Split(rest, ",")
	for i, name := range names {
		if line, ok := b.line(strings.TrimSpace(name)); ok {
			names[i] = b.Chip + "/" + strconv.Itoa(line)
		}
	}
	return scheme + ":" + strings.Join(names, ",")
}

// line finds a pin by its place ("pin11") or by its name ("GPIO17").
func (b *Board) line(name string) (int, bool) {
	if digits, ok := strings.CutPrefix(name, "pin"); ok {
		n, err := strconv.Atoi(digits)
		i := slices.IndexFunc(b.Pins, func(p Pin) bool { return p.Pin == n })
		if err != nil || i < 0 {
			return 0, false
		}
		return b.Pins[i].Line, true
	}
	if digits, ok := strings.CutPrefix(name, b.Prefix); ok && b.Prefix != "" {
		n, err := strconv.Atoi(digits)
		return n, err == nil && slices.ContainsFunc(b.Pins, func(p Pin) bool { return p.Line == n })
	}
	return 0, false
}

//go:embed boards/*.yaml
var boardFiles embed.FS

// boards is parsed once. It panics only if an embedded file is broken, which the tests make impossible.
var boards = sync.OnceValue(func() []*Board {
	names, err := fs.Glob(boardFiles, "boards/*.yaml")
	if err != nil {
		panic(err)
	}
	all := make([]*Board, len(names))
	for i, name := range names {
		data, err := boardFiles.ReadFile(name)
		if err != nil {
			panic(err)
		}
		if all[i], err = ParseBoard(name, data); err != nil {
			panic(err)
		}
	}
	return all
})

// Boards returns the boards that come with the program.
func Boards() []*Board { return slices.Clone(boards()) }

// BoardOf returns the board of a model, as the device tree names it: "Raspberry Pi 4 Model B Rev 1.4". The longest fit
// wins; any other model gets the generic board, whose lines are the kernel's own.
func BoardOf(model string) *Board {
	var best *Board
	length := -1
	for _, b := range boards() {
		if len(b.Models) == 0 && length < 0 {
			best, length = b, 0
		}
		for _, m := range b.Models {
			if strings.HasPrefix(model, m) && len(m) > length {
				best, length = b, len(m)
			}
		}
	}
	return best
}

// ThisBoard returns the board of this computer.
func ThisBoard() *Board {
	model, err := os.ReadFile("/proc/device-tree/model")
	if err != nil {
		model = nil // no device tree: a PC
	}
	return BoardOf(strings.TrimRight(string(model), "\x00\n"))
}
