package fault

import (
	"context"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

const sector = 512 // bytes that a disk writes whole

// disk is what the file system does wrong at the moment. One lock guards all of it, files and names included.
type disk struct {
	mu     sync.Mutex
	off    bool          // the power is off
	lies   bool          // fsync says yes and does nothing: the control
	slow   time.Duration // how long a sync takes
	bad    syscall.Errno // of every sync
	refuse syscall.Errno // of every write
	flaky  int           // one in so many writes finds no room, and one in so many syncs fails; 0: none
	names  map[string]*file
	before []map[string]*file // names since the folder was synced, the synced ones first
}

// broken says whether this call fails.
func (d *disk) broken() bool { return d.flaky > 0 && rand.IntN(d.flaky) == 0 }

// file has what readers see, and what is on the disk.
type file struct {
	fs.Inode
	disk    *disk
	seen    []byte
	durable []byte
	dirty   map[int64]bool // sectors of seen that are not in durable
}

func newFile(d *disk, data []byte) *file {
	return &file{disk: d, seen: append([]byte{}, data...), durable: append([]byte{}, data...), dirty: map[int64]bool{}}
}

// folder is the one folder.
type folder struct {
	fs.Inode
	disk *disk
}

var (
	_ fs.NodeCreater   = (*folder)(nil)
	_ fs.NodeUnlinker  = (*folder)(nil)
	_ fs.NodeRenamer   = (*folder)(nil)
	_ fs.NodeFsyncer   = (*folder)(nil)
	_ fs.NodeStatfser  = (*folder)(nil)
	_ fs.NodeOpener    = (*file)(nil)
	_ fs.NodeReader    = (*file)(nil)
	_ fs.NodeWriter    = (*file)(nil)
	_ fs.NodeFsyncer   = (*file)(nil)
	_ fs.NodeGetattrer = (*file)(nil)
	_ fs.NodeSetattrer = (*file)(nil)
)

// renamed notes the names as they are now: a cut may leave any state since the folder was synced.
func (d *disk) renamed(change func(map[string]*file)) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off {
		return syscall.EIO
	}
	d.before = append(d.before, maps.Clone(d.names))
	change(d.names)
	return 0
}

func (f *folder) Create(ctx context.Context, name string, _, _ uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	made := newFile(f.disk, nil)
	node := f.NewInode(ctx, made, fs.StableAttr{Mode: syscall.S_IFREG})
	errno := f.disk.renamed(func(names map[string]*file) { names[name] = made })
	f.AddChild(name, node, true)
	out.Mode = syscall.S_IFREG | 0o600
	return node, nil, 0, errno
}

func (f *folder) Unlink(_ context.Context, name string) syscall.Errno {
	return f.disk.renamed(func(names map[string]*file) { delete(names, name) })
}

func (f *folder) Rename(_ context.Context, name string, _ fs.InodeEmbedder, to string, _ uint32) syscall.Errno {
	return f.disk.renamed(func(names map[string]*file) {
		names[to] = names[name]
		delete(names, name)
	})
}

func (f *folder) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.off || f.disk.broken() {
		return syscall.EIO
	}
	if !f.disk.lies {
		f.disk.before = nil
	}
	return 0
}

// Statfs says that there is room: a full disk is one write's affair here.
func (f *folder) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno {
	out.Bsize, out.Blocks, out.Bfree, out.Bavail = 4096, 1<<20, 1<<20, 1<<20
	return 0
}

func (n *file) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) { return nil, 0, 0 }

func (n *file) Read(_ context.Context, _ fs.FileHandle, b []byte, at int64) (fuse.ReadResult, syscall.Errno) {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	if at >= int64(len(n.seen)) {
		return fuse.ReadResultData(nil), 0
	}
	part := n.seen[at:min(at+int64(len(b)), int64(len(n.seen)))]
	return fuse.ReadResultData(append([]byte{}, part...)), 0
}

