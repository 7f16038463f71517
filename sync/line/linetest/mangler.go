package linetest

import (
	"maps"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// Odds are how often a Mangler does wrong: one in so many messages; 0: never.
type Odds struct {
	Drop  int // acknowledged to the sender, and forgotten
	Twice int // passed on twice
	Late  int // acknowledged, and passed on after later ones, or on a later connection
	Cut   int // the connection ends with the message taken and nothing said
}

// Mangler stands before a broker and does to messages, in both directions, what brokers have been seen to do. All of it follows
// from a seed and from the order of the messages.
type Mangler struct {
	place
	to string

	mu   sync.Mutex // guards what follows
	odds Odds
	rand *rand.Rand
	late map[bool][]*packets.PublishPacket // held back, by direction
	done map[string]int                    // how often what was done
}

// NewMangler starts one before a broker's address.
func NewMangler(t *testing.T, to string, odds Odds, seed uint64) *Mangler {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &Mangler{place: place{l.Addr().String()}, to: to, odds: odds, rand: rand.New(rand.NewPCG(seed, 5)),
		late: map[bool][]*packets.PublishPacket{}, done: map[string]int{}}
	var all sync.WaitGroup
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[c] = true
			mu.Unlock()
			all.Go(func() { m.carry(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for c := range open {
			c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return m
}

// Behave ends its wrongs; what it holds back goes out with the next messages. It tells how often it did what.
func (m *Mangler) Behave() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.odds = Odds{}
	return maps.Clone(m.done)
}

// side is one end of a connection; packets come to it from both directions.
type side struct {
	net.Conn
	mu sync.Mutex
}

func (s *side) send(p packets.ControlPacket) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return p.Write(s.Conn)
}

func (m *Mangler) carry(c net.Conn) {
	defer c.Close()
	b, err := net.Dial("tcp", m.to)
	if err != nil {
		return
	}
	defer b.Close()
	client, server := &side{Conn: c}, &side{Conn: b}
	var both sync.WaitGroup
	both.Go(func() { m.pass(server, client, true) })
	both.Go(func() { m.pass(client, server, false) })
	both.Wait()
}

// pass carries packets from one side to the other until one of them ends.
func (m *Mangler) pass(to, from *side, up bool) {
	defer to.Close()
	defer from.Close()
	for {
		p, err := packets.ReadPacket(from)
		if err != nil {
			return
		}
		message, ok := p.(*packets.PublishPacket)
		if !ok || strings.HasSuffix(message.TopicName, "/state") {
			if to.send(p) != nil {
				return
			}
			continue
		}
		pass, acknowledge, cut := m.judge(message, up)
		for _, p := range pass {
			if to.send(p) != nil {
				return
			}
		}
		if acknowledge && message.Qos > 0 {
			ack := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
			ack.MessageID = message.MessageID
			if from.send(ack) != nil {
				return
			}
		}
		if cut {
			return
		}
	}
}

// judge decides what becomes of a message, and lets those go that were held back long enough.
func (m *Mangler) judge(p *packets.PublishPacket, up bool) (pass []*packets.PublishPacket, acknowledge, cut bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	hit := func(what string, odds int) bool {
		yes := odds > 0 && m.rand.IntN(odds) == 0
		if yes {
			m.done[what]++
		}
		return yes
	}
	switch {
	case hit("dropped", m.odds.Drop):
		acknowledge = true
	case hit("late", m.odds.Late):
		acknowledge = true
		m.late[up] = append(m.late[up], unnumbered(p))
		return nil, true, false
	case hit("cut", m.odds.Cut):
		return nil, false, true
	case hit("twice", m.odds.Twice):
		pass = []*packets.PublishPacket{p, unnumbered(p)}
	default:
		pass = []*packets.PublishPacket{p}
	}
	if len(m.late[up]) > 0 && (m.odds.Late == 0 || m.rand.IntN(4) == 0) {
		pass = append(pass, m.late[up]...)
		m.late[up] = nil
	}
	return pass, acknowledge, cut
}

// unnumbered is the message at QoS 0: nobody is to answer it.
func unnumbered(p *packets.PublishPacket) *packets.PublishPacket {
	c := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	c.TopicName, c.Payload = p.TopicName, p.Payload
	return c
}
