package campaign

import (
	"reflect"
	"strings"
)

// Facts is what one decision knows. Rules see Member and Visit.
type Facts struct {
	Member Member
	Visit  Visit
	// Offered counts, by campaign, today's other visits in which it was offered to the member already.
	Offered map[string]int
}

// The values of a fact that is not known. They are chosen so that the usual comparison is false.
const (
	NoDays     = -1      // of days since something that never was
	NoContract = 100_000 // days to the end of a contract that is not there
)

// Member is the person, as a rule sees them.
type Member struct {
	Tier               string `cel:"tier" en:"the tier: silver, gold, diamond, or empty"`
	Language           string `cel:"language" en:"the language: zh-CN, en, or empty"`
	BirthdayToday      bool   `cel:"birthday_today" en:"whether today is the birthday"`
	DaysSinceLastVisit int64  `cel:"days_since_last_visit" en:"calendar days since the last visit to this store; -1 on the first one"`
	DaysToContractEnd  int64  `cel:"days_to_contract_end" en:"calendar days to the end of the contract; negative once it is over; 100000 without one"`
	NthVisit           int64  `cel:"nth_visit" en:"1 on the first visit to this store"`
	DaysSinceJoined    int64  `cel:"days_since_joined" en:"calendar days since joining; -1 where that is not known"`
}

// Visit is the moment, as a rule sees it.
type Visit struct {
	Zone    string `cel:"zone" en:"where the person is: entrance, kiosk, counter or exit"`
	Hour    int64  `cel:"hour" en:"the hour of the day in the store, 0 to 23"`
	Weekday int64  `cel:"weekday" en:"1 for Monday to 7 for Sunday"`
}

// Variable is one thing that a rule may ask.
type Variable struct {
	Name  string // "member.tier"
	Type  string // "string", "bool" or "int"
	Means string // in English
}

// Variables lists everything that a rule may ask, for the console's help.
func Variables() []Variable {
	return append(variablesOf("member", reflect.TypeFor[Member]()), variablesOf("visit", reflect.TypeFor[Visit]())...)
}

func variablesOf(prefix string, t reflect.Type) []Variable {
	var out []Variable
	for f := range t.Fields() {
		out = append(out, Variable{prefix + "." + f.Tag.Get("cel"), strings.TrimSuffix(f.Type.String(), "64"), f.Tag.Get("en")})
	}
	return out
}
