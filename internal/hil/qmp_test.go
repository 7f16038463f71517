package hil

import (
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"testing"
)

// qmp is QEMU's control line: JSON objects, answers in order, events between them.
type qmp struct {
	t      *testing.T
	conn   net.Conn
	answer *json.Decoder
	folder string
}

func dialQMP(t *testing.T, path string) *qmp {
	conn := dial(t, path)
	q := &qmp{t: t, conn: conn, answer: json.NewDecoder(conn), folder: filepath.Dir(path)}
	q.do("qmp_capabilities", nil)
	return q
}

// do sends a command and waits for its answer.
func (q *qmp) do(command string, arguments any) {
	q.t.Helper()
	text, err := json.Marshal(map[string]any{"execute": command, "arguments": arguments})
	if arguments == nil {
		text, err = json.Marshal(map[string]any{"execute": command})
	}
	if err != nil {
		q.t.Fatal(err)
	}
	if _, err := q.conn.Write(text); err != nil {
		q.t.Fatal(err)
	}
	for {
		var got struct{ Return, Error json.RawMessage }
		if err := q.answer.Decode(&got); err != nil {
			q.t.Fatalf("%s: %v", command, err)
		}
		if got.Error != nil {
			q.t.Fatalf("%s: %s", command, got.Error)
		}
		if got.Return != nil {
			return
		}
	}
}

// plug puts an adapter in and returns the far end of its line. Each has a line of its own: QEMU 7.2 calls one that was used
// before busy. Somebody must read it, or the whole machine stands still.
func (q *qmp) plug(i int) net.Conn {
	q.t.Helper()
	line, path := fmt.Sprintf("line%d", i), filepath.Join(q.folder, fmt.Sprintf("line%d", i))
	socket := map[string]any{"type": "unix", "data": map[string]any{"path": path}}
	q.do("chardev-add", map[string]any{"id": line, "backend": map[string]any{
		"type": "socket", "data": map[string]any{"addr": socket, "server": true, "wait": false},
	}})
	far := dial(q.t, path)
	q.do("device_add", map[string]any{"driver": "usb-serial", "id": fmt.Sprintf("adapter%d", i), "chardev": line})
	return far
}

// pull takes the adapter out.
func (q *qmp) pull(i int) {
	q.t.Helper()
	q.do("device_del", map[string]any{"id": fmt.Sprintf("adapter%d", i)})
}
