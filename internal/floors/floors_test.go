package floors

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// floor says where a package lives. Packages of one floor do not import each other, except as sameFloor allows.
// A row ends in /... to cover all below it.
var floor = []struct {
	path   string
	number int
	reason string
}{
	{"internal/words", 0, "every face takes its texts from here"},
	{"internal/locale", 0, "before anything else, for a box without a language"},
	{"internal/strictyaml", 0, "reads what people write: profiles and configuration"},
	{"internal/prom", 0, "every program tells Prometheus how it is"},
	{"firmware-profiles", 1, "data about readers, before anybody opens one"},
	{"reader/tag/epc", -1, "GS1's codes are arithmetic over the standard library; reader/tag finds a member's number with it"},
	{"reader/tag", 0, "identity needs the standard library only"},
	{"reader/link", 0, "bytes, no protocol"},
	{"survey", 0, "a form is pure"},
	{"sync/journal", 0, "keeps bytes, knows not what they mean"},
	{"sync/vault", 0, "a key a person; knows not what it seals"},
	{"reader/llrp", 1, "a protocol over the network; a session needs no profile, only a plan"},
	{"reader/wedge", 1, "keys in, text out"},
	{"reader/frame", 2, "splits by the rules of a profile"},
	{"reader/wiegand", 2, "a protocol over pins, by the rules of a profile"},
	{"reader", 3, "a session with one reader; knows no people"},
	{"reader/signal", 3, "lamps, a buzzer and a door contact beside a reader"},
	{"reader/sim", 3, "readers that are played: they speak as the manuals say"},
	{"shop/presence", 1, "reads in, arrivals out"},
	{"shop/member", 1, "who a tag belongs to, and what they allowed"},
	{"api", 1, "the contract with the faces; never imports shop"},
	{"kiosk/look/fonts", 0, "our typeface, for glass and for paper"},
	{"kiosk/printer/dots", 1, "black and white; knows no printer"},
	{"kiosk/printer/code", 2, "barcodes are arithmetic and dots"},
	{"kiosk/printer", 3, "paper needs no screen"},
	{"kiosk/printer/virtual", 3, "a printer that is played; knows what comes over a line"},
	{"kiosk/printer/layout", 4, "what stands on each kind of paper"},
	{"kiosk/printer/spool", 4, "what waits for a printer; looks into no document"},
	{"kiosk/printer/post", 3, "brings a job to a printer; looks into no document"},
	{"kiosk/look", 1, "colours, type and pictures; no scene"},
	{"kiosk/demo/library", 0, "our own packs, files and nothing else"},
	{"kiosk/demo/clip", 0, "a video becomes pictures"},
	{"kiosk/demo/cart", 0, "runs a stranger's program and gives it nothing"},
	{"kiosk/demo/h5p", 0, "reads what others' editors write"},
	{"kiosk/demo", 1, "reads a pack and plays it, without pixels"},
	{"kiosk/pinyin", 0, "letters become characters; no pixels"},
	{"internal/trace", 2, "plays made-up and recorded reads to presence and keeps score"},
	{"shop/visit", 2, "one person, several tags"},
	{"shop/binding", 2, "who carries which tag since headquarters' last word"},
	{"shop/proof", 2, "who hands out a benefit asks for more than a tag"},
	{"shop/campaign", 2, "who is spoken to"},
	{"api/serve", 2, "HTTP over the contract"},
	{"kiosk/keyboard", 1, "what a key does to what is being written"},
	{"kiosk/scene", 2, "which scene follows which event"},
	{"shop/greeting", 3, "what we say"},
	{"kiosk/screens", 3, "draws a scene"},
	{"shop", 4, "the one goroutine that owns the store's live state"},
	{"sync/known", 1, "which tags may be a member's; arithmetic over hashes"},
	{"sync/wire", 4, "how each noun travels"},
	{"kiosk/glass", 4, "the window"},
	{"sync/wire/asyncapi", 5, "describes what travels, for programs"},
	{"sync/setting", 5, "what headquarters may change at a running store; knows nothing of ours"},
	{"sync/line", 5, "the pipe to the broker"},
	{"sync/badge", 5, "by what a store is known; both ends speak of it"},
	{"sync/uplink", 6, "journal to headquarters"},
	{"sync/downlink", 6, "headquarters to store"},
	{"sync/command", 6, "what headquarters asks of a store, done once and answered"},
	{"sync/sim", 6, "stores that are played: they speak as foyerd does"},
	{"sync/content", 6, "files of packs, from headquarters to store"},
	{"hq/store", 5, "headquarters' rows"},
	{"hq/store/storetest", 1, "a database for tests; knows nothing of ours"},
	{"hq/packs", 5, "headquarters' files, by digest"},
	{"hq/ca", 6, "signs badges, knows no rows"},
	{"hq/broker", 7, "the broker, embedded or not; writes a configuration for others, with the authority's certificates"},
	{"hq", 7, "headquarters' rules"},
	{"hq/gate", 7, "the stores' door; declares what it wants of hq"},
	{"hq/outlet", 8, "tells integrators; declares what it wants of hq/store"},
	{"hq/console", 8, "headquarters' pages"},
	{"internal/daemon", 9, "wires foyerd"},
	{"internal/demo", 9, "wires the demo"},
	{"internal/hil", 9, "boots machines, imports nothing of ours"},
	{"internal/hil/guest", 10, "runs a store's readers, and foyerd itself, inside the machine"},
	{"internal/screen", 1, "looks at an X screen and touches it"},
	{"cmd/...", 10, "flags, configuration, signals"},
}

