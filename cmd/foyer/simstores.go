package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"foyer/sync/sim"
	"foyer/sync/wire"
)

const storesHelp = `foyer sim stores N --console URL --admin-token-file FILE --chain NAME [--rate N|max] [--for 30s] [--campaign] [--stalled N]

Plays N stores against a headquarters of yours, to see how many it carries: each with a badge and a connection of its own, as foyerd.
They are added to headquarters as sim-0001, sim-0002 ..., and stay there with what they told: use a headquarters made for this.
  --console           headquarters' console, http://host:port or https://...
  --admin-token-file  the file with its admin token
  --chain             the chain's name
  --dir               where the stores' badges are kept for the next time
  --rate              events a second of each store; max: as fast as headquarters takes them
  --for               how long they are played, once all are there
  --campaign          publishes a campaign for nobody when all are there, and tells when all stores have applied it
  --stalled           so many more stores send and never read: the others must not notice
`

// sizing is what "foyer sim stores" was asked for.
type sizing struct {
	stores, stalled int
	office          office
	chain, dir      string
	rate            float64
	full, campaign  bool
	time            time.Duration
}

// simStores plays stores until their time is over or Ctrl-C.
func simStores(args []string, stdout, stderr io.Writer) int {
	z, err := parseSizing(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, storesHelp)
		return 0
	}
	if err != nil {
		fmt.Fprintf(stderr, "foyer sim stores: %v (foyer sim stores -h says more)\n", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := z.play(ctx, stdout); err != nil {
		fmt.Fprintf(stderr, "foyer sim stores: %v\n", err)
		return 1
	}
	return 0
}

func parseSizing(args []string, stderr io.Writer) (sizing, error) {
	z := sizing{}
	if len(args) > 0 && (args[0] == "-h" || args[0] == "--help" || args[0] == "help") {
		return z, flag.ErrHelp
	}
	if len(args) == 0 {
		return z, errors.New("want a number of stores")
	}
	var err error
	if z.stores, err = strconv.Atoi(args[0]); err != nil || z.stores < 1 || z.stores > 100_000 {
		return z, fmt.Errorf("%.40q: want a number of stores, 1 to 100000", args[0])
	}
	f := flag.NewFlagSet("foyer sim stores", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&z.office.url, "console", "", "")
	f.StringVar(&z.office.tokenFile, "admin-token-file", "", "")
	f.StringVar(&z.chain, "chain", "", "")
	f.StringVar(&z.dir, "dir", ".foyer-sim", "")
	f.DurationVar(&z.time, "for", 30*time.Second, "")
	f.BoolVar(&z.campaign, "campaign", false, "")
	f.IntVar(&z.stalled, "stalled", 0, "")
	rate := f.String("rate", "1", "")
	if err := f.Parse(args[1:]); err != nil {
		return z, err
	}
	if f.NArg() > 0 {
		return z, fmt.Errorf("%.40q is too much", f.Arg(0))
	}
	if z.full = *rate == "max"; !z.full {
		if z.rate, err = strconv.ParseFloat(*rate, 64); err != nil || !(z.rate >= 0 && z.rate <= 10_000) {
			return z, fmt.Errorf("--rate %.40q: want 0 to 10000 events a second, or max", *rate)
		}
	}
	return z, z.check()
}

func (z *sizing) check() error {
	if err := (wire.Place{Chain: z.chain, Store: "x"}).Check(); err != nil {
		return fmt.Errorf("--chain: %w", err)
	}
	if z.time <= 0 || z.stalled < 0 || z.stalled > 1000 {
		return fmt.Errorf("--for %v, --stalled %d: want some time, and 0 to 1000 stores", z.time, z.stalled)
	}
	return z.office.open()
}

// play enrols whom it must, lets all stores come, and tells what headquarters made of them.
func (z *sizing) play(ctx context.Context, out io.Writer) error {
	began := time.Now()
	stores, fresh, err := z.enrol(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d stores, %d of them newly enrolled in %.1f s\n", z.stores+z.stalled, fresh, time.Since(began).Seconds())
	ctx, stop := context.WithCancel(ctx)
	tally := sim.NewTally()
	var all sync.WaitGroup
	defer all.Wait()
	defer stop()
	for i := range stores {
		c := stores[i]
		c.Tally, c.Rate, c.Full = tally, z.rate, z.full
		if i < z.stores {
			all.Go(func() { sim.New(c).Run(ctx) })
			continue
		}
		all.Go(func() {
			borne, err := sim.Stall(ctx, c)
			if ctx.Err() == nil {
				fmt.Fprintf(out, "%s, which never reads, was sent away after %.1f s%s\n", c.Place.Store, borne.Seconds(), because(err))
			}
		})
	}
	return z.watch(ctx, tally, out)
}

func because(err error) string {
	if err == nil {
		return ""
	}
	return ": " + err.Error()
}

// watch waits until all are there and have what was published before, then measures.
func (z *sizing) watch(ctx context.Context, tally *sim.Tally, out io.Writer) error {
	began := time.Now()
	there := func() bool { return tally.Counts().Up >= z.stores }
	if !until(ctx, 5*time.Minute, there) {
		return cmp.Or(ctx.Err(), fmt.Errorf("only %d of %d stores have come up in five minutes", tally.Counts().Up, z.stores))
	}
	fmt.Fprintf(out, "all connected in %.1f s\n", time.Since(began).Seconds())
	tally.Forget()
	began = time.Now()
	limit := time.After(z.time)
	if z.campaign {
		if err := z.publish(ctx, tally, out); err != nil {
			return err
		}
	}
	select {
	case <-limit:
	case <-ctx.Done():
	}
	took := time.Since(began).Seconds()
	c := tally.Counts()
	fmt.Fprintf(out, "events: %d durable in %.1f s, %.0f/s; from sending to headquarters' word p50 %s, p99 %s\n", c.Durable, took, float64(c.Durable)/took, brief(c.P50), brief(c.P99))
	if c.Connects > z.stores || c.SentAgain > 0 || c.Refused > 0 {
		fmt.Fprintf(out, "mind: %d connections were made anew, %d times something was sent again after a silence, %d snapshots were refused%s\n",
			c.Connects-z.stores, c.SentAgain, c.Refused, because(c.Why))
	}
	return nil
}

func brief(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }

// publish measures a campaign from headquarters' making of the snapshot until it has each store's answer.
func (z *sizing) publish(ctx context.Context, tally *sim.Tally, out io.Writer) error {
	before := z.settled(ctx, tally)
	asked := time.Now()
	end, err := z.office.publish(ctx)
	if err != nil {
		return err
	}
	defer end()
	said := time.Since(asked)
	var took sim.Sample
	all := until(ctx, 2*time.Minute, func() bool {
		var version uint64
		version, took = tally.Newest(wire.Campaigns)
		return version > before && took.Seen() >= z.stores
	})
	if !all {
		return cmp.Or(ctx.Err(), fmt.Errorf("only %d of %d stores have applied the campaign in two minutes", took.Seen(), z.stores))
	}
	fmt.Fprintf(out, "campaign: headquarters' answer after %s; published to applied, with the store's word on headquarters' disk: p50 %s, p99 %s, last %s\n",
		brief(said), brief(took.Quantile(50)), brief(took.Quantile(99)), brief(took.Quantile(100)))
	return nil
}

// settled waits until every store has what was published last, or a while where nothing was, and gives its version.
func (z *sizing) settled(ctx context.Context, tally *sim.Tally) uint64 {
	var version uint64
	until(ctx, 10*time.Second, func() bool {
		v, took := tally.Newest(wire.Campaigns)
		version = v
		return took.Seen() >= z.stores
	})
	return version
}

// until looks ten times a second.
func until(ctx context.Context, limit time.Duration, there func() bool) bool {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(limit); !there(); {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
			if time.Now().After(end) {
				return false
			}
		}
	}
	return true
}
