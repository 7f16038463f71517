// Package layout is what stands on each kind of paper that a store prints.
//
// In: what is to be said, and the language. Out: printer.Docs. Texts come from the catalogue.
// It never prints, and knows no person.
// Called by internal/daemon and cmd/foyer.
package layout

import (
	"strconv"
	"strings"
	"time"

	profiles "foyer/firmware-profiles"
	"foyer/internal/words"
	"foyer/kiosk/printer"
	"foyer/kiosk/printer/code"
)

// Day is a store's day in numbers. Nobody is named.
type Day struct {
	Store    string
	At       time.Time // when it was counted
	Arrivals int
	Served   int
	Left     int           // before anybody had come to them
	Wait     time.Duration // until staff came, the median; 0: nobody was waited for
	Priority int           // key customers among the arrivals
}

func say(text string) printer.Block {
	return printer.Block{Text: &printer.Text{Runs: []printer.Run{{Text: text}}}}
}

func title(text string) printer.Block {
	return printer.Block{Text: &printer.Text{Align: printer.Center, Runs: []printer.Run{{Text: text, Wide: 2, High: 2, Bold: true}}}}
}

// Report is the daily report.
func Report(lang string, d Day) *printer.Doc {
	t := func(key string, pairs ...string) string { return words.Load().Text(lang, "paper."+key, pairs...) }
	rows := [][]string{
		{t("report.arrivals"), strconv.Itoa(d.Arrivals)},
		{t("report.priority"), strconv.Itoa(d.Priority)},
		{t("report.served"), strconv.Itoa(d.Served)},
		{t("report.left"), strconv.Itoa(d.Left)},
	}
	if d.Wait > 0 {
		rows = append(rows, []string{t("report.wait"), t("report.seconds", "n", strconv.Itoa(int(d.Wait.Round(time.Second)/time.Second)))})
	}
	return &printer.Doc{Blocks: []printer.Block{
		title(t("report.title")),
		{Text: &printer.Text{Align: printer.Center, Runs: []printer.Run{{Text: d.Store + "\n" + d.At.Format("2006-01-02 15:04")}}}},
		{Rule: printer.Double},
		{Table: &printer.Table{Columns: []printer.Column{{}, {Width: 8, Align: printer.Right}}, Rows: rows}},
		{Rule: printer.Dashed},
		say(t("report.note")),
		{Feed: 1}, {Cut: true},
	}}
}

// Test shows whether a printer's profile tells the truth: the edges, the grid, rare characters, codes, the knife.
func Test(lang string, p *profiles.Printer) *printer.Doc {
	t := func(key string) string { return words.Load().Text(lang, "paper."+key) }
	return &printer.Doc{Blocks: []printer.Block{
		title("Foyer"),
		say(t("test.title") + ": " + p.ID),
		say(strings.Repeat("1234567890", p.Columns/10+1)[:p.Columns]),
		{Rule: printer.Solid},
		say(t("test.common") + " 优惠券 你好，世界"),
		say(t("test.rare") + " 镕喆犇垚 㛃𬭎"),
		say(t("test.letters") + " Ä é ß ¥ €"),
		{Table: &printer.Table{Columns: []printer.Column{{}, {Align: printer.Right}}, Rows: [][]string{{t("test.left"), t("test.right")}}}},
		{Code: &printer.Code{Kind: code.QR, Data: "HTTPS://C.EXAMPLE/TEST", Align: printer.Center}},
		{Code: &printer.Code{Kind: code.Code128, Data: "FOYERTEST123", Align: printer.Center, Label: "FOYERTEST123"}},
		{Feed: 1}, {Cut: true},
	}}
}

// Copy stands above whatever is printed once more.
func Copy(n int) *printer.Doc {
	c := words.Load()
	var both []string
	for _, lang := range c.Languages() {
		both = append(both, c.Text(lang, "paper.copy", "n", strconv.Itoa(n)))
	}
	return &printer.Doc{Blocks: []printer.Block{
		{Text: &printer.Text{Align: printer.Center, Runs: []printer.Run{{Text: strings.Join(both, "  "), Bold: true, Invert: true}}}},
	}}
}