// testOnly packages may import anything and be imported by tests alone.
var testOnly = []string{"internal/scenario", "internal/fault", "internal/e2e", "internal/floors", "internal/bench", "internal/shape", "internal/hil/hiltest", "reader/link/linktest", "sync/line/linetest"}

// never lists what a package must not import whatever the floors say. A path ending in /... covers all below it.
var never = []struct{ who, what, reason string }{
	{"shop/...", "foyer/reader", "a shop knows tags, not readers"},
	{"shop/...", "foyer/sync/...", "rules do not know how things travel"},
	{"shop/...", "foyer/api/...", "rules do not know who looks"},
	{"shop/...", "foyer/kiosk/...", "rules do not know pixels"},
	{"shop/...", "net/...", "rules do no I/O"},
	{"shop/...", "os", "rules touch no disk"},
	{"survey/...", "os", "a form touches no disk"},
	{"api/...", "foyer/shop/...", "a face learns only what it may show"},
	{"hq/...", "foyer/reader", "headquarters has no readers"},
	{"hq/...", "foyer/kiosk/...", "headquarters has no screen"},
	{"kiosk/scene", "fyne.io/...", "a reducer has no pixels"},
	{"kiosk/printer/...", "fyne.io/...", "paper needs no window"},
	{"kiosk/demo/...", "fyne.io/...", "a pack is played without pixels"},
	{"kiosk/demo/...", "net/...", "a pack does not fetch"},
	{"kiosk/screens", "net/...", "a screen does not fetch"},
	{"reader/...", "foyer/shop/...", "a reader knows no people"},
	{"reader/tag", "foyer/...", "identity needs the standard library only"},
	{"reader/tag/epc", "foyer/...", "a code of GS1 knows no tag of ours"},
	{"sync/journal", "foyer/...", "the journal does not know what its bytes mean"},
	{"sync/vault", "foyer/...", "a vault does not know what it seals"},
}

