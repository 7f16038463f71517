package demo

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Limits of one expression: far above any honest one, so that a bad one costs no time and no stack.
const (
	maxExpr  = 400 // bytes
	maxNest  = 24
	maxValue = 1e12 // every value is held between -maxValue and maxValue
)

// names maps a pack's variables to their places in a state.
type names map[string]int

// expr is a compiled expression over a state's values. It cannot fail and cannot loop.
type expr func(vars []float64) float64

func constant(v float64) expr { return func([]float64) float64 { return v } }

// compile reads an expression: numbers, variables, + - * / % ^, comparisons, and, or, not, and the functions below.
func compile(text string, vars names) (expr, error) {
	if len(text) > maxExpr {
		return nil, fmt.Errorf("an expression of %d bytes, want at most %d", len(text), maxExpr)
	}
	p := &parser{text: text, vars: vars}
	p.next()
	e := p.level(0)
	if p.err == nil && p.token != "" {
		p.fail("%q is not expected here", p.token)
	}
	if p.err != nil {
		return nil, fmt.Errorf("%q: %w", text, p.err)
	}
	return e, nil
}

type parser struct {
	text  string
	at    int
	token string
	vars  names
	nest  int
	err   error
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
	p.token, p.at = "", len(p.text)
}

// next reads the next token; the end is the empty one.
func (p *parser) next() {
	for p.at < len(p.text) && strings.IndexByte(" \t\n", p.text[p.at]) >= 0 {
		p.at++
	}
	start := p.at
	if start >= len(p.text) {
		p.token = ""
		return
	}
	switch c := p.text[start]; {
	case letter(c):
		for p.at < len(p.text) && (letter(p.text[p.at]) || digit(p.text[p.at])) {
			p.at++
		}
	case digit(c) || c == '.':
		for p.at < len(p.text) && (digit(p.text[p.at]) || p.text[p.at] == '.') {
			p.at++
		}
	default:
		p.at++
		if p.at < len(p.text) && p.text[p.at] == '=' && strings.IndexByte("<>=!", c) >= 0 {
			p.at++
		}
	}
	p.token = p.text[start:p.at]
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }

// operators by how loosely they bind, loosest first. All but ^ group to the left.
var operators = [][]string{{"or"}, {"and"}, {"==", "!=", "<", "<=", ">", ">="}, {"+", "-"}, {"*", "/", "%"}, {"^"}}

func (p *parser) level(n int) expr {
	if n == len(operators) {
		return p.unary()
	}
	left := p.level(n + 1)
	for p.err == nil {
		op, found := p.token, false
		for _, o := range operators[n] {
			found = found || o == op
		}
		if !found {
			break
		}
		p.next()
		right := p.level(n + 1)
		if p.err == nil {
			left = binary(op, left, right)
		}
	}
	return left
}

func (p *parser) unary() expr {
	if p.nest++; p.nest > maxNest {
		p.fail("nested deeper than %d levels", maxNest)
		return constant(0)
	}
	defer func() { p.nest-- }()
	switch t := p.token; {
	case t == "-" || t == "not":
		p.next()
		e := p.unary()
		if t == "not" {
			return func(v []float64) float64 { return truth(e(v) == 0) }
		}
		return func(v []float64) float64 { return -e(v) }
	case t == "(":
		p.next()
		e := p.level(0)
		p.want(")")
		return e
	case t == "":
		p.fail("something is missing at its end")
	case digit(t[0]) || t[0] == '.':
		v, err := strconv.ParseFloat(t, 64)
		if err != nil || v > maxValue {
			p.fail("%q is no number", t)
		}
		p.next()
		return constant(v)
	case letter(t[0]):
		return p.word(t)
	default:
		p.fail("%q is not expected here", t)
	}
	return constant(0)
}

func (p *parser) want(token string) {
	if p.token != token {
		p.fail("a %q is missing", token)
	}
	p.next()
}

// word reads a variable or a call.
func (p *parser) word(name string) expr {
	p.next()
	if p.token != "(" {
		slot, ok := p.vars[name]
		if !ok {
			p.fail("there is no variable %q; give it in vars of the manifest", name)
		}
		return func(v []float64) float64 { return v[slot] }
	}
	p.next()
	var args []expr
	for p.err == nil && p.token != ")" {
		args = append(args, p.level(0))
		if p.token != "," {
			break
		}
		p.next()
	}
	p.want(")")
	f, ok := functions[name]
	switch {
	case p.err != nil:
	case !ok:
		p.fail("there is no function %q", name)
	case len(args) != f.args:
		p.fail("%s takes %d values, not %d", name, f.args, len(args))
	default:
		return func(v []float64) float64 {
			var in [3]float64
			for i, a := range args {
				in[i] = a(v)
			}
			return hold(f.do(in[0], in[1], in[2]))
		}
	}
	return constant(0)
}

