package layout

import (
	"strings"
	"testing"
	"time"

	profiles "foyer/firmware-profiles"
	"foyer/internal/words"
	"foyer/kiosk/printer"
	"foyer/kiosk/printer/virtual"
)

// Every paper fits every printer in every language, and says what it should where the printer says it in its own letters.
func TestEveryPaperOnEveryPrinter(t *testing.T) {
	day := Day{Store: "南京路旗舰店 Nanjing Road flagship", At: time.Date(2026, 3, 4, 18, 5, 0, 0, time.UTC), Arrivals: 1234, Served: 1200, Left: 30, Priority: 44, Wait: 95 * time.Second}
	for _, lang := range words.Load().Languages() {
		for _, m := range profiles.Printers() {
			for name, d := range map[string]*printer.Doc{"report": Report(lang, day), "test": Test(lang, m), "copy": Copy(12)} {
				job, err := printer.Encode(d, m)
				if err != nil {
					t.Errorf("%s in %s on %s: %v", name, lang, m.ID, err)
					continue
				}
				p := virtual.New(m)
				p.Receive(job)
				if p.Paper().White() {
					t.Errorf("%s in %s on %s is white", name, lang, m.ID)
				}
				if want := map[string]string{"report": "1234", "test": m.ID}[name]; lang == "en" && !strings.Contains(p.Text(), want) && name != "copy" {
					t.Errorf("%s on %s says\n%s", name, m.ID, p.Text())
				}
			}
		}
	}
}
