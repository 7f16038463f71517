package screen

import (
	"image"
	"os/exec"
	"testing"
)

func TestSeesTheGlass(t *testing.T) {
	if _, err := exec.LookPath("Xvfb"); err != nil {
		t.Skip("SKIP: no Xvfb on this machine (Debian package xvfb)")
	}
	x, err := StartXvfb(t.Context(), 320, 200)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	s, err := Open(x.Display)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := s.Size(); got != image.Pt(320, 200) {
		t.Fatalf("size %v, want 320x200", got)
	}
	img, err := s.Capture()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, a := img.At(10, 10).RGBA(); a != 0xffff {
		t.Errorf("the picture is not opaque")
	}
	if err := s.Tap(image.Pt(100, 50)); err != nil {
		t.Error(err)
	}
	if _, err := s.CaptureWindow("nobody"); err == nil {
		t.Error("found a window that is not there")
	}
}
