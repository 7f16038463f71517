// Package cart plays WASM-4 cartridges: programs of at most 64 KB that draw a picture of 160 x 160 in four colours, sixty
// times a second.
//
// In: a cartridge's bytes, and for each frame what a finger does: buttons, and a point of the picture in pixels. Out: the
// picture, and what the program said of its game by trace("foyer score 120") and trace("foyer over 120").
// It gives a cartridge no file, no clock, no network and no more than its 64 KB. One that takes longer than its time for a
// frame is ended, and nothing else is. It never draws on a screen and starts no goroutine.
// Called by kiosk/glass for what is on the stage, and by cmd/foyer, which checks and tries cartridges.
//
// # The machine
//
// Memory is one page that the machine owns: palette at 0x04 (four 0x00RRGGBB), drawing colours at 0x14, gamepad at 0x16,
// mouse at 0x1A (x, y), 0x1E (buttons), flags at 0x1F, picture at 0xA0 (two bits a pixel, the lowest first). A cartridge
// exports update, perhaps start, and draws by writing to the picture or by the functions of draw.go.
package cart

import (
	"context"
	"errors"
	"fmt"
	"image"
	"strconv"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// The machine's measures.
const (
	Side     = 160
	MaxBytes = 64 << 10
	Rate     = 60 // frames a second

	// SlowStart and SlowFrame are how long a program may take before it is ended: far more than an honest one needs.
	SlowStart = 2 * time.Second
	SlowFrame = time.Second

	palette   = 0x04
	drawColor = 0x14
	gamepad   = 0x16
	mouse     = 0x1A
	flags     = 0x1F
	picture   = 0xA0
	pictureN  = Side * Side / 4
	keepFrame = 1 // a flag: the picture is not cleared before a frame

	maxTraces = 64 // a frame: what a program says beyond them is not heard
)

// ErrSlow is the error of a cartridge that was ended because it took too long.
var ErrSlow = errors.New("the cartridge took too long and was ended")

// Pad is what a finger does during a frame.
type Pad struct {
	X, Z, Left, Right, Up, Down bool
	Touch                       bool
	At                          image.Point // 0 to 159
}

// Said is what a program told of its game.
type Said struct {
	Score int
	Over  bool
}

// Machine runs one cartridge.
type Machine struct {
	runtime wazero.Runtime
	memory  api.Memory
	update  api.Function
	said    Said
	disk    []byte
	traces  int
	fault   error
}

// Check tells whether a cartridge can be run: its size, its imports and its exports. It runs nothing of it.
func Check(wasm []byte) error {
	ctx := context.Background()
	if len(wasm) > MaxBytes {
		return fmt.Errorf("%d bytes, want at most %d", len(wasm), MaxBytes)
	}
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithMemoryLimitPages(1))
	defer r.Close(ctx)
	m, err := r.CompileModule(ctx, wasm)
	if err != nil {
		return fmt.Errorf("no cartridge: %w", short(err))
	}
	return inspect(m)
}

// short keeps the first line of an error: the library adds stacks.
func short(err error) error {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(text)
}

func inspect(m wazero.CompiledModule) error {
	var faults []error
	for _, f := range m.ImportedFunctions() {
		module, name, _ := f.Import()
		if _, known := calls[name]; !known || module != "env" {
			faults = append(faults, fmt.Errorf("it asks for %s.%s, which no cartridge gets", module, name))
		}
	}
	if u, ok := m.ExportedFunctions()["update"]; !ok || len(u.ParamTypes())+len(u.ResultTypes()) != 0 {
		faults = append(faults, errors.New("it has no function update()"))
	}
	if s, ok := m.ExportedFunctions()["start"]; ok && len(s.ParamTypes())+len(s.ResultTypes()) != 0 {
		faults = append(faults, errors.New("its function start takes or gives something"))
	}
	return errors.Join(faults...)
}

// New loads a cartridge and runs its start.
func New(ctx context.Context, wasm []byte) (*Machine, error) {
	if len(wasm) > MaxBytes {
		return nil, fmt.Errorf("load cartridge: %d bytes, want at most %d", len(wasm), MaxBytes)
	}
	m := &Machine{runtime: wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithMemoryLimitPages(1).WithCloseOnContextDone(true))}
	if err := m.load(ctx, wasm); err != nil {
		return nil, errors.Join(fmt.Errorf("load cartridge: %w", short(err)), m.Close())
	}
	return m, nil
}

