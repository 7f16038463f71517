package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"foyer/sync/journal"
	"foyer/sync/vault"
)

// aJournal makes a journal's file with three records of which headquarters has one.
func aJournal(t *testing.T) (path, epoch string) {
	path = filepath.Join(t.TempDir(), "journal.db")
	j, err := journal.Open(path, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- j.Run(ctx) }()
	for _, text := range []string{"first visit", "second visit", "third visit"} {
		e := journal.Entry{Lane: "main", Payload: []byte(text), Puts: []journal.Put{{Bucket: "history", Key: "m-1", Value: []byte("x")}}}
		if _, err := j.Append(ctx, e); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.MoveCursor(ctx, "main", "hq", 1); err != nil {
		t.Fatal(err)
	}
	if err := j.PutSnapshot(ctx, "members", 9, []byte("sealed")); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	epoch = j.Epoch()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return path, epoch
}

func journalSays(args ...string) (code int, out, errs string) {
	var stdout, stderr bytes.Buffer
	code = journalCommand(args, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func TestJournalLs(t *testing.T) {
	path, epoch := aJournal(t)
	code, out, errs := journalSays("ls", path)
	if code != 0 || errs != "" {
		t.Errorf("code %d: %s", code, errs)
	}
	for _, want := range []string{"format 2, epoch " + epoch, "lane main", "2 records", "2 to 3", "23 bytes", "hq has 1",
		"snapshot members", "version 9", "state history", "1 keys"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if strings.Contains(out, "visit") {
		t.Errorf("it tells what is recorded:\n%s", out)
	}
}

func TestJournalVerify(t *testing.T) {
	path, _ := aJournal(t)
	if code, out, errs := journalSays("verify", path); code != 0 || !strings.HasPrefix(out, "good: 2 records in 1 lanes, 1 snapshots") {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	turned := bytes.ReplaceAll(data, []byte("second visit"), []byte("second visiT"))
	if err := os.WriteFile(path, turned, 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := journalSays("verify", path)
	if code != 1 || !strings.HasPrefix(out, "damaged") || !strings.Contains(errs, "record 2: checksum does not match") {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
}

func TestJournalExport(t *testing.T) {
	path, _ := aJournal(t)
	code, out, errs := journalSays("export", path)
	want := `{"lane":"main","seq":2,"class":"keep","record":"c2Vjb25kIHZpc2l0"}
{"lane":"main","seq":3,"class":"keep","record":"dGhpcmQgdmlzaXQ="}
`
	if code != 0 || errs != "" || out != want {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
}

// What is of a person is printed sealed, and open with the box key.
func TestJournalExportOfPersons(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	box, err := vault.MakeBox(filepath.Join(filepath.Dir(path), "box.key"))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := vault.Open(filepath.Join(filepath.Dir(path), "persons.keys"), nil, box)
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(path, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- j.Run(ctx) }()
	for _, who := range []string{"m-anna", "m-bob"} {
		sealed, err := keys.Seal(who, "record", []byte(`{"member":"`+who+`"}`))
		if err == nil {
			_, err = j.Append(ctx, journal.Entry{Lane: "main", Payload: sealed})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := keys.Erase(func(who string) bool { return who == "m-bob" }); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := errors.Join(<-ended, j.Close(), keys.Close()); err != nil {
		t.Fatal(err)
	}
	code, out, errs := journalSays("export", path)
	if code != 0 || strings.Count(out, `"record":{"sealed":"`) != 2 || strings.Contains(out, "m-") {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
	code, out, errs = journalSays("--box-key", box.From, "export", path)
	if code != 0 || !strings.Contains(out, `"record":{"member":"m-anna"}`) || strings.Count(out, `"sealed":"`) != 1 {
		t.Errorf("with the box key: code %d: %s%s", code, out, errs)
	}
	if code, _, errs := journalSays("--box-key", path, "export", path); code != 1 || !strings.Contains(errs, "box key") {
		t.Errorf("with another file: code %d: %s", code, errs)
	}
}

func TestJournalCompact(t *testing.T) {
	path, _ := aJournal(t)
	if code, out, errs := journalSays("compact", path); code != 0 || !strings.Contains(out, " bytes became ") {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, []byte("first visit")) {
		t.Error("what headquarters had is still in the file")
	}
	if code, out, errs := journalSays("verify", path); code != 0 || !strings.HasPrefix(out, "good: 2 records") {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
}

func TestJournalSalvage(t *testing.T) {
	path, _ := aJournal(t)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	turned := bytes.ReplaceAll(data, []byte("second visit"), []byte("second visiT"))
	if err := os.WriteFile(path, turned, 0o600); err != nil {
		t.Fatal(err)
	}
	into := filepath.Join(t.TempDir(), "journal.db")
	code, out, errs := journalSays("salvage", path, into)
	if code != 0 || !strings.Contains(out, "1 records brought over, 0 left out") && !strings.Contains(out, "1 records brought over, 1 left out") ||
		!strings.Contains(out, "lane main: LOST 2 to 2") || !strings.Contains(out, "1 records are lost.") {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
	if code, out, errs := journalSays("verify", into); code != 0 || !strings.HasPrefix(out, "good: 1 records in 1 lanes, 1 snapshots") {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
}

func TestJournalBadCalls(t *testing.T) {
	path, _ := aJournal(t)
	for _, args := range [][]string{{}, {"ls"}, {"salvage", path}, {"empty", path}, {"ls", path, path}, {"-x"}} {
		if code, _, errs := journalSays(args...); code != 2 || !strings.Contains(errs, "foyer journal ls PATH") {
			t.Errorf("%q: code %d: %s", args, code, errs)
		}
	}
	if code, _, errs := journalSays("ls", path+"-none"); code != 1 || !strings.Contains(errs, "no such file") {
		t.Errorf("no file: code %d: %s", code, errs)
	}
	j, err := journal.Open(path, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if code, _, errs := journalSays("ls", path); code != 1 || !strings.Contains(errs, "another foyerd holds") {
		t.Errorf("in use: code %d: %s", code, errs)
	}
}

// Records as an integrator gets them; what is none is told, and every slip of the pen too.
func TestJournalCloudEvents(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	j, err := journal.Open(path, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- j.Run(ctx) }()
	good := `{"k":"visit.started","at":"2026-06-14T12:00:00Z","b":{"visit":"v","member":"m-1","nth":2}}`
	for _, text := range []string{good, "no record"} {
		if _, err := j.Append(ctx, journal.Entry{Lane: "main", Payload: []byte(text)}); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := errors.Join(<-ended, j.Close()); err != nil {
		t.Fatal(err)
	}
	code, out, errs := journalSays("export", "--cloudevents", "--chain", "harbour", "--store", "north", "--type", "org.example", path)
	if code != 1 || !strings.Contains(errs, "1 entries are no records") || strings.Count(out, "\n") != 1 || strings.Contains(out, "m-1") ||
		!strings.Contains(out, `"type":"org.example.visit.started"`) || !strings.Contains(out, `"source":"/chains/harbour/stores/north"`) || !strings.Contains(out, `"visit":"v"`) {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
	if _, out, _ = journalSays("export", "--cloudevents", "--chain", "harbour", "--store", "north", "--members", path); !strings.Contains(out, `"member":"m-1"`) {
		t.Errorf("with members: %s", out)
	}
	for _, bad := range [][]string{{"--cloudevents", path}, {"--chain", "harbour", "--store", "north", path}, {"--cloudevents", "--chain", "H", "--store", "north", path},
		{"--cloudevents", "--chain", "h", "--store", "n", "--type", "a..b", path}, {"--cloudevents", "--chain", "h", "--store", "n", path, path}} {
		if code, _, errs := journalSays(append([]string{"export"}, bad...)...); code != 2 || errs == "" {
			t.Errorf("%v: code %d %s", bad, code, errs)
		}
	}
}
