package line

import (
	"crypto/tls"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// Held is how many bytes of what was published the other end's system has not confirmed yet: what TCP still carries, or carries again.
// It says nothing about what the broker has done with the rest. 0 when offline, or where the socket does not tell.
func (l *Line) Held() int {
	s := l.now.Load()
	if s == nil {
		return 0
	}
	return heldBy(s.conn.Conn)
}

func heldBy(c net.Conn) (n int) {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	socket, ok := c.(syscall.Conn)
	if !ok {
		return 0
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return 0
	}
	raw.Control(func(fd uintptr) { // tcp(7): SIOCOUTQ. A closed socket has nothing
		if n, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ); err != nil {
			n = 0
		}
	})
	return n
}
