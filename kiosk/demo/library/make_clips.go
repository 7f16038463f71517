//go:build ignore

// Make_clips draws the clips of the pack "tv" frame by frame and has ffmpeg (Debian's) write them as MPEG-1:
//
//	go run ./kiosk/demo/library/make_clips.go
package main

import (
	"fmt"
	"image"
	"log"
	"math"
	"os"
	"os/exec"
	"strings"

	"foyer/kiosk/look"
)

const (
	w, h   = 640, 360
	frames = 150
	rate   = 25
)

func main() {
	for name, draw := range map[string]func(t float64) string{"nature": nature, "match": match, "news": news, "train": train} {
		if err := write("kiosk/demo/library/tv/clips/"+name+".mpg", draw); err != nil {
			log.Fatal(err)
		}
	}
}

// write draws one round, t from 0 to 1, and encodes it.
func write(path string, draw func(t float64) string) error {
	cmd := exec.Command("ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgba", "-s", fmt.Sprintf("%dx%d", w, h), "-r", fmt.Sprint(rate), "-i", "-",
		"-c:v", "mpeg1video", "-b:v", "330k", "-minrate", "0", "-maxrate", "700k", "-bufsize", "400k", "-g", "75", "-bf", "0", "-threads", "1", "-bitexact", "-f", "mpeg", path)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	for i := range frames {
		img := image.NewRGBA(image.Rect(0, 0, w, h))
		svg := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d">%s</svg>`, w, h, draw(float64(i)/frames))
		if err := look.Paint(img, []byte(svg)); err != nil {
			return err
		}
		if _, err := in.Write(img.Pix); err != nil {
			return err
		}
	}
	in.Close()
	return cmd.Wait()
}

func wave(t, times float64) float64 { return math.Sin(2 * math.Pi * t * times) }

