// Package storetest gives tests a database of headquarters: a file, or a PostgreSQL of their own.
//
// In: a test, and FOYER_DATABASE (empty or sqlite: a file; postgres). Out: what store.Open opens.
// It never touches a PostgreSQL that is there already: it starts Debian's on a free port with a folder of its own, as an
// unprivileged user where the tests run as root, and ends it by its process. Where there is none, tests say SKIP aloud.
// Called by tests of the packages around hq/store; their TestMain calls Run.
package storetest

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// OnPostgres reports whether the tests of this run are to use PostgreSQL.
func OnPostgres() bool { return os.Getenv("FOYER_DATABASE") == "postgres" }

// New is where a test's own empty database is.
func New(t testing.TB) string {
	t.Helper()
	if OnPostgres() {
		return Postgres(t)
	}
	return filepath.Join(t.TempDir(), "hq.db")
}

// Link gives a data folder of headquarters, made if it is not there, an empty database of its own where the tests use PostgreSQL.
func Link(t testing.TB, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "database.url")
	if _, err := os.Stat(path); err == nil || !OnPostgres() {
		return dir
	}
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = os.WriteFile(path, []byte(Postgres(t)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// Postgres is the URL of a test's own empty PostgreSQL database: a schema of it, which goes with the test.
func Postgres(t testing.TB) string {
	t.Helper()
	s := server(t)
	name := fmt.Sprintf("t%d", made.Add(1))
	if err := s.psql("CREATE SCHEMA " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.psql("SET client_min_messages TO warning; DROP SCHEMA " + name + " CASCADE"); err != nil {
			t.Error(err)
		}
	})
	return s.url(name)
}

// Durable is Postgres on a server that syncs: for figures. The others do not, which no kill of ours can tell.
func Durable(t testing.TB) string {
	t.Helper()
	s, err := start("on")
	if err != nil {
		t.Skipf("SKIP SKIP SKIP: %v", err)
	}
	t.Cleanup(s.end)
	return s.url("public")
}

// Backup keeps a database of Postgres with pg_dump; restore puts it back as it was. Nobody may have it open meanwhile.
func Backup(t testing.TB, url string) (restore func()) {
	t.Helper()
	s := server(t)
	_, name, _ := strings.Cut(url, "search_path=")
	file := filepath.Join(t.TempDir(), "dump.sql")
	if out, err := s.tool("pg_dump", "--schema", name, "--file", file).CombinedOutput(); err != nil {
		t.Fatalf("pg_dump: %v: %s", err, out)
	}
	return func() {
		t.Helper()
		err := s.psql("SET client_min_messages TO warning; DROP SCHEMA " + name + " CASCADE")
		if err == nil {
			var out []byte
			if out, err = s.tool("psql", "-q", "-v", "ON_ERROR_STOP=1", "--file", file, database).CombinedOutput(); err != nil {
				err = fmt.Errorf("psql: %w: %s", err, out)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Run runs a package's tests and ends the server that they started.
func Run(m *testing.M) int {
	code := m.Run()
	once.Do(func() {}) // nobody starts one any more
	if running != nil {
		running.end()
	}
	return code
}

const (
	owner    = "foyer"
	database = "foyer"
	patience = time.Minute
)

var (
	made    atomic.Int64
	once    sync.Once
	running *process
	failed  error
)

func server(t testing.TB) *process {
	t.Helper()
	once.Do(func() { running, failed = start("off") })
	if failed != nil {
		t.Skipf("SKIP SKIP SKIP: PostgreSQL could not be had: %v", failed)
	}
	return running
}

// process is a PostgreSQL of ours.
type process struct {
	bin, dir, password string
	port               int
	as                 *syscall.Credential // nil: ourselves
	server             *os.Process
	ended              chan error
	log                bytes.Buffer
}

func start(fsync string) (*process, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return nil, errors.New("apt-get install postgresql")
	}
	slices.SortFunc(found, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(b, a)) }) // the newest first
	p := &process{bin: filepath.Dir(found[0]), password: rand.Text(), ended: make(chan error, 1)}
	var err error
	if p.as, err = nobody(); err != nil {
		return nil, err
	}
	if p.dir, err = os.MkdirTemp("", "foyer-pg-"); err != nil {
		return nil, err
	}
	if err = p.prepare(); err == nil {
		err = p.run(fsync)
	}
	if err != nil {
		p.end()
		return nil, err
	}
	return p, nil
}

// nobody is whom the server runs as: PostgreSQL refuses root.
func nobody() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(err1, err2)
	}
	return nil, errors.New("neither a user postgres nor nobody to run it as")
}

