package daemon

import (
	"fmt"
	"testing"

	"foyer/api"
	"foyer/shop/member"
)

// The faces' contract and the shop each know what a telephone number is, and how somebody may be addressed and what may be
// allowed: neither may know the other.
func TestTheContractAndTheShopAgreeOnSignUps(t *testing.T) {
	for _, s := range []string{"13812345678", "12812345678", "1381234567", "138123456789", "0046701234567", "00", "0001234567890", "", "x"} {
		if api.ValidPhone(s) != member.ValidPhone(s) {
			t.Errorf("%q is a number to one of them alone", s)
		}
	}
	if fmt.Sprint(api.Purposes) != fmt.Sprint(member.Purposes) {
		t.Errorf("purposes: %v and %v", api.Purposes, member.Purposes)
	}
	for _, title := range api.Titles {
		if member.Check([]member.Member{{ID: "m-1", Title: member.Title(title)}}) != nil {
			t.Errorf("the shop does not know the title %q", title)
		}
	}
}