// only lists imports that one package alone may have.
var only = []struct{ what, who, reason string }{
	{"fyne.io/fyne/v2/app", "kiosk/glass", "one place opens windows"},
	{"go.etcd.io/bbolt", "sync/journal", "one place owns the file"},
	{"go.bug.st/serial", "reader/link", "its hazards are contained there"},
	{"modernc.org/sqlite", "hq/store", "one place speaks SQL"},
	{"github.com/jackc/pgx/v5", "hq/store", "one place speaks SQL"},
	{"github.com/jackc/pgx/v5/pgconn", "hq/store", "one place speaks SQL"},
	{"github.com/jackc/pgx/v5/stdlib", "hq/store", "one place speaks SQL"},
	{"github.com/eclipse/paho.mqtt.golang", "sync/line", "an unreliable pipe, hidden behind ours"},
	{"github.com/warthog618/go-gpiocdev/uapi", "reader/link", "one place speaks to the kernel's lines"},
	{"log", "", "slog is given to constructors"},
}

type pkg struct {
	ImportPath string
	Imports    []string
	Doc        string
	GoFiles    []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,Doc,GoFiles", "-tags", "x11,migrated_fynedo", "./...")
	cmd.Dir = root(t)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func covers(pattern, path string) bool {
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return path == base || strings.HasPrefix(path, base+"/")
	}
	return path == pattern
}

func floorOf(path string) (int, bool) {
	for _, f := range floor {
		if covers(f.path, path) {
			return f.number, true
		}
	}
	return 0, false
}

func short(path string) string { return strings.TrimPrefix(path, "foyer/") }

func TestImportsPointDown(t *testing.T) {
	for _, p := range packages(t) {
		self := short(p.ImportPath)
		if slices.Contains(testOnly, self) {
			continue
		}
		mine, ok := floorOf(self)
		if !ok {
			t.Errorf("%s has no floor: give it one in this test, with a reason", self)
			continue
		}
		for _, imp := range p.Imports {
			if !strings.HasPrefix(imp, "foyer/") {
				continue
			}
			if slices.Contains(testOnly, short(imp)) {
				t.Errorf("%s imports %s, which is for tests", self, short(imp))
			} else if theirs, ok := floorOf(short(imp)); ok && theirs >= mine {
				t.Errorf("%s (floor %d) imports %s (floor %d): imports point down", self, mine, short(imp), theirs)
			}
		}
	}
}

func TestNever(t *testing.T) {
	for _, p := range packages(t) {
		self := short(p.ImportPath)
		if slices.Contains(testOnly, self) {
			continue
		}
		for _, imp := range p.Imports {
			for _, n := range never {
				if covers(n.who, self) && covers(n.what, imp) && imp != p.ImportPath && !allowed(self, imp) {
					t.Errorf("%s imports %s: %s", self, imp, n.reason)
				}
			}
			for _, o := range only {
				if imp == o.what && self != o.who {
					t.Errorf("%s imports %s, which is %s's alone: %s", self, imp, o.who, o.reason)
				}
			}
		}
	}
}

// allowed are the exceptions to never that hold by the architecture.
func allowed(self, imp string) bool {
	if imp == "foyer/reader/tag" || imp == "net/netip" || imp == "net/url" {
		return true // identity travels everywhere; an address is a value
	}
	return covers("reader/...", self) && covers("foyer/reader/...", imp)
}

func TestEveryPackageSaysWhatItOwns(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) > 0 && len(strings.Fields(p.Doc)) < 4 {
			t.Errorf("%s has no package comment", short(p.ImportPath))
		}
	}
}

// The daemon, headquarters and the tool run on any box: no C, three processors.
func TestBuildsWithoutC(t *testing.T) {
	if testing.Short() {
		t.Skip("cross builds take a while; not in -short")
	}
	for _, arch := range []string{"amd64", "arm64", "arm"} {
		for _, program := range []string{"foyerd", "foyer-hq", "foyer"} {
			t.Run(fmt.Sprintf("%s-%s", program, arch), func(t *testing.T) {
				cmd := exec.CommandContext(t.Context(), "go", "build", "-o", os.DevNull, "./cmd/"+program)
				cmd.Dir = root(t)
				cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			})
		}
	}
}
