package daemon

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"foyer/api"
	"foyer/api/serve"
	profiles "foyer/firmware-profiles"
	"foyer/internal/strictyaml"
	"foyer/internal/words"
	"foyer/kiosk/printer"
	"foyer/kiosk/printer/layout"
	printpost "foyer/kiosk/printer/post"
	"foyer/kiosk/printer/spool"
	"foyer/sync/journal"
)

// Printer is a receipt printer. Several screens may share one.
type Printer struct {
	Name  string `yaml:"name,required"`  // what people call it: front desk
	Model string `yaml:"model,required"` // one that "foyer printer list" shows, or a YAML file
	Port  string `yaml:"port,required"`  // tcp://10.0.0.8:9100, /dev/usb/lp0, /dev/serial/by-id/..., cups:QUEUE

	model *profiles.Printer
}

const printBucket = "prints" // printer/serial -> spool.Job, in the journal's state

func (c *Config) checkPrinters(doc *strictyaml.Doc) {
	names, ports := map[string]bool{}, map[string]string{}
	for i := range c.Printers {
		p := &c.Printers[i]
		path := fmt.Sprintf("printers[%d]", i)
		switch {
		case names[p.Name]:
			doc.At(path+".name", "a second printer is called %q, want names that differ", p.Name)
		case strings.ContainsAny(p.Name, "/?#"):
			doc.At(path+".name", "%q: want a name without / ? and #", p.Name)
		}
		if other, taken := ports[p.Port]; taken {
			doc.At(path+".port", "%s is the port of printer %q already", p.Port, other)
		}
		names[p.Name], ports[p.Port] = true, p.Name
		var err error
		if p.model, err = findPrinter(p.Model); err != nil && p.Model != "" {
			doc.At(path+".model", "%v", err)
			continue
		}
		if p.model == nil {
			continue
		}
		if _, err := printpost.New(printpost.Config{Port: p.Port, Model: p.model}); err != nil {
			doc.At(path+".port", "%v", err)
		}
	}
}

func findPrinter(model string) (*profiles.Printer, error) {
	if p, ok := profiles.FindPrinter(model); ok {
		return p, nil
	}
	if !isFile(model) {
		return nil, fmt.Errorf("no printer %.40q: foyer printer list shows those that are built in; or name a YAML file", model)
	}
	data, err := os.ReadFile(model)
	if err != nil {
		return nil, err
	}
	return profiles.ParsePrinter(model, data)
}

// press is the store's printers. It is serve.Printers.
type press struct {
	order []string
	each  map[string]*printing
	day   func(lang string) layout.Day
}

type printing struct {
	model *profiles.Printer
	spool *spool.Spool
}

// newPress takes up what waits to be printed. Nothing is opened yet.
func newPress(c *Config, j *journal.Journal, hub *serve.Hub, changed func(), log *slog.Logger) (*press, error) {
	kept, err := printJobs(j, log)
	if err != nil {
		return nil, err
	}
	p := &press{each: map[string]*printing{}, day: func(lang string) layout.Day { return today(hub, lang) }}
	for _, one := range c.Printers {
		printer := &printing{model: one.model}
		out, err := printpost.New(printpost.Config{Port: one.Port, Model: one.model, Log: log, Stalled: func(t printpost.Trouble) { printer.spool.Stalled(t) }})
		if err != nil {
			return nil, fmt.Errorf("printer %s: %w", one.Name, err)
		}
		printer.spool = spool.New(spool.Config{Post: out, Jobs: kept[one.Name], Keep: keepPrints(j, one.Name), Mark: copyMark(one.model),
			Now: now, Changed: changed, Log: log.With("printer", one.Name)})
		p.order = append(p.order, one.Name)
		p.each[one.Name] = printer
	}
	return p, nil
}

// copyMark is what is printed above a copy.
func copyMark(m *profiles.Printer) func(int) []byte {
	return func(n int) []byte {
		b, err := printer.Encode(layout.Copy(n), m)
		if err != nil {
			panic(err) // a line of text fits every printer: a test encodes it for each
		}
		return b
	}
}

func keepPrints(j *journal.Journal, name string) func(...spool.Job) error {
	return func(jobs ...spool.Job) error {
		var e journal.Entry
		for _, job := range jobs {
			put := journal.Put{Bucket: printBucket, Key: name + "/" + job.Serial}
			if job.Data != nil {
				value, err := json.Marshal(job)
				if err != nil {
					return err
				}
				put.Value = value
			}
			e.Puts = append(e.Puts, put)
		}
		_, err := j.Append(context.Background(), e)
		return err
	}
}

