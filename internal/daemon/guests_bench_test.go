package daemon

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"foyer/reader/tag"
	"foyer/shop/member"
)

// BenchmarkQuestion is from a tag at the counter, whose member the store does not have at hand, until the shop has greeted them:
// one question and its answer over a real broker on loopback, headquarters' note on disk in between.
func BenchmarkQuestion(b *testing.B) {
	c := newChain(b, nil)
	c.addStore("north")
	var rows []string
	const members = 2000
	for n := range members {
		rows = append(rows, row(fmt.Sprint("m-", n), "Wang", n+1))
	}
	c.join(rows...)
	s := newCounter(b, c)
	s.atHand(0)
	var took []time.Duration
	bytes := s.proxy.Carried()
	for n := 0; b.Loop(); n++ {
		if n == members {
			b.Fatal("there are no more members to ask for: run it with fewer rounds, e.g. -benchtime 500x")
		}
		id := uid(b, n+1)
		began := time.Now()
		s.tap(id)
		<-s.noticed
		took = append(took, time.Since(began))
		for len(s.events) > 0 {
			<-s.events
		}
		if n%50 == 49 { // headquarters answers no more than a store may ask
			b.StopTimer()
			wait := time.NewTimer(10 * time.Second)
			<-wait.C
			b.StartTimer()
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms-p99")
	b.ReportMetric(float64(s.proxy.Carried()-bytes)/float64(len(took)), "bytes/question")
	if g := s.supply.down.Guesting(); int(g.Named) != len(took) {
		fmt.Fprintf(os.Stderr, "%+v\n", g)
	}
}

// BenchmarkRosterDay is what a day of a large chain costs one store: fifty come for the first time, ten of the regulars change, and a
// thousand join the chain elsewhere; every hour they are told of. Bytes with MQTT, without TLS.
func BenchmarkRosterDay(b *testing.B) {
	c := newChain(b, nil)
	c.addStore("north")
	var rows []string
	for n := range 5000 {
		rows = append(rows, row(fmt.Sprint("m-", n), "Wang", n+1))
	}
	c.join(rows...)
	for n := range 3000 {
		c.must(c.hq.DB().Answered(b.Context(), "north", memberID(n), c.hq.Now()))
	}
	c.join(row("first", "Li", 1<<20))
	s := newCounter(b, c)
	s.atHand(3000)
	days, bytes := 0, s.proxy.Carried()
	for b.Loop() {
		for hour := range 12 {
			rows = rows[:0]
			for n := range 83 {
				id := 1<<21 + days*1000 + hour*83 + n
				rows = append(rows, row(fmt.Sprint("j-", id), "Zhao", id))
			}
			rows = append(rows, row(fmt.Sprint("m-", hour), fmt.Sprint("Wang", days), hour+1))
			for n := range 4 {
				c.must(c.hq.DB().Answered(b.Context(), "north", memberID(3000+days*48+hour*4+n), c.hq.Now()))
			}
			c.join(rows...)
			last := uid(b, 1<<21+days*1000+hour*83+82)
			s.until("the hour is told", func() bool {
				s.people.mu.Lock()
				defer s.people.mu.Unlock()
				return s.supply.down.Maybe(last, tag.ID{}) && s.people.atHand.Len() == 3000+days*48+(hour+1)*4
			})
		}
		days++
	}
	b.ReportMetric(float64(s.proxy.Carried()-bytes)/float64(days), "bytes/day")
}

func memberID(n int) member.ID { return member.ID(fmt.Sprint("m-", n)) }
