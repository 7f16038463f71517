package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	_ "image/jpeg" // pictures in documents
	"image/png"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	profiles "foyer/firmware-profiles"
	"foyer/kiosk/printer"
	"foyer/kiosk/printer/dots"
	"foyer/kiosk/printer/post"
	"foyer/kiosk/printer/virtual"
)

const printHelp = `foyer print FILE --printer MODEL [--port PORT] [--png OUT] [--bytes OUT]

Prints a document, or shows what it would look like. FILE is YAML or JSON; "-" reads standard input.
  --printer  a model that foyer printer list shows, or a file of your own
  --port     tcp://10.0.0.8:9100, /dev/usb/lp0, a serial port, or cups:QUEUE
  --png      write the picture that the virtual printer makes of it
  --bytes    write what would be sent

It ends with 0 when the printer said that it has printed, 1 when it has not, and 3 when nobody can tell: then look.

    blocks:
      - text: {align: center, runs: [{text: 迎客厅, wide: 2, high: 2, bold: true}]}
      - table: {columns: [{width: 8}, {align: right}], rows: [[Coupon, "10.00"]]}
      - picture: {file: logo.png, align: center}
      - code: {kind: qr, data: HTTPS://C.EXAMPLE/7K3M9QXW2HDF, align: center}
      - rule: dashed
      - cut: true
`

// Exit codes of foyer print.
const (
	notPrinted = 1
	nobodyKnow = 3
)

func printCommand(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("foyer print", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, printHelp) }
	model := flags.String("printer", "", "")
	port := flags.String("port", "", "")
	picture := flags.String("png", "", "")
	raw := flags.String("bytes", "", "")
	files, err := parseAround(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil || len(files) != 1 || *model == "" || *port == "" && *picture == "" && *raw == "" {
		if err == nil {
			fmt.Fprint(stderr, printHelp)
		}
		return 2
	}
	p, job, err := encoded(files[0], *model)
	if err == nil && *raw != "" {
		err = os.WriteFile(*raw, job, 0o600)
	}
	if err == nil && *picture != "" {
		err = preview(p, job, *picture)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return notPrinted
	}
	if *port == "" {
		return 0
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return deliver(ctx, p, *port, job, stdout, stderr)
}

// parseAround lets flags stand before and behind the file.
func parseAround(flags *flag.FlagSet, args []string) ([]string, error) {
	var files []string
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return files, nil
		}
		files = append(files, flags.Arg(0))
		args = flags.Args()[1:]
	}
}

// encoded reads a document and encodes it for a printer.
func encoded(file, model string) (*profiles.Printer, []byte, error) {
	p, err := printerOf(model)
	if err != nil {
		return nil, nil, err
	}
	data, err := readBounded(file, 1<<20)
	if err != nil {
		return nil, nil, err
	}
	d, err := printer.Parse(file, data)
	if err != nil {
		return nil, nil, err
	}
	if err := loadPictures(d, filepath.Dir(file)); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	job, err := printer.Encode(d, p)
	if err != nil {
		return nil, nil, fmt.Errorf("%s does not fit the printer %s:\n%w", file, p.ID, err)
	}
	return p, job, nil
}

func readBounded(file string, most int64) ([]byte, error) {
	var from io.Reader = os.Stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		from = f
	}
	data, err := io.ReadAll(io.LimitReader(from, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("%s: want at most %d bytes", file, most)
	}
	return data, err
}

// printerOf finds a model, or reads a file of the user's own.
func printerOf(model string) (*profiles.Printer, error) {
	if p, ok := profiles.FindPrinter(model); ok {
		return p, nil
	}
	if !strings.ContainsAny(model, "./") {
		return nil, fmt.Errorf("no printer %.40q: foyer printer list shows them; or name a file", model)
	}
	data, err := readBounded(model, 1<<20)
	if err != nil {
		return nil, err
	}
	return profiles.ParsePrinter(model, data)
}

// loadPictures reads the files that a document names, beside it.
func loadPictures(d *printer.Doc, dir string) error {
	for i, b := range d.Blocks {
		if b.Picture == nil {
			continue
		}
		img, err := loadPicture(filepath.Join(dir, b.Picture.File))
		if err != nil {
			return fmt.Errorf("block %d: picture: %w", i+1, err)
		}
		b.Picture.Image = img
	}
	return nil
}

func loadPicture(path string) (image.Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, _, err := image.DecodeConfig(f)
	if err != nil {
		return nil, fmt.Errorf("%s: want PNG or JPEG: %w", path, err)
	}
	if c.Width > dots.MaxPixels || c.Height > dots.MaxPixels || c.Width*c.Height > dots.MaxPixels {
		return nil, fmt.Errorf("%s: %d by %d pixels, want at most %d in all; make it smaller", path, c.Width, c.Height, dots.MaxPixels)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	img, _, err := image.Decode(f)
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return img, err
}

func preview(p *profiles.Printer, job []byte, path string) error {
	v := virtual.New(p)
	for len(job) > 0 {
		n := v.Receive(job)
		job = job[n:]
	}
	return writePaper(v, path)
}

func writePaper(v *virtual.Printer, path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(png.Encode(f, v.Paper().Image(16)), f.Close())
}

// deliver prints, and says what became of it.
func deliver(ctx context.Context, p *profiles.Printer, port string, job []byte, stdout, stderr io.Writer) int {
	out, err := post.New(post.Config{Port: port, Model: p, Stalled: func(t post.Trouble) {
		if t == post.Fine {
			fmt.Fprintln(stdout, "it goes on")
			return
		}
		fmt.Fprintf(stdout, "it stands still: %s\n", inWords(t))
	}})
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	r := out.Print(ctx, job)
	switch r.Outcome {
	case post.Printed:
		fmt.Fprintln(stdout, "printed")
		if r.Trouble == post.NearEnd {
			fmt.Fprintln(stdout, inWords(r.Trouble))
		}
		return 0
	case post.Failed:
		fmt.Fprintf(stderr, "not printed: %s\n", inWords(r.Trouble))
	default:
		fmt.Fprintf(stderr, "nobody can tell whether it is printed: look at the paper before you print it again\n")
		if r.Trouble.Stops() {
			fmt.Fprintln(stderr, inWords(r.Trouble))
		}
	}
	if r.Err != nil {
		fmt.Fprintln(stderr, r.Err)
	}
	if r.Outcome == post.Failed {
		return notPrinted
	}
	return nobodyKnow
}

// inWords says what is wrong and what to do.
func inWords(t post.Trouble) string {
	switch t {
	case post.NearEnd:
		return "the roll is nearly at its end: have a new one at hand"
	case post.NoPaper:
		return "the roll is out: put a new one in"
	case post.Cover:
		return "the lid is open: close it"
	case post.Cutter:
		return "the cutter is jammed: open the lid, take the paper out, close it"
	case post.Hot:
		return "the head is too hot: it goes on by itself"
	case post.Broken:
		return "the printer reports a fault of its own: switch it off and on; if that does not help, have it repaired"
	case post.Gone:
		return "the printer cannot be reached: is it switched on, is the cable in, is the port right?"
	case post.Silent:
		return "something is there and answers nothing: is it this model, is the speed right, does it speak ESC/POS?"
	case post.Nonsense:
		return "something is there that is no printer of this kind, or the speed of the line is wrong"
	}
	return "the printer is well"
}
