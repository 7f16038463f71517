package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	profiles "foyer/firmware-profiles"
	"foyer/reader"
	"foyer/reader/link"
	"foyer/reader/tag"
)

const readerHelp = `foyer reader record PORT OUT [-profile ID|FILE] [-baud N] [-for 30s]
    Records what passes over a port, with its times, as text that "foyer profile play" reads. OUT is a new file, or - for
    standard output. With a profile the reader is started and polled as in a shop, and both directions are recorded; without
    one nothing is sent, and the line is N baud (default 9600), 8N1. The recording holds raw tag numbers: keep it to yourself.
foyer reader probe [PORT...] [-json] [-listen 1s] [-listen-only] [-card 10s]
    Lists what is plugged in, listens on each serial port with the line settings of every profile, and asks the harmless
    question of those that have one. Says which profile fits and why; no tag number is printed. With -card it asks you to hold
    a card to whatever said nothing: readers and scanners that only talk are found so. -listen-only sends nothing: use it where
    a printer or a lock may hang on a port.

PORT is as in foyerd's configuration: /dev/serial/by-id/..., usb:VID:PID, tcp://host:port, tls://host:port, and for keyboard
wedges (record, with their profile) /dev/input/by-id/...-event-kbd. A port that another program holds is never opened.
Exit status: 0 done, 1 a port cannot be opened or a file not written, 2 not understood.
`

// readerCommand is a technician's tool on readers that no daemon holds.
func readerCommand(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, readerHelp)
		return 2
	}
	switch args[0] {
	case "record":
		return readerRecord(args[1:], stdout, stderr)
	case "probe":
		return readerProbe(args[1:], stdout, stderr)
	case "-h", "--help", "help":
		fmt.Fprint(stdout, readerHelp)
		return 0
	}
	fmt.Fprintf(stderr, "foyer reader %.40q: want record or probe\n\n%s", args[0], readerHelp)
	return 2
}

// mixed parses flags that may stand before, between and behind the other arguments, which it returns.
func mixed(flags *flag.FlagSet, args []string) ([]string, error) {
	var rest []string
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return rest, nil
		}
		rest, args = append(rest, flags.Arg(0)), flags.Args()[1:]
	}
}

// heldBy names another program that has the device of a port open, before we do: opening alone resets some readers.
func heldBy(port string) string {
	if !strings.HasPrefix(port, "/") {
		return "" // link.Open looks, where there is a device at all
	}
	return link.Holder(port)
}

// recording is one run of foyer reader record.
type recording struct {
	port    string
	profile *profiles.Profile // nil: only listen
	baud    int
	length  time.Duration
	out     io.Writer
	notes   io.Writer
	written int // bytes of text
	chunks  int
	err     error // of writing
	stop    context.CancelFunc
}

func readerRecord(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("foyer reader record", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, readerHelp) }
	name := flags.String("profile", "", "start and poll the reader by this profile: an id or a `file`")
	r := &recording{notes: stderr}
	flags.IntVar(&r.baud, "baud", 0, "speed of the line; 0 = the profile's, or 9600")
	flags.DurationVar(&r.length, "for", 30*time.Second, "how long")
	rest, err := mixed(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	if len(rest) != 2 || r.length <= 0 {
		fmt.Fprint(stderr, readerHelp)
		return 2
	}
	if r.port = rest[0]; *name != "" {
		if r.profile, err = loadProfile(*name); err != nil {
			fmt.Fprintln(stderr, err)
			return 1
		}
	}
	if err := r.toFile(rest[1], stdout); err != nil {
		fmt.Fprintf(stderr, "record %s: %v\n", r.port, err)
		return 1
	}
	fmt.Fprintf(stderr, "%d pieces recorded\n", r.chunks)
	return 0
}

// toFile records into a new file that only its owner may read, or to standard output. A file in which nothing came to
// stand is taken away again.
func (r *recording) toFile(name string, stdout io.Writer) error {
	// Window systems hold every keyboard open; there the grab decides, when it is opened.
	desk := r.profile != nil && r.profile.Kind == profiles.Wedge
	if who := heldBy(r.port); who != "" && !desk {
		return fmt.Errorf("it is held by %s; stop that first", who)
	}
	if name == "-" {
		r.out = stdout
		return r.run()
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	r.out = f
	err = errors.Join(r.run(), f.Close())
	if err != nil && r.chunks == 0 {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}

func (r *recording) run() error {
	ctx, done := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer done()
	ctx, r.stop = context.WithTimeout(ctx, r.length)
	defer r.stop()
	if r.profile == nil {
		return errors.Join(r.listen(ctx), r.err)
	}
	return errors.Join(r.session(ctx), r.err)
}

// listen only receives.
func (r *recording) listen(ctx context.Context) error {
	l, err := link.Open(ctx, r.port, link.Settings{Baud: r.baud})
	if err != nil {
		return err
	}
	defer l.Close()
	r.head("nothing is sent")
	begun, buffer := time.Now(), make([]byte, 4096)
	for ctx.Err() == nil {
		n, err := l.Receive(buffer, 100*time.Millisecond)
		if n > 0 {
			r.write(link.Chunk{At: time.Since(begun), Data: buffer[:n]})
		}
		if errors.Is(err, link.ErrEnded) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// session runs the reader as a shop does, with a key of its own for the numbers that nobody gets.
func (r *recording) session(ctx context.Context) error {
	secret := make([]byte, 32)
	rand.Read(secret) // never fails since Go 1.24
	one, err := reader.New(reader.Config{
		Name: "record", Profile: r.profile, Port: r.port, Baud: r.baud, Secret: secret,
		Log: slog.New(slog.DiscardHandler), Tap: r.write,
	})
	if err != nil {
		return err
	}
	if r.profile.Kind == profiles.WiegandGPIO {
		return errors.New("edges of GPIO lines cannot be recorded")
	}
	r.head("profile " + r.profile.ID)
	var refused error
	err = one.Run(ctx, make(chan tag.Read), func(h reader.Health) {
		if h.Online || h.Why == reader.WhyStopped {
			return
		}
		fmt.Fprintf(r.notes, "%s: %s\n", h.Why, h.Detail)
		if one.Health().Counts.Opened == 0 {
			refused = errors.New("it does not open")
			r.stop()
		}
	})
	return errors.Join(err, refused)
}

func (r *recording) head(how string) {
	_, r.err = fmt.Fprintf(r.out, "# foyer reader record, %s, begun %s. Holds raw tag numbers.\n", how, time.Now().UTC().Format(time.RFC3339))
}

// write is told each piece. It ends the recording when there is no more room, or as much as play would take.
func (r *recording) write(c link.Chunk) {
	if r.err != nil {
		return
	}
	text, _ := c.AppendText(nil)
	if r.written += len(text); r.written > maxCapture-1<<20 {
		r.err = fmt.Errorf("stopped after %d MiB: foyer profile play takes no more", r.written>>20)
	} else {
		r.chunks++
		_, r.err = r.out.Write(text)
	}
	if r.err != nil {
		r.stop()
	}
}