func rect(x, y, w, h, r float64, fill string) string {
	return fmt.Sprintf(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="%.1f" ry="%.1f" fill="%s"/>`, x, y, w, h, r, r, fill)
}

func circle(x, y, r float64, fill string) string {
	return fmt.Sprintf(`<circle cx="%.1f" cy="%.1f" r="%.1f" fill="%s"/>`, x, y, r, fill)
}

func path(d, fill string) string { return fmt.Sprintf(`<path d="%s" fill="%s"/>`, d, fill) }

func line(d, stroke string, width float64) string {
	return fmt.Sprintf(`<path d="%s" stroke="%s" stroke-width="%.1f" fill="none" stroke-linecap="round" stroke-linejoin="round"/>`, d, stroke, width)
}

// nature is a morning: the sun swings up and down behind hills, birds cross.
func nature(t float64) string {
	var b strings.Builder
	for i, c := range []string{"#F7B58A", "#F9C79B", "#FBD8AE", "#FCE5C2"} {
		b.WriteString(rect(0, float64(i)*70, w, 90, 0, c))
	}
	b.WriteString(circle(430, 150-50*math.Sin(math.Pi*t), 46, "#F4B740"))
	b.WriteString(path("M0 230 L120 120 L210 200 L320 90 L450 210 L540 140 L640 220 V360 H0 Z", "#7FA9A3"))
	b.WriteString(path("M320 90 L350 118 L330 124 L316 114 L300 124 L292 118 Z", "#FFFFFF"))
	b.WriteString(path("M0 270 Q160 200 320 262 T640 250 V360 H0 Z", "#3E8578"))
	b.WriteString(path("M0 310 Q200 262 400 306 T640 296 V360 H0 Z", "#0F766E"))
	for i := range 4 {
		x := math.Mod(t+float64(i)*0.09, 1)*760 - 60
		y := 70 + 26*float64(i%3) + 12*wave(t, 1)
		up := 9 * wave(t+float64(i)*0.13, 12)
		b.WriteString(line(fmt.Sprintf("M%.1f %.1f Q%.1f %.1f %.1f %.1f Q%.1f %.1f %.1f %.1f", x-16, y-up, x-7, y-4, x, y, x+7, y-4, x+16, y-up), "#16202A", 4))
	}
	for i := range 7 {
		x := 40 + float64(i)*98
		s := 5 * wave(t+float64(i)*0.1, 2)
		b.WriteString(line(fmt.Sprintf("M%.1f 360 Q%.1f 335 %.1f 316", x, x, x+s), "#0B4144", 4))
		b.WriteString(circle(x+s, 314, 7, []string{"#F9735B", "#F4B740", "#FFFFFF"}[i%3]))
	}
	return b.String()
}

// match is a football pitch from above.
func match(t float64) string {
	var b strings.Builder
	for i := range 8 {
		b.WriteString(rect(float64(i)*80, 0, 80, h, 0, []string{"#4E9E5B", "#57A864"}[i%2]))
	}
	b.WriteString(line("M20 20 H620 V340 H20 Z M320 20 V340 M20 110 H90 V250 H20 M620 110 H550 V250 H620", "#FFFFFF", 4))
	b.WriteString(`<circle cx="320" cy="180" r="52" fill="none" stroke="#FFFFFF" stroke-width="4"/>`)
	bx, by := 320+230*wave(t, 1), 180+90*wave(t, 2)
	for i := range 10 {
		f := float64(i)
		home := i < 5
		x := 110 + 92*math.Mod(f, 5)*1.1 + 34*wave(t+f*0.17, 2)
		y := 80 + 58*math.Mod(f*1.7, 4) + 26*wave(t+f*0.31, 1)
		x, y = x+(bx-x)*0.12, y+(by-y)*0.12
		colour := "#F9735B"
		if !home {
			x, colour = w-x, "#2C6FB0"
		}
		b.WriteString(circle(x+3, y+5, 13, "#3F8A4C"))
		b.WriteString(circle(x, y, 13, colour))
		b.WriteString(circle(x, y, 6, "#F7CFAE"))
	}
	b.WriteString(circle(bx+3, by+6, 8, "#3F8A4C"))
	b.WriteString(circle(bx, by, 8, "#FFFFFF"))
	b.WriteString(circle(bx, by, 3, "#16202A"))
	b.WriteString(rect(236, 22, 168, 40, 12, "#16202A"))
	b.WriteString(rect(246, 30, 46, 24, 6, "#F9735B"))
	b.WriteString(rect(348, 30, 46, 24, 6, "#2C6FB0"))
	b.WriteString(circle(310, 42, 4, "#FFFFFF") + circle(330, 42, 4, "#FFFFFF"))
	return b.String()
}

// news is a studio with a globe that turns and a band that runs.
func news(t float64) string {
	var b strings.Builder
	b.WriteString(rect(0, 0, w, h, 0, "#0B4144"))
	for i := range 6 {
		b.WriteString(rect(float64(i)*120-20*wave(t, 1), 0, 50, 270, 0, "#0F5A5C"))
	}
	b.WriteString(circle(180, 150, 96, "#1D6F6A") + circle(180, 150, 86, "#D5E5F0"))
	for i := range 6 {
		a := math.Pi * (float64(i)/6 + math.Mod(t*2, 1)/6)
		rx := 86 * math.Abs(math.Cos(a))
		b.WriteString(fmt.Sprintf(`<ellipse cx="180" cy="150" rx="%.1f" ry="86" fill="none" stroke="#0F766E" stroke-width="4"/>`, rx))
	}
	b.WriteString(line("M98 120 H262 M98 180 H262 M94 150 H266", "#0F766E", 4))
	nod := 3 * wave(t, 5)
	b.WriteString(path("M360 290 C360 220 400 196 450 196 C500 196 540 220 540 290 Z", "#F9735B"))
	b.WriteString(path("M430 196 L450 226 L470 196 Z", "#FFFFFF"))
	b.WriteString(circle(450, 146+nod, 44, "#F7CFAE"))
	b.WriteString(path(fmt.Sprintf("M404 %.1f C400 80 500 80 496 %.1f C480 %.1f 430 %.1f 404 %.1f Z", 146+nod, 146+nod, 116+nod, 112+nod, 146+nod), "#2B1D1A"))
	b.WriteString(circle(435, 150+nod, 4, "#16202A") + circle(466, 150+nod, 4, "#16202A"))
	b.WriteString(rect(441, 166+nod, 18, 3+6*math.Abs(wave(t, 14)), 4, "#9C3B2E"))
	b.WriteString(rect(0, 272, w, 40, 0, "#16202A") + rect(0, 312, w, 48, 0, "#F4B740"))
	for i := range 8 {
		x := math.Mod(float64(i)*130-t*260+1040, 1040) - 140
		b.WriteString(rect(x, 330, 90, 12, 6, "#16202A"))
	}
	b.WriteString(rect(24, 284, 210, 16, 8, "#FFFFFF") + rect(246, 284, 120, 16, 8, "#8FA3A5"))
	return b.String()
}

// train is a little train that crosses hills.
func train(t float64) string {
	var b strings.Builder
	b.WriteString(rect(0, 0, w, h, 0, "#BFE0EE"))
	for i := range 4 {
		x := math.Mod(float64(i)*220-t*220+880, 880) - 140
		y := 50 + 26*float64(i%2)
		b.WriteString(fmt.Sprintf(`<ellipse cx="%.1f" cy="%.1f" rx="58" ry="20" fill="#FFFFFF"/>`, x, y) + circle(x-10, y-12, 22, "#FFFFFF"))
	}
	for i := range 5 {
		x := math.Mod(float64(i)*210-t*420+1050, 1050) - 210
		b.WriteString(fmt.Sprintf(`<ellipse cx="%.1f" cy="330" rx="190" ry="120" fill="%s"/>`, x, []string{"#8CBF9F", "#7BB391"}[i%2]))
	}
	b.WriteString(rect(0, 292, w, 68, 0, "#C49A6C") + rect(0, 286, w, 8, 0, "#5A4A3A"))
	for i := range 18 {
		x := math.Mod(float64(i)*42-t*1260+7560, 756) - 40
		b.WriteString(rect(x, 294, 20, 10, 2, "#8A6B48"))
	}
	up := 3 * wave(t, 20)
	for i, c := range []string{"#F4B740", "#6A4C7D"} {
		x := 120 + float64(i)*118
		b.WriteString(rect(x, 212+up, 104, 58, 10, c) + rect(x+14, 224+up, 32, 22, 5, "#FFFFFF") + rect(x+58, 224+up, 32, 22, 5, "#FFFFFF"))
	}
	b.WriteString(rect(356, 180+up, 60, 90, 10, "#0F766E") + rect(368, 194+up, 36, 30, 6, "#FFF3D6"))
	b.WriteString(rect(410, 210+up, 96, 60, 16, "#F9735B") + rect(462, 168+up, 24, 44, 4, "#16202A"))
	b.WriteString(path(fmt.Sprintf("M506 %.1f L536 284 H500 Z", 240+up), "#16202A"))
	for i := range 9 {
		b.WriteString(circle(146+float64(i)*44, 278, 14, "#16202A") + circle(146+float64(i)*44, 278, 5, "#F4B740"))
	}
	for i := range 4 {
		age := math.Mod(t*10+float64(i)*0.25, 1)
		b.WriteString(circle(474-130*age, 160-70*age, 8+16*age, "#F7F5F1"))
	}
	return b.String()
}
