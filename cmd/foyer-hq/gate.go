package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"

	"foyer/hq"
	"foyer/hq/broker"
)

func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

// badgeDoor is the broker's door for stores that show a certificate; nil without --mqtt-tls.
func (p *program) badgeDoor() *broker.BadgeConfig {
	if p.options.mqttTLS == "" {
		return nil
	}
	return &broker.BadgeConfig{Addr: p.options.mqttTLS, TLS: p.hq.ServerTLS(), Admit: p.hq.Admit, Barred: p.hq.Barred}
}

// openGate opens the door for enrolment, and tells hq where stores find it and the broker.
func (p *program) openGate() error {
	o := p.options
	switch {
	case o.stores == "" && o.mqttTLS == "":
		return nil
	case o.stores == "":
		return errors.New("--mqtt-tls without --stores: nobody could get the badge that it asks for; give both")
	case o.mqttTLS == "" && o.broker == "":
		return errors.New("--stores without --mqtt-tls: stores could get a badge and show it nowhere; give both")
	}
	ln, err := net.Listen("tcp", o.stores)
	if err != nil {
		return fmt.Errorf("open the door for stores at %s: %w", o.stores, err)
	}
	p.gate = tls.NewListener(ln, p.hq.ServerTLS())
	doors := hq.Doors{Gate: p.public(ln.Addr().String()), Broker: o.storesBroker}
	if doors.Broker == "" {
		if doors.Broker = o.broker; o.broker == "" {
			doors.Broker = "tls://" + p.public(p.badgeAddr())
		}
	}
	if err := p.hq.SetDoors(doors); err != nil {
		return errors.Join(err, ln.Close())
	}
	return nil
}

// public is an address of ours as stores dial it.
func (p *program) public(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if ip := net.ParseIP(host); p.options.host != "" {
		host = p.options.host
	} else if ip == nil || ip.IsUnspecified() {
		if name, err := os.Hostname(); err == nil {
			host = name
		}
	}
	return net.JoinHostPort(host, port)
}

func (p *program) gateAddr() string {
	if p.gate == nil {
		return ""
	}
	return p.gate.Addr().String()
}

func (p *program) badgeAddr() string {
	if b, ok := p.broker.(*broker.Embedded); ok {
		return b.BadgeAddr()
	}
	return ""
}

// serveUntil serves until ctx ends, and gives what is in progress a moment.
func serveUntil(ctx context.Context, s *http.Server, ln net.Listener) error {
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		last, done := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer done()
		if s.Shutdown(last) != nil {
			s.Close()
		}
	})
	err := s.Serve(ln)
	if !stop() {
		<-ended
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve stores: %w", err)
}
