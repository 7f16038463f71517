package fault

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"foyer/sync/wire"
)

// The kernel's own line between store and headquarters fails: packets vanish, are refused, are lost now and then, go through a
// 384 kbit/s line, and the link goes down. Once it is over headquarters has each record once, in order. It runs in a network
// namespace of its own, where nobody else is touched.
func TestLinesThatFail(t *testing.T) {
	if testing.Short() {
		t.Skip("lines that are slow and lossy take their time; not in -short")
	}
	if os.Getenv("FAULT_NET") == "" {
		apart(t)
		return
	}
	sh(t, "ip link set lo up mtu 1500")
	h := alone(t)
	_, port, err := net.SplitHostPort(h.address)
	if err != nil {
		t.Fatal(err)
	}
	b := newBox(t, h)
	b.writes(wire.MainLane, numbered("v", 1, 100)...)
	b.settled()
	rule := func(verdict string) string {
		var both strings.Builder
		for _, way := range []string{"dport", "sport"} {
			both.WriteString(" && nft add rule inet fault in tcp " + way + " " + port + " " + verdict)
		}
		return "nft add table inet fault && nft add chain inet fault in '{ type filter hook input priority 0; }'" + both.String()
	}
	const lift = "nft delete table inet fault"
	for i, fault := range []struct {
		name, begin, end string
		dead             bool // nothing comes through
	}{
		{"blackhole", rule("drop"), lift, true},
		{"refused", rule("reject with tcp reset"), lift, true},
		{"one packet in seven is lost", rule("numgen random mod 100 '<' 15 drop"), lift, false},
		{"384 kbit/s", "tc qdisc add dev lo root tbf rate 384kbit burst 5kb latency 400ms", "tc qdisc del dev lo root", false},
		{"link down", "ip link set lo down", "ip link set lo up", true},
	} {
		sh(t, fault.begin)
		from := 100 + i*1000
		b.writes(wire.MainLane, numbered("v", from+1, from+1000)...)
		b.writes(wire.CaseLane, numbered("c", i*10+1, i*10+10)...)
		if fault.dead {
			if s := b.uplink.Status(); s.Acked > uint64(100+i*1010) {
				t.Errorf("%s: %d records came through", fault.name, s.Acked)
			}
			sh(t, fault.end)
		}
		b.settled()
		if !fault.dead {
			sh(t, fault.end)
		}
		t.Logf("%s: over, and all is there", fault.name)
	}
	epoch := b.journal.Epoch()
	if diff := cmp.Diff(numbered("v", 1, 5100), h.visits(wire.MainLane, epoch)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(numbered("c", 1, 50), h.visits(wire.CaseLane, epoch)); diff != "" {
		t.Error(diff)
	}
}

// apart runs this test in a network of its own, or passes it over where that cannot be had.
func apart(t *testing.T) {
	for _, tool := range []string{"ip", "nft", "tc"} {
		if err := exec.Command("sh", "-c", path+"command -v "+tool).Run(); err != nil {
			t.Skipf("SKIP SKIP SKIP: no %s here (apt-get install iproute2 nftables)", tool)
		}
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestLinesThatFail$", "-test.v")
	cmd.Env = append(os.Environ(), "FAULT_NET=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if id := os.Getuid(); id != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: id, Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOSPC) {
		t.Skipf("SKIP SKIP SKIP: no network namespace can be had here (needs root, or user namespaces): %v", err)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "_test.go") {
			t.Log(strings.TrimSpace(line))
		}
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

const path = "PATH=$PATH:/usr/sbin:/sbin; "

func sh(t *testing.T, command string) {
	t.Helper()
	if out, err := exec.Command("sh", "-c", path+command).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", command, err, out)
	}
}