func (p *process) prepare() error {
	secret := filepath.Join(p.dir, "password")
	if err := os.WriteFile(secret, []byte(p.password), 0o600); err != nil {
		return err
	}
	if p.as != nil {
		for _, path := range []string{p.dir, secret} {
			if err := os.Chown(path, int(p.as.Uid), int(p.as.Gid)); err != nil {
				return err
			}
		}
	}
	out, err := p.command("initdb", "-D", p.data(), "-U", owner, "-A", "scram-sha-256", "--pwfile", secret, "-E", "UTF8", "--locale", "C.UTF-8", "-N").CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return nil
}

func (p *process) data() string { return filepath.Join(p.dir, "data") }

func (p *process) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(p.bin, name), args...)
	c.Dir = p.dir
	c.Env = []string{"PATH=" + p.bin + ":/usr/bin:/bin", "LC_ALL=C.UTF-8"}
	if p.as != nil {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: p.as}
	}
	return c
}

// run starts the server on a free port, and on another one if somebody took it in between.
func (p *process) run(fsync string) error {
	var err error
	for range 3 {
		if p.port, err = freePort(); err == nil {
			if err = p.runOnce(fsync); err == nil {
				return p.psqlOn("postgres", "CREATE DATABASE "+database+" TEMPLATE template0")
			}
		}
	}
	return err
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (p *process) runOnce(fsync string) error {
	c := p.command("postgres", "-D", p.data(), "-p", strconv.Itoa(p.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="+p.dir,
		"-c", "fsync="+fsync, "-c", "full_page_writes="+fsync, "-c", "max_connections=200", "-c", "shared_buffers=128MB", "-c", "max_wal_size=4GB")
	c.Stdout, c.Stderr = &p.log, &p.log
	if c.SysProcAttr == nil {
		c.SysProcAttr = &syscall.SysProcAttr{}
	}
	c.SysProcAttr.Pdeathsig = syscall.SIGQUIT // it does not outlive tests that are killed
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // the signal comes when the thread ends that started it
		err := c.Start()
		p.server = c.Process
		started <- err
		if err == nil {
			p.ended <- c.Wait()
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	for end := time.Now().Add(patience); time.Now().Before(end); {
		select {
		case err := <-p.ended:
			p.server = nil
			return fmt.Errorf("postgres ended: %v: %s", err, p.log.String())
		case <-time.After(20 * time.Millisecond):
		}
		if p.psqlOn("postgres", "SELECT 1") == nil {
			return nil
		}
	}
	return errors.New("postgres does not come up")
}

// end stops the server at once and removes its folder.
func (p *process) end() {
	if p.server != nil {
		p.server.Signal(syscall.SIGQUIT)
		<-p.ended
		p.server = nil
	}
	os.RemoveAll(p.dir)
}

func (p *process) tool(name string, args ...string) *exec.Cmd {
	c := p.command(name, append([]string{"-h", "127.0.0.1", "-p", strconv.Itoa(p.port), "-U", owner}, args...)...)
	if name == "pg_dump" {
		c.Args = append(c.Args, database)
	}
	c.SysProcAttr = nil // it reads and writes files of the tests
	c.Env = append(c.Env, "PGPASSWORD="+p.password)
	return c
}

func (p *process) psql(text string) error { return p.psqlOn(database, text) }

func (p *process) psqlOn(database, text string) error {
	out, err := p.tool("psql", "-q", "-v", "ON_ERROR_STOP=1", "-c", text, database).CombinedOutput()
	if err != nil {
		return fmt.Errorf("psql %s: %w: %s", text, err, out)
	}
	return nil
}

func (p *process) url(schema string) string {
	return fmt.Sprintf("postgres://%s:%s@127.0.0.1:%d/%s?search_path=%s", owner, p.password, p.port, database, schema)
}
