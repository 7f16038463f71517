package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"foyer/hq"
	"foyer/hq/store"
	"foyer/sync/setting"
	"foyer/sync/wire"
)

// commandsShown is how many of a store's commands its page shows: the newest.
const commandsShown = 50

// storeView is one store's page: what it can be asked, and what it was.
type storeView struct {
	storeRow
	Asks     []wire.Do // without settings, which have a form of their own
	Lives    []lifeView
	Settings []settingView
	Commands []commandView
	Fault    string // in words
}

// lifeView is how long a command may be good for.
type lifeView struct {
	Hours int
	Chose bool
}

// settingView is one setting as the form shows it.
type settingView struct {
	Name, Field string
	Value       string // as headquarters last set it, or as the form came
	Set         bool   // by headquarters
	Choices     []string
}

// commandView is one command as the page lists it.
type commandView struct {
	store.Command
	Wrong   string // in words
	Changes []string
	Files   []fileView
}

type fileView struct {
	wire.Result
	Link    string
	Picture bool
}

var settingChoices = map[string][]string{setting.LogLevel: {"debug", "info", "warn", "error"}, setting.Language: {"zh-CN", "en"}}

// fieldOf is a setting's name as a key of our words: they have no dots.
func fieldOf(name string) string { return strings.ReplaceAll(name, ".", "_") }

func (c *Console) store(w http.ResponseWriter, r *http.Request) {
	c.showStore(w, r, http.StatusOK, "", nil)
}

func (c *Console) showStore(w http.ResponseWriter, r *http.Request, status int, fault string, came map[string]string) {
	v, err := c.storeView(r.Context(), c.language(w, r), r.PathValue("id"))
	if errors.Is(err, store.ErrNotFound) {
		c.notFound(w, r)
		return
	}
	if err != nil {
		c.broken(w, r, err)
		return
	}
	v.Fault = fault
	for i, s := range v.Settings {
		v.Settings[i].Value = cmp.Or(came[s.Name], s.Value)
	}
	c.render(w, r, status, "store", v)
}

func (c *Console) storePart(w http.ResponseWriter, r *http.Request) {
	v, err := c.storeView(r.Context(), c.language(w, r), r.PathValue("id"))
	if err != nil {
		c.broken(w, r, err)
		return
	}
	c.part(w, r, "commands", v)
}

func (c *Console) storeView(ctx context.Context, lang, id string) (storeView, error) {
	rows, err := c.storeRows(ctx, lang)
	if err != nil {
		return storeView{}, err
	}
	i := slices.IndexFunc(rows, func(s storeRow) bool { return s.ID == id })
	if i < 0 {
		return storeView{}, store.ErrNotFound
	}
	all, err := c.hq.DB().Commands(ctx, id, commandsShown)
	v := storeView{storeRow: rows[i], Asks: []wire.Do{wire.DoScreenshot, wire.DoDiagnostics, wire.DoResync, wire.DoRestart},
		Lives: []lifeView{{1, false}, {24, true}, {7 * 24, false}}}
	for _, one := range all {
		v.Commands = append(v.Commands, c.commandView(lang, one))
	}
	v.Settings = settingViews(all)
	return v, err
}

// settingViews are the settings as the store last said that headquarters has set them.
func settingViews(all []store.Command) []settingView {
	var last map[string]string
	for _, one := range all {
		if one.Do == wire.DoConfig && one.Answer.Outcome == wire.IsDone {
			last = one.Answer.Settings
			break
		}
	}
	var out []settingView
	for _, name := range setting.Names {
		v, ok := last[name]
		out = append(out, settingView{Name: name, Field: fieldOf(name), Value: v, Set: ok, Choices: settingChoices[name]})
	}
	return out
}

func (c *Console) commandView(lang string, one store.Command) commandView {
	v := commandView{Command: one}
	if code := one.Answer.Code; code != "" {
		v.Wrong = c.known(lang, "command.why.", string(code))
	}
	for _, name := range setting.Names {
		if value, ok := one.Set[name]; ok {
			v.Changes = append(v.Changes, fmt.Sprintf("%s: %s", c.say(lang, "command.setting."+fieldOf(name)), value))
		}
		if slices.Contains(one.Reset, name) {
			v.Changes = append(v.Changes, fmt.Sprintf("%s: %s", c.say(lang, "command.setting."+fieldOf(name)), c.say(lang, "command.reset")))
		}
	}
	for _, r := range one.Answer.Results {
		v.Files = append(v.Files, fileView{r, resultLink(one.ID, r), path.Ext(r.Name) == ".png"})
	}
	return v
}

// resultLink carries the digest, so that a browser may keep the file.
func resultLink(id string, r wire.Result) string {
	return "/commands/" + id + "/" + r.Name + "?sha256=" + r.Digest.String()[:16]
}

// askedBy is who asks through a browser or a tool: there is one admin token, so the address is what tells them apart.
func askedBy(r *http.Request) string { return "admin, " + address(r) }

func (c *Console) askStore(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	ask := wire.Command{Do: wire.Do(r.PostFormValue("do")), Screen: r.PostFormValue("screen")}
	came := map[string]string{}
	if ask.Do == wire.DoConfig {
		ask.Set = map[string]string{}
		for _, name := range setting.Names {
			value, reset := strings.TrimSpace(r.PostFormValue(name)), r.PostFormValue("reset."+name) != ""
			switch came[name] = value; {
			case reset:
				ask.Reset = append(ask.Reset, name)
			case value != "" && value != r.PostFormValue("was."+name):
				ask.Set[name] = value
			}
		}
	}
	life, err := time.ParseDuration(cmp.Or(r.PostFormValue("hours"), "24") + "h")
	if err != nil {
		life = hq.DefaultCommandLife
	}
	_, err = c.hq.Command(r.Context(), r.PathValue("id"), ask, askedBy(r), life)
	if refused, ok := errors.AsType[*hq.CommandRefused](err); ok {
		c.showStore(w, r, http.StatusUnprocessableEntity, c.refusedCommand(c.language(w, r), ask, refused), came)
		return
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		c.notFound(w, r)
	case err != nil:
		c.broken(w, r, err)
	default:
		http.Redirect(w, r, "/stores/"+r.PathValue("id")+"#asked", http.StatusSeeOther)
	}
}

