package demo

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"
)

// SignatureFile is the last file of a signed ZIP: an Ed25519 signature, in base64, over the list of all others.
const SignatureFile = "pack.sig"

// ErrUnsigned is the error for a ZIP that is not signed by the key that it must be signed by.
var ErrUnsigned = errors.New("the pack is not signed by this key")

// OpenZip reads a pack from a ZIP file. With a key, it must be signed by it.
func OpenZip(data []byte, key ed25519.PublicKey, r Rules) (*Pack, error) {
	files, err := unzip(data)
	if err != nil {
		return nil, fmt.Errorf("read pack: %w", err)
	}
	signature := files[SignatureFile]
	delete(files, SignatureFile)
	if key != nil {
		sum, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(signature)))
		if err != nil || !ed25519.Verify(key, listing(files), sum) {
			return nil, ErrUnsigned
		}
	}
	return open(files, r)
}

// unzip takes all files into memory. What a ZIP claims is not believed: it is read up to the limits and no further.
func unzip(data []byte) (map[string][]byte, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("%d bytes, want at most %d", len(data), MaxBytes)
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, fmt.Errorf("no ZIP file: %w", err)
	}
	if len(z.File) > MaxFiles {
		return nil, fmt.Errorf("%d files, want at most %d", len(z.File), MaxFiles)
	}
	files, names, left := map[string][]byte{}, map[string]bool{}, int64(MaxBytes)
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/") && f.UncompressedSize64 == 0 {
			continue
		}
		low := strings.ToLower(f.Name)
		switch {
		case !fs.ValidPath(f.Name) || strings.ContainsAny(f.Name, "\\:\x00"):
			return nil, fmt.Errorf("file %.80q: its name leads outside the pack", f.Name)
		case !f.Mode().IsRegular():
			return nil, fmt.Errorf("file %.80q: a pack holds files and folders only", f.Name)
		case names[low]:
			return nil, fmt.Errorf("file %.80q is there twice", f.Name)
		}
		names[low] = true
		content, err := inflate(f, min(left, MaxFile))
		if err != nil {
			return nil, err
		}
		left -= int64(len(content))
		files[f.Name] = content
	}
	return files, nil
}

func inflate(f *zip.File, most int64) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("file %.80q: %w", f.Name, err)
	}
	defer r.Close()
	content, err := io.ReadAll(io.LimitReader(r, most+1))
	switch {
	case int64(len(content)) > most:
		return nil, fmt.Errorf("file %.80q: unpacked it is above the %d bytes that a pack may have", f.Name, MaxBytes)
	case err != nil:
		return nil, fmt.Errorf("file %.80q: %w", f.Name, err)
	}
	return content, nil
}

// listing is what is signed: each file's digest, size and name, in the order of their names.
func listing(files map[string][]byte) []byte {
	var b bytes.Buffer
	b.WriteString("foyer demo pack 1\n")
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&b, "%x %d %s\n", sha256.Sum256(files[name]), len(files[name]), name)
	}
	return b.Bytes()
}

// Build writes a pack as a ZIP file: the same files and the same key give the same bytes. Without a key it is not signed.
func Build(from fs.FS, key ed25519.PrivateKey, w io.Writer) error {
	files, err := readAll(from)
	if err != nil {
		return err
	}
	delete(files, SignatureFile)
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := put(z, name, files[name]); err != nil {
			return fmt.Errorf("build pack: %w", err)
		}
	}
	if key != nil {
		if err := put(z, SignatureFile, []byte(base64.StdEncoding.EncodeToString(ed25519.Sign(key, listing(files)))+"\n")); err != nil {
			return fmt.Errorf("build pack: %w", err)
		}
	}
	return z.Close()
}

func put(z *zip.Writer, name string, content []byte) error {
	h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
	h.SetMode(0o644)
	w, err := z.CreateHeader(h)
	if err == nil {
		_, err = w.Write(content)
	}
	return err
}
