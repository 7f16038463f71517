package link

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"time"
)

// keepAlive finds a pulled network cable: 10 s of silence, then three questions 3 s apart.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 3 * time.Second, Count: 3}

func openTCP(ctx context.Context, port string, s Settings) (Link, error) {
	u, err := url.Parse(port)
	if err != nil || u.Hostname() == "" || u.Port() == "" || u.Path != "" {
		return nil, &OpenError{Port: port, Kind: ErrBadPort, Hint: portHelp, Err: err}
	}
	dialer := net.Dialer{Timeout: dialTimeout, KeepAliveConfig: keepAlive}
	conn, err := dialer.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, &OpenError{Port: port, Kind: ErrNoAnswer, Hint: "is it switched on, and are address and port right?", Err: err}
	}
	return &line{stream: conn, sendTimeout: s.SendTimeout}, nil
}

func closedHere(err error) bool { return errors.Is(err, os.ErrClosed) || errors.Is(err, net.ErrClosed) }