// refusedCommand says in words which setting is wrong, and what it wants.
func (c *Console) refusedCommand(lang string, ask wire.Command, refused *hq.CommandRefused) string {
	if ask.Do == wire.DoConfig && len(ask.Set)+len(ask.Reset) == 0 {
		return c.say(lang, "command.nothing")
	}
	var wrong []string
	for _, name := range setting.Names {
		if value, ok := ask.Set[name]; ok && setting.Check(name, value) != nil {
			wrong = append(wrong, c.say(lang, "command.setting."+fieldOf(name))+" – "+c.say(lang, "command.hint."+fieldOf(name)))
		}
	}
	if len(wrong) > 0 {
		return c.say(lang, "command.wrong", "what", strings.Join(wrong, "; "))
	}
	return refused.Error()
}

// result serves a file that a command brought.
func (c *Console) result(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	data, err := c.hq.DB().Result(r.Context(), r.PathValue("command"), name)
	if errors.Is(err, store.ErrNotFound) {
		c.notFound(w, r)
		return
	}
	if err != nil {
		c.broken(w, r, err)
		return
	}
	kind, how := "application/gzip", "attachment"
	if path.Ext(name) == ".png" {
		kind, how = "image/png", "inline"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", fmt.Sprintf("%s; filename=%q", how, name))
	w.Header().Set("Cache-Control", "private, max-age=86400, immutable")
	w.Write(data)
}

// apiCommand is a command as tools see it.
type apiCommand struct {
	ID       string            `json:"id"`
	Store    string            `json:"store"`
	Do       wire.Do           `json:"do"`
	Set      map[string]string `json:"set,omitempty"`
	Reset    []string          `json:"reset,omitempty"`
	Screen   string            `json:"screen,omitempty"`
	By       string            `json:"by"`
	Asked    time.Time         `json:"asked"`
	Expires  time.Time         `json:"expires"`
	State    string            `json:"state"` // "waiting", "sent", "done", "refused", "failed", "expired"
	Sent     time.Time         `json:"sent,omitzero"`
	Answered time.Time         `json:"answered,omitzero"`
	Code     wire.DoneCode     `json:"code,omitempty"`
	Why      string            `json:"why,omitempty"`
	Settings map[string]string `json:"settings,omitempty"` // all that headquarters has set at the store then
	Results  []wire.Result     `json:"results,omitempty"`
}

func newAPICommand(c store.Command) apiCommand {
	return apiCommand{ID: c.ID, Store: c.Store, Do: c.Do, Set: c.Set, Reset: c.Reset, Screen: c.Screen, By: c.By, Asked: c.MadeAt, Expires: c.Expires,
		State: c.State, Sent: c.Sent, Answered: c.Answered, Code: c.Answer.Code, Why: c.Answer.Why, Settings: c.Answer.Settings, Results: c.Answer.Results}
}

func (c *Console) commandRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /stores/{id}", c.store)
	mux.HandleFunc("GET /parts/stores/{id}", c.storePart)
	mux.HandleFunc("POST /stores/{id}/commands", c.askStore)
	mux.HandleFunc("GET /commands/{command}/{name}", c.result)
	mux.HandleFunc("GET /api/stores/{id}/commands", c.apiCommands)
	mux.HandleFunc("POST /api/stores/{id}/commands", c.apiAsk)
	mux.HandleFunc("GET /api/commands/{command}", c.apiCommand)
	mux.HandleFunc("GET /api/commands/{command}/results/{name}", c.result)
}

func (c *Console) apiCommands(w http.ResponseWriter, r *http.Request) {
	all, err := c.hq.DB().Commands(r.Context(), r.PathValue("id"), commandsShown)
	out := []apiCommand{}
	for _, one := range all {
		out = append(out, newAPICommand(one))
	}
	c.reply(w, r, http.StatusOK, out, err)
}

func (c *Console) apiCommand(w http.ResponseWriter, r *http.Request) {
	one, err := c.hq.DB().Command(r.Context(), r.PathValue("command"))
	c.reply(w, r, http.StatusOK, newAPICommand(one), err)
}

func (c *Console) apiAsk(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Do     wire.Do           `json:"do"`
		Set    map[string]string `json:"set"`
		Reset  []string          `json:"reset"`
		Screen string            `json:"screen"`
		Valid  string            `json:"valid"` // "24h"
	}
	if !readJSON(w, r, 16<<10, &in) {
		return
	}
	life := hq.DefaultCommandLife
	if in.Valid != "" {
		var err error
		if life, err = time.ParseDuration(in.Valid); err != nil {
			problem(w, http.StatusBadRequest, "valid is no time", `want something like "24h"`, nil)
			return
		}
	}
	one, err := c.hq.Command(r.Context(), r.PathValue("id"), wire.Command{Do: in.Do, Set: in.Set, Reset: in.Reset, Screen: in.Screen}, askedBy(r), life)
	if refused, ok := errors.AsType[*hq.CommandRefused](err); ok {
		problem(w, http.StatusUnprocessableEntity, "the command is refused", refused.Error(), nil)
		return
	}
	c.reply(w, r, http.StatusAccepted, newAPICommand(one), err)
}
