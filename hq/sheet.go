package hq

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// Bounds of an imported file.
const (
	MaxImportBytes = 10 << 20
	MaxImportRows  = 200_000
	maxColumns     = 64 // a header with more is no header; rows are laid over columns one by one
)

// column is one of those that an import may have.
type column string

// The columns. A file has id or tags, and any of the others; a column that is missing leaves what is known as it is,
// an empty value clears it.
const (
	colID         column = "id"            // letters, digits, - _ . ; begins with a letter. Without one, headquarters makes it
	colFamily     column = "family"        // family name
	colLatin      column = "family_latin"  // Wang for 王: what English texts say
	colGiven      column = "given"         // given name
	colTitle      column = "title"         // mr, ms, teacher, doctor, or 先生, 女士, 老师, 博士
	colLanguage   column = "language"      // zh-CN or en
	colTier       column = "tier"          // silver, gold, diamond, or 银卡, 金卡, 钻石卡
	colBirthday   column = "birthday"      // 06-14; of a full date the year is dropped
	colSince      column = "since"         // 2024-03-01
	colContract   column = "contract_ends" // 2026-10-31
	colTags       column = "tags"          // numbers as printed or in hex, separated by spaces or |
	colConsents   column = "consents"      // purposes given, separated by |; all others are refused
	colNoGreeting column = "no_greeting"   // yes or no
)

// Columns lists the columns in the order of the template.
var Columns = []string{"id", "family", "family_latin", "given", "title", "language", "tier", "birthday", "since", "contract_ends", "tags", "consents", "no_greeting"}

// headers are the names that a header may use, lower case.
var headers = map[string]column{
	"id": colID, "会员编号": colID, "编号": colID,
	"family": colFamily, "姓": colFamily,
	"family_latin": colLatin, "姓氏拼音": colLatin, "姓的拼音": colLatin,
	"given": colGiven, "名": colGiven,
	"title": colTitle, "称谓": colTitle, "称呼": colTitle,
	"language": colLanguage, "语言": colLanguage,
	"tier": colTier, "等级": colTier, "会员等级": colTier,
	"birthday": colBirthday, "生日": colBirthday,
	"since": colSince, "入会日期": colSince, "入网日期": colSince,
	"contract_ends": colContract, "合约到期": colContract, "合约到期日": colContract,
	"tags": colTags, "卡号": colTags, "标签": colTags,
	"consents": colConsents, "同意": colConsents, "同意事项": colConsents,
	"no_greeting": colNoGreeting, "免打扰": colNoGreeting,
}

// sheet is a file taken apart: a header and rows of values.
type sheet struct {
	columns []column // by position; "" is one that is not known
	names   []string // as the header has them
	rows    []sheetRow
}

type sheetRow struct {
	line   int
	values []string
}

func (s *sheet) has(c column) bool {
	return slices.Contains(s.columns, c)
}

// readSheet takes a CSV file apart. Faults of single rows are collected; one after which nothing can be read ends it.
func readSheet(data []byte, f *faults) *sheet {
	text, ok := decodeText(data, f)
	if !ok {
		return nil
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma = separator(text)
	r.FieldsPerRecord = -1
	r.TrimLeadingSpace = true
	head, err := r.Read()
	if err != nil {
		f.add(readFault(err))
		return nil
	}
	s := &sheet{}
	s.header(head, f)
	for {
		values, err := r.Read()
		if errors.Is(err, io.EOF) {
			return s
		}
		if err != nil {
			f.add(readFault(err))
			return s
		}
		line, _ := r.FieldPos(0)
		if len(s.rows) == MaxImportRows {
			f.add(Fault{Line: line, Code: FaultTooManyRows})
			return s
		}
		s.row(line, values, f)
	}
}

// decodeText gives the text as UTF-8 without a byte order mark. What is not UTF-8 is tried as GB18030, which Chinese
// spreadsheets write.
func decodeText(data []byte, f *faults) (string, bool) {
	switch {
	case len(data) > MaxImportBytes:
		f.add(Fault{Line: 1, Code: FaultTooBig})
		return "", false
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE}) || bytes.HasPrefix(data, []byte{0xFE, 0xFF}):
		f.add(Fault{Line: 1, Code: FaultUTF16})
		return "", false
	}
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	if utf8.Valid(data) {
		return string(data), true
	}
	decoded, err := simplifiedchinese.GB18030.NewDecoder().Bytes(data)
	if at := bytes.IndexRune(decoded, utf8.RuneError); err != nil || at >= 0 {
		f.add(Fault{Line: 1 + bytes.Count(decoded[:max(at, 0)], []byte{'\n'}), Code: FaultEncoding})
		return "", false
	}
	return string(decoded), true
}

// separator is the comma, unless the header has none and has what some spreadsheets write in its place.
func separator(text string) rune {
	head, _, _ := strings.Cut(text, "\n")
	if strings.Contains(head, ",") {
		return ','
	}
	for _, sep := range []rune{'\t', ';'} {
		if strings.ContainsRune(head, sep) {
			return sep
		}
	}
	return ','
}

func readFault(err error) Fault {
	if p, ok := errors.AsType[*csv.ParseError](err); ok {
		return Fault{Line: p.Line, Code: FaultQuote}
	}
	return Fault{Line: 1, Code: FaultEmpty}
}

func (s *sheet) header(names []string, f *faults) {
	for i, name := range names {
		if i == maxColumns {
			f.add(Fault{Line: 1, Column: i + 1, Code: FaultWidth})
			return
		}
		name = strings.TrimSpace(name)
		c := headers[strings.ToLower(name)]
		at := Fault{Line: 1, Column: i + 1, Got: shapeOf(name)}
		switch {
		case name == "": // a column without a name must be empty below
		case c == "":
			at.Code = FaultColumn
			at.Name = clip(name, 24) // a header's name is no person's
			f.add(at)
		case s.has(c):
			at.Code, at.Name = FaultColumnTwice, string(c)
			f.add(at)
		}
		s.columns, s.names = append(s.columns, c), append(s.names, name)
	}
	if !s.has(colID) && !s.has(colTags) {
		f.add(Fault{Line: 1, Code: FaultColumnNeeded})
	}
}

// row keeps a line that has any value.
func (s *sheet) row(line int, values []string, f *faults) {
	empty := true
	for i, v := range values {
		values[i] = strings.TrimSpace(v)
		if values[i] == "" {
			continue
		}
		empty = false
		if i >= len(s.columns) || s.names[i] == "" {
			f.add(Fault{Line: line, Column: i + 1, Code: FaultWidth})
			return
		}
	}
	if !empty {
		s.rows = append(s.rows, sheetRow{line, values})
	}
}

func clip(s string, runes int) string {
	r := []rune(s)
	return string(r[:min(len(r), runes)])
}
