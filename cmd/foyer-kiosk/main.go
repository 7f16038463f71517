// Command foyer-kiosk shows one of the shop's screens: the touch kiosk or the welcome wall.
//
// It talks to foyerd only through the local API, and keeps nothing on disk. One process drives one screen; a supervisor
// starts it again when it ends. It ends with code 0 on SIGTERM, 1 when the X server goes, 2 on a wrong flag or when no
// window can be opened, 70 when the screen has frozen, and 85 when the store asked for a restart.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"foyer/api"
	"foyer/internal/words"
	"foyer/kiosk/demo"
	"foyer/kiosk/demo/library"
	"foyer/kiosk/glass"
	"foyer/kiosk/scene"
	"foyer/kiosk/screens"
)

func main() {
	c, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		err = glass.Run(ctx, c)
	}
	if errors.Is(err, glass.ErrRestart) {
		os.Exit(glass.RestartCode)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "foyer-kiosk:", err)
		os.Exit(2)
	}
}

// parse reads the flags.
func parse(args []string, out io.Writer) (glass.Config, error) {
	f := flag.NewFlagSet("foyer-kiosk", flag.ContinueOnError)
	f.SetOutput(out)
	screen := f.String("screen", "kiosk", "what to show: kiosk or welcome")
	address := f.String("api", "", "where foyerd listens: unix:///run/foyer/api.sock or http://host:port")
	tokenFile := f.String("token-file", "", "file with the token of foyerd's TCP port")
	size := f.String("size", "", "size of a plain window, as 1080x1920; without it the screen is filled")
	output := f.String("output", "", "where on the X screen the window goes, as 1920,0; without it the primary output")
	width := f.Float64("width-mm", 0, "width of the panel in millimetres, for the size of type and targets; without it a 32 inch panel")
	lang := f.String("lang", "zh-CN", "language while nobody in particular is there: zh-CN or en")
	idle := f.Duration("idle", time.Minute, "a session that nobody touches is warned after this")
	warning := f.Duration("warning", 20*time.Second, "how long the warning counts down")
	verbose := f.Bool("verbose", false, "tell more, also what the graphics library says")
	ready := f.String("ready-file", "", "file to write when the first frame is on the glass")
	if err := f.Parse(args); err != nil {
		return glass.Config{}, err
	}
	if f.NArg() > 0 {
		return glass.Config{}, fmt.Errorf("what is %q? every setting is a flag; -help lists them", f.Arg(0))
	}
	c := glass.Config{
		Words: words.Load(), WidthMM: float32(*width), Log: logger(out, *verbose),
		Rules: scene.Rules{Languages: []string{"zh-CN", "en"}, Language: *lang, Idle: *idle, Warning: *warning},
	}
	return c, errors.Join(shelf(&c),
		face(&c, *screen), daemon(&c, *address, *tokenFile), place(&c, *size, *output), sane(*lang, *idle, *warning, *width),
		mark(&c, *ready),
	)
}

// logger writes to out. What Fyne logs through the standard logger comes out at the level of details: much of it is
// about folders that a kiosk does not have.
func logger(out io.Writer, verbose bool) *slog.Logger {
	level := slog.LevelInfo
	if verbose {
		level = slog.LevelDebug
	}
	l := slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level}))
	slog.SetLogLoggerLevel(slog.LevelDebug)
	slog.SetDefault(l)
	return l
}

func face(c *glass.Config, screen string) error {
	switch screen {
	case "kiosk":
		c.Face = api.Kiosk
	case "welcome":
		c.Face = api.Wall
	default:
		return fmt.Errorf("-screen %q: want kiosk or welcome", screen)
	}
	return nil
}

// shelf takes the packs that this program ships.
func shelf(c *glass.Config) error {
	var faults []error
	for _, name := range library.Names {
		p, err := demo.Open(library.Pack(name), screens.PackRules())
		if err != nil {
			faults = append(faults, fmt.Errorf("pack %s: %w", name, err))
			continue
		}
		c.Packs = append(c.Packs, p)
	}
	return errors.Join(faults...)
}

// foyerd is api.Client with what follows it.
type foyerd struct{ *api.Client }

// Follow keeps a face right until ctx ends.
func (f foyerd) Follow(ctx context.Context, face api.Face, on func(api.Update)) error {
	return api.Follow(ctx, f.Client, face, on)
}

func daemon(c *glass.Config, address, tokenFile string) error {
	if address == "" {
		return errors.New("-api is missing: say where foyerd listens, for example -api unix:///run/foyer/api.sock")
	}
	token := ""
	if tokenFile != "" {
		data, err := os.ReadFile(tokenFile)
		if err != nil {
			return fmt.Errorf("-token-file: %w", err)
		}
		token = strings.TrimSpace(string(data))
	}
	client, err := api.NewClient(address, token)
	if err != nil {
		return fmt.Errorf("-api: %w", err)
	}
	c.Foyerd = foyerd{client}
	return nil
}

func place(c *glass.Config, size, output string) error {
	var errs []error
	if size != "" {
		p, err := pair(size, "x")
		if err != nil || p.X < 320 || p.Y < 320 || p.X > 16384 || p.Y > 16384 {
			errs = append(errs, fmt.Errorf("-size %q: want width x height in pixels, 320 to 16384 each, as 1080x1920", size))
		}
		c.Size = p
	}
	if output != "" {
		p, err := pair(output, ",")
		if err != nil {
			errs = append(errs, fmt.Errorf("-output %q: want the left top corner in pixels, as 1920,0", output))
		}
		c.Output = &p
	}
	return errors.Join(errs...)
}

func pair(s, sep string) (image.Point, error) {
	a, b, _ := strings.Cut(s, sep)
	x, err := strconv.Atoi(a)
	y, err2 := strconv.Atoi(b)
	return image.Pt(x, y), errors.Join(err, err2)
}

func sane(lang string, idle, warning time.Duration, width float64) error {
	var errs []error
	if lang != "zh-CN" && lang != "en" {
		errs = append(errs, fmt.Errorf("-lang %q: want zh-CN or en", lang))
	}
	if idle < time.Second || warning < time.Second {
		errs = append(errs, errors.New("-idle and -warning: want at least 1s"))
	}
	if width < 0 || width > 5000 {
		errs = append(errs, fmt.Errorf("-width-mm %g: want the panel's width in millimetres, at most 5000", width))
	}
	return errors.Join(errs...)
}

func mark(c *glass.Config, file string) error {
	if file == "" {
		return nil
	}
	log := c.Log
	c.Ready = func() {
		if err := os.WriteFile(file, []byte("ready\n"), 0o644); err != nil {
			log.Error("write ready file", "err", err)
		}
	}
	return nil
}
