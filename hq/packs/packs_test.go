package packs

import (
	"archive/zip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"log/slog"

	"foyer/sync/wire"
)

func depot(t *testing.T) *Depot {
	t.Helper()
	d, err := Open(filepath.Join(t.TempDir(), "packs"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// archive makes a ZIP file of names, each with a text.
func archive(t testing.TB, files ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pack.zip")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, files[i+1])
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFolderAndArchiveAreTheSame(t *testing.T) {
	d := depot(t)
	dir := t.TempDir()
	for name, text := range map[string]string{"a.txt": "one", "sub/b.txt": "two", ".hidden": "x", ".git/config": "x"} {
		path := filepath.Join(dir, name)
		os.MkdirAll(filepath.Dir(path), 0o700)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	folder, err := d.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	zipped, err := d.Read(archive(t, "sub/", "", "a.txt", "one", "sub/b.txt", "two"))
	if err != nil {
		t.Fatal(err)
	}
	if len(folder) != 2 || len(zipped) != 2 || folder[0] != zipped[0] || folder[1] != zipped[1] || folder[1].Path != "sub/b.txt" {
		t.Errorf("the folder is %v, the archive %v", folder, zipped)
	}
	kept := 0
	filepath.WalkDir(d.dir, func(_ string, e os.DirEntry, _ error) error {
		if !e.IsDir() {
			kept++
		}
		return nil
	})
	if kept != 2 {
		t.Errorf("%d files are kept, want 2", kept)
	}
}

func TestBadPacks(t *testing.T) {
	link := t.TempDir()
	if err := os.Symlink("/etc/passwd", filepath.Join(link, "a")); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(t.TempDir(), "x.zip")
	if err := os.WriteFile(broken, []byte("PK no"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ from, want string }{
		"outside":     {archive(t, "../evil", "x"), "without .."},
		"absolute":    {archive(t, "/evil", "x"), "without .."},
		"backslash":   {archive(t, `..\evil`, "x"), "odd characters"},
		"link":        {link, "neither file nor folder"},
		"empty":       {t.TempDir(), "no files"},
		"not there":   {filepath.Join(link, "b"), "no such file"},
		"no archive":  {broken, "zip"},
		"twice":       {archive(t, "a", "1", "a", "2"), ""},
		"a file's up": {archive(t, "a", "1", "a/b", "2"), ""},
	} {
		files, err := depot(t).Read(tc.from)
		if err == nil { // what an archive's reader lets through, the release's check does not
			err = (wire.Release{Pack: "x", Version: 1, Files: files}).Check()
		}
		if err == nil && name != "twice" && name != "a file's up" || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
}

// A bomb is counted as it unfolds: what its header says is not believed, and no more than the limit reaches the disk.
func TestBombs(t *testing.T) {
	d := depot(t)
	if _, _, err := d.put(io.LimitReader(zeros{}, 1<<40), 1<<20); err == nil || !strings.Contains(err.Error(), "more than 1048576 bytes") {
		t.Errorf("an endless file: %v", err)
	}
	entries, err := os.ReadDir(d.dir)
	if err != nil || len(entries) != 0 {
		t.Errorf("it left %v, %v", entries, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestServes(t *testing.T) {
	d := depot(t)
	files, err := d.Read(archive(t, "a", "0123456789"))
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(d.Handler(func(store, token string) bool { return token == "right" }, slog.New(slog.DiscardHandler)))
	defer web.Close()
	get := func(path, token string, header ...string) (int, string) {
		t.Helper()
		req, err := http.NewRequest("GET", web.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			req.SetBasicAuth("north", token)
		}
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	path := wire.PackPath + files[0].Digest.String()
	for name, tc := range map[string]struct {
		path, token string
		header      []string
		status      int
		body        string
	}{
		"whole":              {path, "right", nil, 200, "0123456789"},
		"range":              {path, "right", []string{"Range", "bytes=3-5", "If-Range", files[0].Digest.ETag()}, 206, "345"},
		"range of another":   {path, "right", []string{"Range", "bytes=3-5", "If-Range", `"other"`}, 200, "0123456789"},
		"beyond":             {path, "right", []string{"Range", "bytes=30-"}, 416, "invalid range: failed to overlap\n"},
		"no token":           {path, "", nil, 401, "want a store's name and token\n"},
		"wrong token":        {path, "wrong", nil, 401, "want a store's name and token\n"},
		"no such file":       {wire.PackPath + strings.Repeat("0", 64), "right", nil, 404, "404 page not found\n"},
		"no digest":          {wire.PackPath + "..%2f..%2fhq.db", "right", nil, 400, ""},
		"nothing else is up": {"/", "right", nil, 404, "404 page not found\n"},
	} {
		status, body := get(tc.path, tc.token, tc.header...)
		if status != tc.status || tc.body != "" && body != tc.body {
			t.Errorf("%s: %d %q, want %d %q", name, status, body, tc.status, tc.body)
		}
	}
}

// FuzzArchive: any bytes give files within the limits and inside the pack, or an error.
func FuzzArchive(f *testing.F) {
	for _, path := range []string{archive(f, "a", "one", "b/c", "two"), archive(f, "../x", "x")} {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	dir := f.TempDir()
	d, err := Open(filepath.Join(dir, "packs"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "x.zip")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		files, err := d.Read(path)
		if err != nil {
			return
		}
		for _, file := range files {
			if wire.CheckPackPath(file.Path) != nil || file.Size > wire.MaxPackFile {
				t.Fatalf("%+v", file)
			}
		}
	})
}