// printJobs reads back what was kept, by printer.
func printJobs(j *journal.Journal, log *slog.Logger) (map[string][]spool.Job, error) {
	state, err := j.State(printBucket)
	if err != nil {
		return nil, fmt.Errorf("read what waits to be printed: %w", err)
	}
	all := map[string][]spool.Job{}
	for key, value := range state {
		name, _, _ := strings.Cut(key, "/")
		var job spool.Job
		if err := json.Unmarshal(value, &job); err != nil {
			log.Error("a job for the printer cannot be read and is not printed", "printer", name, "err", err)
			continue
		}
		all[name] = append(all[name], job)
	}
	return all, nil
}

// Print implements serve.Printers.
func (p *press) Print(_ context.Context, name string, o api.PrintOrder) error {
	one, ok := p.each[name]
	if !ok {
		return noPrinter(name)
	}
	if !slices.Contains(words.Load().Languages(), o.Language) {
		o.Language = words.Fallback
	}
	doc := layout.Test(o.Language, one.model)
	if o.What == "report" {
		doc = layout.Report(o.Language, p.day(o.Language))
	}
	data, err := printer.Encode(doc, one.model)
	if err != nil {
		return fmt.Errorf("lay out %s for printer %s: %w", o.What, name, err)
	}
	return printProblem(one.spool.Add(rand.Text()[:10], o.What, data))
}

// Settle implements serve.Printers.
func (p *press) Settle(_ context.Context, name, serial string, verb api.PrintVerb) error {
	one, ok := p.each[name]
	if !ok {
		return noPrinter(name)
	}
	do := map[api.PrintVerb]func(string) error{api.PrintCame: one.spool.Came, api.PrintAgain: one.spool.Again, api.PrintDrop: one.spool.Drop}[verb]
	return printProblem(do(serial))
}

func noPrinter(name string) error {
	return api.NewProblem(api.CodeNotFound, fmt.Sprintf("there is no printer %q", name))
}

// printProblem gives the spool's errors the code that a face can act on.
func printProblem(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, spool.ErrNoJob):
		return api.NewProblem(api.CodeNotFound, err.Error())
	case errors.Is(err, spool.ErrNotNow):
		return api.NewProblem(api.CodeOver, err.Error())
	case errors.Is(err, spool.ErrFull), errors.Is(err, spool.ErrNotKept):
		return api.NewProblem(api.CodeBusy, err.Error())
	}
	return err
}

// status is the printers as staff see them.
func (p *press) status() []api.Printer {
	var all []api.Printer
	for _, name := range p.order {
		one := api.Printer{Name: name}
		trouble, _ := p.each[name].spool.Trouble()
		switch {
		case trouble.Stops():
			one.Problem = said("printer.trouble." + trouble.String())
		case trouble != printpost.Fine:
			one.Notice = said("printer.trouble." + trouble.String())
		}
		for _, job := range p.each[name].spool.Jobs() {
			switch job.State {
			case spool.Queued, spool.Sending:
				one.Waiting++
			case spool.Unknown:
				one.Ask = append(one.Ask, api.Print{Serial: job.Serial, What: said("printer.what." + job.What), At: job.At, Copy: job.Copy})
			}
		}
		all = append(all, one)
	}
	return all
}

// today counts the cards that reception has seen today.
func today(hub *serve.Hub, lang string) layout.Day {
	s, _ := hub.Snapshot(api.Reception)
	d := layout.Day{Store: s.Store.In(lang), At: now()}
	var waits []time.Duration
	for _, c := range s.Cards {
		if c.Arrived.Local().YearDay() != d.At.YearDay() {
			continue
		}
		d.Arrivals++
		switch c.State {
		case api.CardServed:
			d.Served++
		case api.CardLeft:
			d.Left++
		}
		if c.Priority {
			d.Priority++
		}
		if !c.ClaimedAt.IsZero() {
			waits = append(waits, c.ClaimedAt.Sub(c.Arrived))
		}
	}
	if slices.Sort(waits); len(waits) > 0 {
		d.Wait = waits[len(waits)/2]
	}
	return d
}