func (m *Machine) load(ctx context.Context, wasm []byte) error {
	host := m.runtime.NewHostModuleBuilder("machine")
	for name, c := range calls {
		host.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(_ context.Context, _ api.Module, stack []uint64) { c.do(m, stack) }),
			c.takes(), c.gives()).Export(name)
	}
	if _, err := host.Instantiate(ctx); err != nil {
		return err
	}
	env, err := m.runtime.InstantiateWithConfig(ctx, shim(), wazero.NewModuleConfig().WithName("env"))
	if err != nil {
		return err
	}
	m.memory = env.Memory()
	for i, c := range []uint32{0xE0F8CF, 0x86C06C, 0x306850, 0x071821} {
		m.memory.WriteUint32Le(uint32(palette+4*i), c)
	}
	m.memory.WriteUint16Le(drawColor, 0x1203)
	compiled, err := m.runtime.CompileModule(ctx, wasm)
	if err != nil {
		return err
	}
	if err := inspect(compiled); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, SlowStart)
	defer cancel()
	game, err := m.runtime.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().WithName("cart").WithStartFunctions("_start", "_initialize"))
	if err != nil {
		return slow(ctx, err)
	}
	if start := game.ExportedFunction("start"); start != nil {
		if _, err := start.Call(ctx); err != nil {
			return slow(ctx, err)
		}
	}
	m.update = game.ExportedFunction("update")
	return nil
}

func slow(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return ErrSlow
	}
	return err
}

// Close lets the program go.
func (m *Machine) Close() error { return m.runtime.Close(context.Background()) }

// Update runs one frame. After an error the cartridge is over.
func (m *Machine) Update(ctx context.Context, p Pad) error {
	if m.fault != nil {
		return m.fault
	}
	m.traces = 0
	m.feel(p)
	if f, _ := m.memory.ReadByte(flags); f&keepFrame == 0 {
		if fb, ok := m.memory.Read(picture, pictureN); ok {
			clear(fb)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, SlowFrame)
	defer cancel()
	if _, err := m.update.Call(ctx); err != nil {
		m.fault = fmt.Errorf("run cartridge: %w", slow(ctx, short(err)))
	}
	return m.fault
}

func (m *Machine) feel(p Pad) {
	var b byte
	for i, on := range []bool{p.X, p.Z, false, false, p.Left, p.Right, p.Up, p.Down} {
		if on {
			b |= 1 << i
		}
	}
	m.memory.WriteByte(gamepad, b)
	m.memory.WriteUint16Le(mouse, uint16(p.At.X))
	m.memory.WriteUint16Le(mouse+2, uint16(p.At.Y))
	b = 0
	if p.Touch {
		b = 1
	}
	m.memory.WriteByte(mouse+4, b)
}

// Said is what the program told last.
func (m *Machine) Said() Said { return m.said }

// Draw puts the picture into img, which is at least Side x Side.
func (m *Machine) Draw(img *image.RGBA) {
	fb, _ := m.memory.Read(picture, pictureN)
	var colours [4][4]byte
	for i := range colours {
		c, _ := m.memory.ReadUint32Le(uint32(palette + 4*i))
		colours[i] = [4]byte{byte(c >> 16), byte(c >> 8), byte(c), 0xFF}
	}
	for y := range Side {
		row := img.Pix[y*img.Stride : y*img.Stride+4*Side]
		for x := range Side {
			at := y*Side + x
			copy(row[4*x:4*x+4], colours[fb[at>>2]>>(at&3*2)&3][:])
		}
	}
}

// heard takes a line that the program said.
func (m *Machine) heard(line string) {
	if m.traces++; m.traces > maxTraces {
		return
	}
	what, ok := strings.CutPrefix(line, "foyer ")
	if !ok {
		return
	}
	word, number, _ := strings.Cut(what, " ")
	score, err := strconv.Atoi(strings.TrimSpace(number))
	if err != nil || score < 0 {
		return
	}
	switch word {
	case "score":
		m.said.Score = score
	case "over":
		m.said = Said{score, true}
	}
}
