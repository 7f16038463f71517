package vault

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Killed without warning at random points, while persons come, are erased, and the file is written anew: what was sealed for who was
// not erased opens, what was sealed for who was erased does not, and no old file is left.
func TestKilledInTheMiddle(t *testing.T) {
	if dir := os.Getenv("FOYER_VAULT_VICTIM"); dir != "" {
		victim(dir)
	}
	kills, err := strconv.Atoi("0" + os.Getenv("FOYER_KILLS"))
	if err != nil {
		t.Fatal(err)
	}
	kills = max(kills, 25)
	dir := t.TempDir()
	box, err := MakeBox(filepath.Join(dir, "box.key"))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(4, 2026))
	sealed, begun, erased := map[string][]byte{}, map[string]bool{}, map[string]bool{}
	for range kills {
		watch(t, dir, 1+r.IntN(60), time.Duration(r.IntN(4000))*time.Microsecond, sealed, begun, erased)
		v, err := Open(filepath.Join(dir, "persons.keys"), nil, box)
		if err != nil {
			t.Fatal(err)
		}
		for who, s := range sealed {
			plain, err := v.Open("record", s)
			switch {
			case erased[who]:
				if !errors.Is(err, ErrErased) {
					t.Fatalf("%s was erased, and opens: %q, %v", who, plain, err)
				}
			case !begun[who] && (err != nil || string(plain) != who):
				t.Fatalf("%s was not erased, and opens as %q, %v", who, plain, err)
			}
		}
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"persons.keys.new", "persons.keys.old"} {
			if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
				t.Fatalf("%s is still there: %v", name, err)
			}
		}
	}
	t.Logf("%d kills, %d persons, %d of them erased", kills, len(sealed), len(erased))
}

// watch runs a victim until it has said so many words, and a little longer.
func watch(t *testing.T, dir string, n int, longer time.Duration, sealed map[string][]byte, begun, erased map[string]bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledInTheMiddle$")
	cmd.Env = append(os.Environ(), "FOYER_VAULT_VICTIM="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for i := 0; lines.Scan(); i++ {
		if i == n {
			time.AfterFunc(longer, func() { cmd.Process.Kill() })
		}
		what, rest, _ := strings.Cut(lines.Text(), " ")
		who, data, _ := strings.Cut(rest, " ")
		switch what {
		case "sealed":
			if sealed[who], err = hex.DecodeString(data); err != nil {
				t.Fatal(err)
			}
		case "erasing":
			begun[who] = true
		case "erased":
			erased[who] = true
		default:
			t.Fatalf("the victim says %q", lines.Text())
		}
	}
	cmd.Wait()
}

// victim seals, erases and writes anew until it is killed. What it says has happened.
func victim(dir string) {
	fail := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
	}
	box, err := ReadBox(filepath.Join(dir, "box.key"))
	fail(err)
	v, err := Open(filepath.Join(dir, "persons.keys"), nil, box)
	fail(err)
	for n := time.Now().UnixNano(); ; n++ {
		who := fmt.Sprint("m-", n)
		s, err := v.Seal(who, "record", []byte(who))
		fail(err)
		fmt.Printf("sealed %s %x\n", who, s)
		if n%3 == 0 {
			fmt.Println("erasing", who)
			_, err := v.Erase(only(who))
			fail(err)
			fmt.Println("erased", who)
		}
		if n%5 == 0 {
			fail(v.Rotate())
		}
	}
}
