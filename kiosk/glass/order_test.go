package glass_test

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"foyer/api"
	"foyer/kiosk/glass"
)

// A picture is of the scene of now, and the same whoever is greeted: so nothing of a person is in it. The glass is not touched. Then
// the screen ends as somebody who is to be started again.
func TestPictureWithoutThePerson(t *testing.T) {
	r := newRig(t, 540, 960, "-screen", "kiosk", "-size", "540x960")
	greeted := func(zh, en string) (portrait []byte, seen *image.RGBA) {
		r.say(api.Greeted, greeting("v1", "zh-CN", zh, en, time.Minute))
		still := 0 // looks in a row at which nothing had moved
		until(t, "a glass that stands still", func() bool {
			now, err := r.screen.Capture()
			if err != nil {
				t.Fatal(err)
			}
			if still++; seen == nil || !bytes.Equal(seen.Pix, now.Pix) {
				still = 0
			}
			seen = now
			return still >= 20
		})
		r.say(api.Ordered, api.Order{ID: "o1", Do: api.SendPicture})
		select {
		case portrait = <-r.pictures:
		case <-time.After(patience):
			t.Fatal("no picture came")
		}
		return portrait, seen
	}
	first, glassFirst := greeted("上午好，王女士", "Good morning, Ms Wang")
	second, glassSecond := greeted("上午好，阿卜杜热西提·买买提江先生", "Good morning, Professor Featherstonehaugh")
	img, err := png.Decode(bytes.NewReader(first))
	if err != nil || img.Bounds().Dx() != 540 || img.Bounds().Dy() != 960 {
		t.Fatalf("the picture is %v, %v", img, err)
	}
	if err := os.WriteFile(filepath.Join(t.ArtifactDir(), "portrait.png"), first, 0o644); err != nil {
		t.Error(err)
	}
	if bytes.Equal(glassFirst.Pix, glassSecond.Pix) {
		t.Error("the glass shows both guests alike")
	}
	if !bytes.Equal(first, second) {
		t.Error("the picture tells one guest from the other")
	}
	r.say(api.Ordered, api.Order{ID: "o2", Do: api.StartAgain})
	var exit *exec.ExitError
	if err := <-r.ended; !errors.As(err, &exit) || exit.ExitCode() != glass.RestartCode {
		t.Errorf("it ends with %v, want code %d", err, glass.RestartCode)
	}
}