// functions that an expression may call. noise is smooth, between -1 and 1, and the same for the same value.
var functions = map[string]struct {
	args int
	do   func(a, b, c float64) float64
}{
	"min":   {2, func(a, b, _ float64) float64 { return math.Min(a, b) }},
	"max":   {2, func(a, b, _ float64) float64 { return math.Max(a, b) }},
	"floor": {1, func(a, _, _ float64) float64 { return math.Floor(a) }},
	"ceil":  {1, func(a, _, _ float64) float64 { return math.Ceil(a) }},
	"round": {1, func(a, _, _ float64) float64 { return math.Round(a) }},
	"abs":   {1, func(a, _, _ float64) float64 { return math.Abs(a) }},
	"sqrt":  {1, func(a, _, _ float64) float64 { return math.Sqrt(math.Max(0, a)) }},
	"sin":   {1, func(a, _, _ float64) float64 { return math.Sin(a) }},
	"cos":   {1, func(a, _, _ float64) float64 { return math.Cos(a) }},
	"noise": {1, func(a, _, _ float64) float64 { return (math.Sin(a*1.7+1) + math.Sin(a*3.1+2) + math.Sin(a*7.3)) / 3 }},
	"clamp": {3, func(a, b, c float64) float64 { return math.Min(math.Max(a, b), c) }},
	"if": {3, func(a, b, c float64) float64 {
		if a != 0 {
			return b
		}
		return c
	}},
}

func binary(op string, l, r expr) expr {
	do := map[string]func(a, b float64) float64{
		"or":  func(a, b float64) float64 { return truth(a != 0 || b != 0) },
		"and": func(a, b float64) float64 { return truth(a != 0 && b != 0) },
		"==":  func(a, b float64) float64 { return truth(a == b) },
		"!=":  func(a, b float64) float64 { return truth(a != b) },
		"<":   func(a, b float64) float64 { return truth(a < b) },
		"<=":  func(a, b float64) float64 { return truth(a <= b) },
		">":   func(a, b float64) float64 { return truth(a > b) },
		">=":  func(a, b float64) float64 { return truth(a >= b) },
		"+":   func(a, b float64) float64 { return a + b },
		"-":   func(a, b float64) float64 { return a - b },
		"*":   func(a, b float64) float64 { return a * b },
		"/":   func(a, b float64) float64 { return a / b },
		"%":   math.Mod,
		"^":   math.Pow,
	}[op]
	return func(v []float64) float64 { return hold(do(l(v), r(v))) }
}

// hold keeps a value in bounds: what divides by nothing is nothing.
func hold(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return math.Min(math.Max(v, -maxValue), maxValue)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// assignment sets one variable.
type assignment struct {
	slot  int
	value expr
}

// assignments reads "a = 1; b = a + 1". They apply in their order.
func assignments(text string, vars names) ([]assignment, error) {
	var list []assignment
	var faults []error
	for part := range strings.SplitSeq(text, ";") {
		name, value, ok := strings.Cut(part, "=")
		name = strings.TrimSpace(name)
		slot, known := vars[name]
		switch {
		case !ok:
			faults = append(faults, fmt.Errorf("%q: want variable = expression", strings.TrimSpace(part)))
			continue
		case !known:
			faults = append(faults, fmt.Errorf("there is no variable %q; give it in vars of the manifest", name))
			continue
		case slot < firstOwn && name != "score":
			faults = append(faults, fmt.Errorf("%q cannot be set", name))
			continue
		}
		e, err := compile(strings.TrimSpace(value), vars)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		list = append(list, assignment{slot, e})
	}
	return list, errors.Join(faults...)
}

// saying is a text with {expression} marks: {x} is a whole number, {x:2} has two decimals, {x:02} is padded to two digits,
// {x:mm} is minutes and seconds.
type saying struct {
	parts []string // one more than marks
	marks []mark
}

type mark struct {
	value  expr
	format string
}

func compileSaying(text string, vars names) (saying, error) {
	var s saying
	for {
		before, rest, ok := strings.Cut(text, "{")
		s.parts = append(s.parts, before)
		if !ok {
			return s, nil
		}
		inner, after, closed := strings.Cut(rest, "}")
		if !closed {
			return s, fmt.Errorf("%q: a { without its }", text)
		}
		value, format, _ := strings.Cut(inner, ":")
		switch format {
		case "", "0", "1", "2", "3", "02", "04", "mm":
		default:
			return s, fmt.Errorf("{%s}: format %q, want 0, 1, 2, 3, 02, 04 or mm", inner, format)
		}
		e, err := compile(value, vars)
		if err != nil {
			return s, err
		}
		s.marks = append(s.marks, mark{e, format})
		text = after
	}
}

func (s saying) say(vars []float64) string {
	if len(s.marks) == 0 {
		return s.parts[0]
	}
	var b strings.Builder
	for i, m := range s.marks {
		b.WriteString(s.parts[i])
		b.WriteString(m.say(m.value(vars)))
	}
	b.WriteString(s.parts[len(s.parts)-1])
	return b.String()
}

func (m mark) say(v float64) string {
	switch m.format {
	case "1", "2", "3":
		return strconv.FormatFloat(v, 'f', int(m.format[0]-'0'), 64)
	case "02", "04":
		return fmt.Sprintf("%0*d", int(m.format[1]-'0'), int64(math.Floor(v)))
	case "mm":
		whole := int64(math.Max(0, v))
		return fmt.Sprintf("%d:%02d", whole/60, whole%60)
	}
	return strconv.FormatFloat(math.Round(v), 'f', 0, 64)
}