func (n *file) Write(_ context.Context, _ fs.FileHandle, b []byte, at int64) (uint32, syscall.Errno) {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	if n.disk.off {
		return 0, syscall.EIO
	}
	if n.disk.refuse != 0 {
		return 0, n.disk.refuse
	}
	if n.disk.broken() {
		return 0, syscall.ENOSPC
	}
	n.size(max(int64(len(n.seen)), at+int64(len(b))))
	copy(n.seen[at:], b)
	for s := at / sector; s*sector < at+int64(len(b)); s++ {
		n.dirty[s] = true
	}
	return uint32(len(b)), 0
}

// size makes the file so long.
func (n *file) size(want int64) {
	if grow := want - int64(len(n.seen)); grow > 0 {
		n.seen = append(n.seen, make([]byte, grow)...)
		return
	}
	n.seen = n.seen[:want]
}

func (n *file) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	n.disk.mu.Lock()
	slow := n.disk.slow
	n.disk.mu.Unlock()
	time.Sleep(slow)
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	switch {
	case n.disk.bad != 0:
		return n.disk.bad
	case n.disk.off, n.disk.broken():
		return syscall.EIO
	case !n.disk.lies:
		n.persist(1)
	}
	return 0
}

// persist brings a share of the sectors that were not synced to the disk.
func (n *file) persist(share float64) {
	if grow := len(n.seen) - len(n.durable); grow > 0 {
		n.durable = append(n.durable, make([]byte, grow)...)
	}
	n.durable = n.durable[:len(n.seen)]
	for s := range n.dirty {
		if from := s * sector; rand.Float64() < share && from < int64(len(n.seen)) {
			copy(n.durable[from:], n.seen[from:min(from+sector, int64(len(n.seen)))])
		}
	}
	clear(n.dirty)
}

func (n *file) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	out.Mode, out.Size = syscall.S_IFREG|0o600, uint64(len(n.seen))
	out.Blocks = (out.Size + sector - 1) / sector
	return 0
}

func (n *file) Setattr(ctx context.Context, h fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	if want, ok := in.GetSize(); ok {
		n.disk.mu.Lock()
		n.size(int64(want))
		n.disk.mu.Unlock()
	}
	return n.Getattr(ctx, h, out)
}

// mount puts a file system with these files on a folder.
func mount(t *testing.T, d *disk, data map[string][]byte) (dir string, unmount func()) {
	t.Helper()
	dir = t.TempDir()
	root := &folder{disk: d}
	d.names = map[string]*file{}
	server, err := fs.Mount(dir, root, &fs.Options{
		MountOptions: fuse.MountOptions{DirectMountStrict: true, FsName: "lossy", Name: "lossy"},
		OnAdd: func(ctx context.Context) {
			for name, b := range data {
				d.names[name] = newFile(d, b)
				root.AddChild(name, root.NewInode(ctx, d.names[name], fs.StableAttr{Mode: syscall.S_IFREG}), true)
			}
		},
	})
	if err != nil {
		t.Skipf("SKIP SKIP SKIP: a file system of our own cannot be mounted (needs root and /dev/fuse): %v", err)
	}
	ours(t)
	unmount = sync.OnceFunc(func() {
		if err := server.Unmount(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(unmount)
	return dir, unmount
}

// ours keeps the kernel's end of the file system out of our children. A writer that had it too would keep it open when the
// test is killed, and wait for ever for an answer that nobody gives.
func ours(t *testing.T) {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range open {
		fd, err := strconv.Atoi(e.Name())
		if to, _ := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && to == "/dev/fuse" {
			syscall.CloseOnExec(fd)
		}
	}
}

// cut switches the power off: from here on nothing reaches the disk.
func (d *disk) cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.off = true
}

// remains is what the disk holds after a cut: of what was not synced, some.
func (d *disk) remains() map[string][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	names := append(d.before, d.names)[rand.IntN(len(d.before)+1)]
	share, left := rand.Float64(), map[string][]byte{}
	for name, f := range names {
		f.persist(share)
		left[name] = f.durable
	}
	return left
}

// lay writes files into a plain folder.
func lay(t *testing.T, data map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range data {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
