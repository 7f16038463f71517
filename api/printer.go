package api

import "time"

// Printer is a receipt printer as staff see it.
type Printer struct {
	Name    string  `json:"name"`
	Problem Text    `json:"problem,omitempty"` // in plain words, what to do included; none while it prints
	Notice  Text    `json:"notice,omitempty"`  // it prints, and somebody should look: the roll is nearly at its end
	Waiting int     `json:"waiting,omitempty"` // jobs that are not on paper yet
	Ask     []Print `json:"ask,omitempty"`     // of these nobody knows whether they came out: a person must look
}

// Print is one job of a printer.
type Print struct {
	Serial string    `json:"serial"`
	What   Text      `json:"what"`
	At     time.Time `json:"at"`
	Copy   int       `json:"copy,omitempty"` // 0: the first; n: COPY n stands on it
}

// PrintOrder is the body of POST /v1/reception/printers/{printer}/print.
type PrintOrder struct {
	What     string `json:"what"`     // one of Printables
	Language string `json:"language"` // of the paper
	By       string `json:"by"`
}

// Printables are what staff may have printed.
var Printables = []string{"test", "report"}

// PrintVerb is what a person says of a job: POST /v1/reception/printers/{printer}/jobs/{serial}/{verb}, with a Claim.
type PrintVerb string

// The verbs.
const (
	PrintCame  PrintVerb = "came"  // it is on the paper, whole
	PrintAgain PrintVerb = "again" // print it once more; COPY stands on it
	PrintDrop  PrintVerb = "drop"  // it is not wanted any more
)

// PrintVerbs lists them.
var PrintVerbs = []PrintVerb{PrintCame, PrintAgain, PrintDrop}
