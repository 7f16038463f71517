package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	_ "foyer/internal/locale"
	"foyer/kiosk/demo"
	"foyer/kiosk/demo/cart"
	"foyer/kiosk/screens"
)

const packHelp = `foyer pack check DIR|ZIP [-key PUBLIC]   every fault of a demo pack, and what it weighs
foyer pack build DIR -o X.zip [-key PRIVATE]   checks it and packs it, signed; the same files give the same bytes
foyer pack play DIR|ZIP [-taps "500,600 3s ..."] [-wide] [-lang en] [-o FOLDER]
    plays it without a screen: taps at x,y of the stage, waits, tells each scene and the result; -o keeps a PNG of each step
foyer pack key FILE                      makes a key: the private one into FILE, the public one on the screen

PACKS.md beside kiosk/demo says how a pack is written. foyer-hq pack publish brings one to the stores.
Exit status: 0 all is well, 1 the pack has faults, 2 the command was not understood.
`

// packCommand checks, builds and plays demo packs.
func packCommand(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 || args[0] == "-h" || args[0] == "--help" {
		fmt.Fprint(stderr, packHelp)
		return 2
	}
	flags := flag.NewFlagSet("foyer pack "+args[0], flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, packHelp) }
	p := packTool{out: stdout}
	flags.StringVar(&p.key, "key", "", "")
	flags.StringVar(&p.to, "o", "", "")
	flags.StringVar(&p.taps, "taps", "", "")
	flags.BoolVar(&p.wide, "wide", false, "")
	flags.StringVar(&p.lang, "lang", "zh-CN", "")
	rest := args[1:]
	what := ""
	if len(rest) > 0 && !strings.HasPrefix(rest[0], "-") { // the pack may stand before the flags, as people type it
		what, rest = rest[0], rest[1:]
	}
	if err := flags.Parse(rest); err != nil {
		return 2
	}
	if what == "" && flags.NArg() == 1 {
		what = flags.Arg(0)
	} else if what == "" || flags.NArg() > 0 {
		fmt.Fprint(stderr, packHelp)
		return 2
	}
	do := map[string]func(string) error{"check": p.check, "build": p.build, "play": p.play, "key": p.makeKey}[args[0]]
	if do == nil {
		fmt.Fprint(stderr, packHelp)
		return 2
	}
	if err := do(what); err != nil {
		fmt.Fprintf(stderr, "foyer pack: %v\n", err)
		return 1
	}
	return 0
}

type packTool struct {
	out                 io.Writer
	key, to, taps, lang string
	wide                bool
}

// open reads a folder or a ZIP file.
func (p packTool) open(from string) (*demo.Pack, error) {
	info, err := os.Stat(from)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return demo.Open(os.DirFS(from), screens.PackRules())
	}
	if info.Size() > demo.MaxBytes {
		return nil, fmt.Errorf("%s has %d bytes, want at most %d", from, info.Size(), demo.MaxBytes)
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return nil, err
	}
	var key ed25519.PublicKey
	if p.key != "" {
		if key, err = base64.StdEncoding.DecodeString(strings.TrimSpace(p.key)); err != nil || len(key) != ed25519.PublicKeySize {
			return nil, errors.New("-key: want the public key as foyer pack key shows it")
		}
	}
	return demo.OpenZip(data, key, screens.PackRules())
}

func (p packTool) check(from string) error {
	pack, err := p.open(from)
	if err != nil {
		return err
	}
	for _, file := range pack.Files() {
		if filepath.Ext(file) == ".wasm" {
			if err := tryCart(pack.File(file)); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	n := 0
	for _, file := range pack.Files() {
		n += len(pack.File(file))
	}
	fmt.Fprintf(p.out, "good: %s version %d, %d scenes, %d files, %d KB of at most %d, about %d s\n", pack.ID, pack.Version, len(pack.SceneNames()), len(pack.Files()),
		(n+1023)/1024, demo.MaxBytes/1024, pack.Seconds)
	return nil
}

// tryCart runs a cartridge for ten seconds of its time.
func tryCart(wasm []byte) error {
	m, err := cart.New(context.Background(), wasm)
	if err != nil {
		return err
	}
	defer m.Close()
	for i := range 10 * cart.Rate {
		if err := m.Update(context.Background(), cart.Pad{Touch: i%40 < 3, At: image.Pt(i%cart.Side, 80)}); err != nil {
			return fmt.Errorf("frame %d: %w", i, err)
		}
	}
	return nil
}

func (p packTool) build(from string) error {
	if p.to == "" {
		return errors.New("build: say where to with -o X.zip")
	}
	key := p.key
	p.key = ""
	if err := p.check(from); err != nil {
		return err
	}
	private, err := readKey(key)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := demo.Build(os.DirFS(from), private, &b); err != nil {
		return err
	}
	fmt.Fprintf(p.out, "%s: %d bytes\n", p.to, b.Len())
	return os.WriteFile(p.to, b.Bytes(), 0o644)
}

func readKey(file string) (ed25519.PrivateKey, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s: want a key as foyer pack key makes it", file)
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	private, ok := k.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("%s: want an Ed25519 key as foyer pack key makes it", file)
	}
	return private, nil
}

func (p packTool) makeKey(file string) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(pem.Encode(f, &pem.Block{Type: "PRIVATE KEY", Bytes: der}), f.Close()); err != nil {
		return err
	}
	fmt.Fprintln(p.out, base64.StdEncoding.EncodeToString(public))
	return nil
}

// play follows a script of taps and waits.
func (p packTool) play(from string) error {
	pack, err := p.open(from)
	if err != nil {
		return err
	}
	show := screens.NewEasel(!p.wide, p.lang)
	s := demo.Start(pack, 1)
	var v demo.View
	fmt.Fprintf(p.out, "scene %s\n", s.Scene())
	for i, step := range append(strings.Fields(p.taps), "") {
		if step != "" {
			if s, err = p.step(s, &v, step); err != nil {
				return err
			}
		}
		if p.to != "" {
			if err := keep(filepath.Join(p.to, fmt.Sprintf("%02d-%s.png", i, s.Scene())), show.Paint(s)); err != nil {
				return err
			}
		}
	}
	r := s.Result()
	fmt.Fprintf(p.out, "after %.1f s: scene %s, end %q, score %d, reward %q\n", s.Elapsed(), s.Scene(), r.End, r.Score, r.Reward)
	return nil
}

func (p packTool) step(s demo.State, v *demo.View, step string) (demo.State, error) {
	before := s.Scene()
	if seconds, ok := strings.CutSuffix(step, "s"); ok {
		n, err := strconv.ParseFloat(seconds, 64)
		if err != nil || !(n >= 0 && n <= 3600) {
			return s, fmt.Errorf("-taps: %q: want seconds like 2.5s", step)
		}
		for ; n > 0; n -= 1 {
			s = s.Advance(min(n, 1))
		}
	} else {
		var x, y float32
		if n, err := fmt.Sscanf(step, "%f,%f", &x, &y); n != 2 || err != nil {
			return s, fmt.Errorf("-taps: %q: want a place like 500,600 or a wait like 2.5s", step)
		}
		s.Draw(v, !p.wide, p.lang)
		t, ok := v.Hit(x, y)
		if !ok {
			return s, fmt.Errorf("scene %s: there is nothing to touch at %s", before, step)
		}
		s = s.Touch(v.Finger(t, demo.Tap, x))
	}
	if s.Scene() != before {
		fmt.Fprintf(p.out, "%s: scene %s\n", step, s.Scene())
	}
	return s, nil
}

func keep(path string, img image.Image) error {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}
