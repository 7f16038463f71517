package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	profiles "foyer/firmware-profiles"
	"foyer/internal/words"
	"foyer/kiosk/printer"
	"foyer/kiosk/printer/layout"
	"foyer/kiosk/printer/post"
	"foyer/kiosk/printer/virtual"
	"foyer/reader/sim"
)

const printerHelp = `foyer printer list
foyer printer check FILE
foyer printer doctor --port PORT --printer MODEL [--page]

  list    the models that are built in
  check   every fault of a printer's file, with its line
  doctor  asks the printer how it is, and says what to do; --page prints a page that shows what it can do
`

func printerCommand(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, printerHelp)
		return 2
	}
	switch args[0] {
	case "-h", "--help", "help":
		fmt.Fprint(stdout, printerHelp)
		return 0
	case "list":
		for _, p := range profiles.Printers() {
			fmt.Fprintf(stdout, "%-20s %3d mm, %d dots, Chinese %s; %s\n", p.ID, p.Paper, p.Dots, p.CJK, models(p))
		}
		return 0
	case "check":
		if len(args) != 2 {
			break
		}
		data, err := readBounded(args[1], 1<<20)
		if err == nil {
			_, err = profiles.ParsePrinter(args[1], data)
		}
		if err != nil {
			fmt.Fprintln(stderr, err)
			return 1
		}
		fmt.Fprintf(stdout, "%s: good\n", args[1])
		return 0
	case "doctor":
		return printerDoctor(args[1:], stdout, stderr)
	}
	fmt.Fprint(stderr, printerHelp)
	return 2
}

func models(p *profiles.Printer) string {
	var all []string
	for _, m := range p.Products {
		all = append(all, m.Vendor+" "+m.Model)
	}
	return strings.Join(all, ", ")
}

func printerDoctor(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("foyer printer doctor", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, printerHelp) }
	port := flags.String("port", "", "")
	model := flags.String("printer", "generic-80", "")
	page := flags.Bool("page", false, "")
	if err := flags.Parse(args); err != nil || *port == "" || flags.NArg() > 0 {
		if err == nil {
			fmt.Fprint(stderr, printerHelp)
		}
		return 2
	}
	p, err := printerOf(*model)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	asked := *p
	if asked.Status == profiles.Mute {
		asked.Status = profiles.RealTime // it costs nothing to ask
	}
	out, err := post.New(post.Config{Port: *port, Model: &asked})
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	trouble, err := out.Ask(ctx)
	fmt.Fprintf(stdout, "%s: %s\n", *port, inWords(trouble))
	if err != nil {
		fmt.Fprintf(stdout, "  %v\n", err)
	}
	if !*page {
		if trouble.Stops() {
			return 1
		}
		return 0
	}
	job, err := printer.Encode(layout.Test(words.Fallback, p), p)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return deliver(ctx, p, *port, job, stdout, stderr)
}

const simPrinterHelp = `foyer sim printer [--printer MODEL] [--listen 127.0.0.1:9100 | --pty PATH] [--png FILE] [--fault FAULT[@LINE]]...

Plays a receipt printer: it answers as one, prints what happens on the paper as lines of text, and writes the paper
as a picture after each cut. It ends with Ctrl-C.
  --fault  no_paper, near_end, cover, cutter, hot or broken; at once, or after so many lines: no_paper@12
`

var faultNames = map[string]virtual.Fault{"no_paper": virtual.NoPaper, "near_end": virtual.NearEnd, "cover": virtual.Cover,
	"cutter": virtual.Cutter, "hot": virtual.Hot, "broken": virtual.Broken}

func simPrinter(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("foyer sim printer", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, simPrinterHelp) }
	model := flags.String("printer", "epson-tm-t70ii-ch", "")
	listen := flags.String("listen", "127.0.0.1:9100", "")
	path := flags.String("pty", "", "")
	picture := flags.String("png", "", "")
	var faults []string
	flags.Func("fault", "", func(s string) error { faults = append(faults, s); return nil })
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 {
		return 2
	}
	p, err := printerOf(*model)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	s := &virtual.Server{Printer: virtual.New(p)}
	if err := setFaults(s.Printer, faults); err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	watched := make(chan struct{})
	watching, stop := context.WithCancel(ctx)
	go func() { defer close(watched); watchPaper(watching, s.Printer, *picture, stdout, stderr) }()
	err = servePrinter(ctx, s, *listen, *path, stdout)
	stop()
	<-watched
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

func setFaults(p *virtual.Printer, faults []string) error {
	for _, text := range faults {
		name, line, late := strings.Cut(text, "@")
		f, ok := faultNames[name]
		n, err := strconv.Atoi(line)
		switch {
		case !ok, late && (err != nil || n < 1):
			return fmt.Errorf("--fault %.40q: want one of no_paper, near_end, cover, cutter, hot, broken, with @LINE or without", text)
		case late:
			p.After(n, f)
		default:
			p.Set(p.Faults() | f)
		}
	}
	return nil
}

func servePrinter(ctx context.Context, s *virtual.Server, listen, path string, stdout io.Writer) error {
	if path != "" {
		port, err := sim.NewPTY(path)
		if err != nil {
			return err
		}
		defer port.Close()
		fmt.Fprintf(stdout, "a printer on %s\n", path)
		for ctx.Err() == nil {
			if err := s.Attend(ctx, port); err != nil && !errors.Is(err, context.Canceled) {
				return err
			}
		}
		return nil
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "a printer on tcp://%s\n", l.Addr())
	return s.Serve(ctx, l)
}

// watchPaper tells what happens on the paper.
func watchPaper(ctx context.Context, p *virtual.Printer, picture string, stdout, stderr io.Writer) {
	told := 0
	for {
		events := p.Events()
		for _, e := range events[min(told, len(events)):] {
			fmt.Fprintf(stdout, "%-8s %s\n", e.Kind, e.Detail)
		}
		if fresh := events[min(told, len(events)):]; picture != "" && slices.ContainsFunc(fresh, func(e virtual.Event) bool { return e.Kind == "cut" }) {
			if err := writePaper(p, picture); err != nil {
				fmt.Fprintln(stderr, err)
			}
		}
		told = len(events)
		select {
		case <-ctx.Done():
			if picture != "" {
				writePaper(p, picture)
			}
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}
