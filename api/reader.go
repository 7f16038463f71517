package api

import "time"

// ReaderHealth is how one reader does, in numbers since foyerd began, for staff: GET /v1/reception/readers gives one a
// reader, in the order of the configuration. It holds no tag and no person.
type ReaderHealth struct {
	Name     string       `json:"name"`
	Online   bool         `json:"online"`
	Since    time.Time    `json:"since,omitzero"` // it is online, or not
	LastRead time.Time    `json:"last_read,omitzero"`
	Frames   uint64       `json:"frames"`      // whole and understood, also those without a tag
	Bad      []BadFrames  `json:"bad"`         // the kinds that there were
	Noise    uint64       `json:"noise_bytes"` // bytes that belong to no frame
	Resyncs  uint64       `json:"resyncs"`     // good frames right after noise or a bad one
	Reads    uint64       `json:"reads"`       // tags heard
	Dropped  uint64       `json:"dropped"`     // of these, lost because nobody took them
	Reopened uint64       `json:"reopened"`    // times the line came back
	Errors   uint64       `json:"errors"`      // complaints of the reader itself
	Advice   ReaderAdvice `json:"advice"`
}

// BadFrames counts one kind of bad frames.
type BadFrames struct {
	Kind  string `json:"kind"` // stable: "checksum"
	Name  Text   `json:"name"`
	Count uint64 `json:"count"`
}

// ReaderAdvice is what to do.
type ReaderAdvice struct {
	Code string `json:"code"` // stable: "wire"; "well" when there is nothing to do
	Text Text   `json:"text"`
}
