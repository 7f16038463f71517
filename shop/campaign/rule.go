package campaign

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/ext"
	"cel.dev/cel-go/interpreter"
)

// Limits of one rule.
const (
	MaxRule = 1000 // characters
	// MaxCost bounds the worst case of a rule in CEL's cost units, at publishing by estimate and at the store by
	// counting. A comparison costs about 2; 1,000 units take well under 100 microseconds.
	MaxCost = 1000
)

const (
	maxRuleDepth = 50  // nested parentheses and operators
	maxRuleNodes = 500 // after macros are expanded
	maxFactRunes = 16  // the longest string among the facts: "entrance", "diamond", "zh-Hant-HK"
)

// rule is a compiled audience. It is safe for concurrent use.
type rule struct {
	always bool // the plain "true"
	prog   cel.Program
}

// environment is built once: it costs more than all rules of a usual snapshot.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(
		ext.NativeTypes(reflect.TypeFor[Member](), reflect.TypeFor[Visit](), ext.ParseStructTag("cel")),
		cel.Variable("member", cel.ObjectType("campaign.Member")),
		cel.Variable("visit", cel.ObjectType("campaign.Visit")),
		cel.ParserExpressionSizeLimit(MaxRule),
		cel.ParserRecursionLimit(maxRuleDepth),
		cel.ExpressionNodeLimit(maxRuleNodes),
	)
})

// compileRule checks one audience. Its error says what is wrong in one line.
func compileRule(text string) (rule, error) {
	switch strings.TrimSpace(text) {
	case "true":
		return rule{always: true}, nil
	case "":
		return rule{}, errors.New("empty")
	}
	if len(text) > 4*MaxRule {
		return rule{}, fmt.Errorf("rule of %d bytes: want at most %d characters", len(text), MaxRule)
	}
	env, err := environment()
	if err != nil {
		return rule{}, err
	}
	checked, issues := env.Compile(text)
	if issues.Err() != nil {
		return rule{}, inOneLine(issues)
	}
	if !checked.OutputType().IsExactType(cel.BoolType) {
		return rule{}, fmt.Errorf("the rule gives %s, not a yes or no", checked.OutputType())
	}
	est, err := env.EstimateCost(checked, sizes{})
	if err != nil {
		return rule{}, fmt.Errorf("cost cannot be told: %w", err)
	}
	if est.Max > MaxCost {
		return rule{}, fmt.Errorf("the rule may cost up to %d units, more than the %d allowed", est.Max, MaxCost)
	}
	prog, err := env.Program(checked, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(MaxCost))
	if err != nil {
		return rule{}, err
	}
	return rule{prog: prog}, nil
}

// inOneLine tells the first problems with their columns, and drops CEL's drawing of the source.
func inOneLine(issues *cel.Issues) error {
	var parts []string
	for _, e := range issues.Errors() {
		if len(parts) == 3 {
			parts = append(parts, "and more")
			break
		}
		msg := strings.Join(strings.FieldsFunc(e.Message, unicode.IsControl), " ")
		parts = append(parts, fmt.Sprintf("line %d, column %d: %.200s", e.Location.Line(), e.Location.Column()+1, msg))
	}
	return errors.New(strings.Join(slices.Compact(parts), "; "))
}

// sizes tells the estimator how long the facts can be.
type sizes struct{}

func (sizes) EstimateSize(n cost.AstNode) *cost.SizeEstimate {
	if len(n.Path()) == 2 {
		return &cost.SizeEstimate{Min: 0, Max: maxFactRunes}
	}
	return nil
}

func (sizes) EstimateCallCost(_, _ string, _ *cost.AstNode, _ []cost.AstNode) *cost.CallEstimate {
	return nil
}

// ask evaluates the rule over facts.
func (r rule) ask(facts map[string]any) Code {
	if r.always {
		return Matched
	}
	out, _, err := r.prog.Eval(facts)
	if err != nil {
		if e, ok := errors.AsType[interpreter.EvalCancelledError](err); ok && e.Cause == interpreter.CostLimitExceeded {
			return RuleCost
		}
		return RuleError
	}
	if yes, ok := out.Value().(bool); ok && yes {
		return Matched
	}
	return NotInAudience
}
