package console

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"net/http"

	"foyer/hq"
	"foyer/hq/store"
	"foyer/shop/member"
)

// membersPage is how many members one page lists.
const membersPage = 50

type membersView struct {
	Count    int
	Consents []consentCount
	Rows     []memberRow
	After    member.ID // the last of the page before
	Next     member.ID // the last of Rows if there are more
	Fault    string    // key of a text
	Preview  *hq.Preview
	Done     *hq.Preview
	Columns  []string
}

type consentCount struct {
	Purpose member.Purpose
	Count   int
}

// memberRow is a member as headquarters' list shows one: enough to find a fault, too little to know a person.
type memberRow struct {
	ID         member.ID
	Masked     string
	Language   string
	Tier       string
	Cards      int
	NoGreeting bool
	Consents   []given
}

type given struct {
	Purpose member.Purpose
	Yes     bool
}

func (c *Console) members(w http.ResponseWriter, r *http.Request) {
	c.showMembers(w, r, http.StatusOK, membersView{})
}

func (c *Console) showMembers(w http.ResponseWriter, r *http.Request, status int, v membersView) {
	if err := c.fillMembers(r.Context(), member.ID(r.URL.Query().Get("after")), &v); err != nil {
		c.broken(w, r, err)
		return
	}
	c.render(w, r, status, "members", v)
}

func (c *Console) fillMembers(ctx context.Context, after member.ID, v *membersView) error {
	v.Columns, v.After = hq.Columns, after
	count, by, err := c.hq.DB().MemberCount(ctx)
	if err != nil {
		return err
	}
	v.Count = count
	for _, p := range member.Purposes {
		v.Consents = append(v.Consents, consentCount{p, by[p]})
	}
	people, err := c.hq.DB().Members(ctx, after, membersPage+1)
	if err != nil {
		return err
	}
	if len(people) > membersPage {
		people = people[:membersPage]
		v.Next = people[membersPage-1].ID
	}
	for _, p := range people {
		v.Rows = append(v.Rows, newMemberRow(p))
	}
	return nil
}

func newMemberRow(p store.Person) memberRow {
	row := memberRow{ID: p.ID, Masked: p.Masked(), Language: p.Language, Tier: p.Tier, Cards: len(p.Tags), NoGreeting: p.NoGreeting}
	for _, purpose := range member.Purposes {
		row.Consents = append(row.Consents, given{purpose, p.Allows(purpose)})
	}
	return row
}

// checkMembers shows what an uploaded file would do.
func (c *Console) checkMembers(w http.ResponseWriter, r *http.Request) {
	data, fault := upload(w, r)
	if fault != "" {
		c.showMembers(w, r, http.StatusBadRequest, membersView{Fault: fault})
		return
	}
	p, err := c.hq.CheckMembers(r.Context(), data)
	if errors.Is(err, hq.ErrNoTagKey) {
		c.showMembers(w, r, http.StatusConflict, membersView{Fault: "no_tag_key"})
		return
	}
	if err != nil {
		c.broken(w, r, err)
		return
	}
	status := http.StatusOK
	if p.FaultCount > 0 {
		status = http.StatusUnprocessableEntity
	}
	c.showMembers(w, r, status, membersView{Preview: p})
}

// upload reads the file of a form, or names the text that says why it cannot be had.
func upload(w http.ResponseWriter, r *http.Request) ([]byte, string) {
	r.Body = http.MaxBytesReader(w, r.Body, hq.MaxImportBytes+64<<10) // the form's own lines
	file, _, err := r.FormFile("file")
	if r.MultipartForm != nil {
		defer r.MultipartForm.RemoveAll()
	}
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, "file_too_big"
	}
	if err != nil {
		return nil, "no_file"
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, hq.MaxImportBytes+1))
	if err != nil {
		return nil, "no_file"
	}
	return data, ""
}

func (c *Console) applyMembers(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	p, err := c.hq.ApplyMembers(r.Context(), r.PostFormValue("preview"))
	switch {
	case errors.Is(err, hq.ErrGone):
		c.showMembers(w, r, http.StatusConflict, membersView{Fault: "preview_gone"})
	case errors.Is(err, store.ErrChanged):
		c.showMembers(w, r, http.StatusConflict, membersView{Fault: "members_changed"})
	case err != nil:
		c.broken(w, r, err)
	default:
		c.showMembers(w, r, http.StatusOK, membersView{Done: p})
	}
}

// memberTemplate is a file to fill in. The mark at its start tells spreadsheets that it is UTF-8.
func (c *Console) memberTemplate(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="members.csv"`)
	io.WriteString(w, "\uFEFF")
	out := csv.NewWriter(w)
	out.Write(hq.Columns)
	out.Flush()
}
