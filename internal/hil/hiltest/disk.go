package hiltest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

const sector = 512 // bytes that a disk writes whole

// Disk is a block device for a machine, with a volatile write cache: what is written is kept in memory until the machine flushes.
// It speaks NBD (the fixed newstyle handshake and simple replies, as the protocol's public document has them).
type Disk struct {
	image string
	size  int64
	lies  bool
	odds  *rand.Rand

	mu      sync.Mutex       // guards what follows
	file    *os.File         // nil after the cut
	dirty   map[int64][]byte // by sector
	flushes int
	writes  int
	cutAt   int // the write with which the power goes; 0: none
	told    string
	failed  error // of the cut

	Off chan struct{} // closed when the power is off
}

// NewDisk serves an image file. One that lies says yes to every flush and does nothing: the control. The image's size does not change.
func NewDisk(t *testing.T, image string, lies bool, seed uint64) (d *Disk, qemu []string) {
	t.Helper()
	f, err := os.OpenFile(image, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	d = &Disk{image: image, size: info.Size(), lies: lies, odds: rand.New(rand.NewPCG(seed, 512)), file: f, dirty: map[int64][]byte{}, Off: make(chan struct{})}
	dir, err := os.MkdirTemp("", "nbd") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			served.Go(func() {
				defer c.Close()
				d.serve(c) // ends with the connection
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		served.Wait()
		f.Close()
		os.RemoveAll(dir)
	})
	return d, []string{
		"-drive", "file=nbd+unix:///?socket=" + socket + ",format=raw,if=none,id=disk,cache=writeback",
		"-device", "virtio-blk-pci,drive=disk",
	}
}

// CutIn takes the power away with the n-th write from now: of the sectors written since the last flush a random part reaches the
// image, so that pages are torn and reordered as on a cheap memory card. Nothing is answered afterwards.
func (d *Disk) CutIn(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cutAt = d.writes + n
}

// Lost tells what the cut has done, and what went wrong with it.
func (d *Disk) Lost() (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.told, d.failed
}

func (d *Disk) cut() {
	share, kept := d.odds.Float64(), 0
	for s, b := range d.dirty {
		if d.odds.Float64() < share {
			_, err := d.file.WriteAt(b, s*sector)
			d.failed = errors.Join(d.failed, err)
			kept++
		}
	}
	d.failed = errors.Join(d.failed, d.file.Sync())
	d.told = fmt.Sprintf("%d writes, %d flushes, %d sectors not flushed, %d of them kept", d.writes, d.flushes, len(d.dirty), kept)
	d.file = nil
	close(d.Off)
}

// NBD's numbers.
const (
	magicOption  = 0x3e889045565a9
	magicRequest = 0x25609513
	magicReply   = 0x67446698

	optionExport, optionInfo, optionGo = 1, 6, 7
	replyAck, replyInfo, replyUnknown  = 1, 3, 1<<31 | 1
	deviceFlags                        = 1 | 4 | 8 // they count; flush; forced unit access
	commandRead, commandWrite          = 0, 1
	commandEnd, commandFlush           = 2, 3
	flagForced                         = 1
	maxRequest                         = 32 << 20 // bytes
)

func (d *Disk) serve(c net.Conn) error {
	if err := d.greet(c); err != nil {
		return err
	}
	for {
		var r struct {
			Magic       uint32
			Flags, Kind uint16
			Handle      uint64
			Offset      uint64
			Length      uint32
		}
		if err := binary.Read(c, binary.BigEndian, &r); err != nil {
			return err
		}
		if r.Magic != magicRequest || r.Kind == commandEnd || r.Length > maxRequest || r.Length%sector != 0 || r.Offset%sector != 0 {
			return errors.New("a request that is none")
		}
		data := make([]byte, r.Length)
		if r.Kind == commandWrite {
			if _, err := io.ReadFull(c, data); err != nil {
				return err
			}
		}
		if err := d.do(r.Kind, r.Flags, int64(r.Offset), data); err != nil {
			return err
		}
		reply := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, magicReply), 0), r.Handle)
		if r.Kind == commandRead {
			reply = append(reply, data...)
		}
		if _, err := c.Write(reply); err != nil {
			return err
		}
	}
}

// greet shakes hands.
func (d *Disk) greet(c net.Conn) error {
	order := binary.BigEndian
	if _, err := c.Write(order.AppendUint16([]byte("NBDMAGICIHAVEOPT"), 1)); err != nil {
		return err
	}
	var flags uint32
	if err := binary.Read(c, order, &flags); err != nil {
		return err
	}
	for {
		var o struct {
			Magic          uint64
			Option, Length uint32
		}
		if err := binary.Read(c, order, &o); err != nil {
			return err
		}
		if _, err := io.CopyN(io.Discard, c, int64(o.Length)); err != nil {
			return err
		}
		export := order.AppendUint16(order.AppendUint64(nil, uint64(d.size)), deviceFlags)
		reply := func(kind uint32, data []byte) {
			b := order.AppendUint32(order.AppendUint64(nil, magicOption), o.Option)
			c.Write(append(order.AppendUint32(order.AppendUint32(b, kind), uint32(len(data))), data...)) // a dead connection shows at the next read
		}
		switch o.Option {
		case optionExport:
			if flags&2 == 0 {
				export = append(export, make([]byte, 124)...)
			}
			_, err := c.Write(export)
			return err
		case optionInfo, optionGo:
			reply(replyInfo, append([]byte{0, 0}, export...))
			reply(replyAck, nil)
			if o.Option == optionGo {
				return nil
			}
		default:
			reply(replyUnknown, nil)
		}
	}
}

// do carries one request out.
func (d *Disk) do(kind, flags uint16, at int64, data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.file == nil {
		return errors.New("the power is off")
	}
	switch kind {
	case commandRead:
		if _, err := d.file.ReadAt(data, at); err != nil {
			return err
		}
		for i := int64(0); i < int64(len(data)); i += sector {
			copy(data[i:i+sector], d.dirty[(at+i)/sector])
		}
	case commandWrite:
		d.writes++
		for i := int64(0); i < int64(len(data)); i += sector {
			d.dirty[(at+i)/sector] = data[i : i+sector]
		}
		if d.writes == d.cutAt {
			d.cut()
			return errors.New("the power goes")
		}
		if flags&flagForced != 0 {
			return d.persist(at/sector, (at+int64(len(data)))/sector)
		}
	case commandFlush:
		d.flushes++
		return d.persist(0, d.size/sector)
	default:
		return fmt.Errorf("request of kind %d", kind)
	}
	return nil
}

// persist brings the dirty sectors of a range to the image.
func (d *Disk) persist(from, to int64) error {
	if d.lies {
		return nil
	}
	for s, b := range d.dirty {
		if s < from || s >= to {
			continue
		}
		if _, err := d.file.WriteAt(b, s*sector); err != nil {
			return err
		}
		delete(d.dirty, s)
	}
	return nil
}
