package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	profiles "foyer/firmware-profiles"
	"foyer/internal/strictyaml"
	"foyer/reader/tag"
	"foyer/shop/presence"
	"foyer/sync/badge"
	"foyer/sync/content"
	"foyer/sync/setting"
	"foyer/sync/vault"
	"foyer/sync/wire"
)

// Config is foyerd's one configuration file. Secrets are never in it: it names the files that hold them. Relative paths
// are relative to the folder of the configuration file.
type Config struct {
	Chain        string       `yaml:"chain,required"` // the chain's name on the wire: lower-case letters, digits, dashes
	Store        string       `yaml:"store,required"` // this store's name on the wire, likewise
	Name         Name         `yaml:"name,required"`  // what people call the shop
	Data         string       `yaml:"data,required"`  // folder of the journal; made when missing
	TagKeyFile   string       `yaml:"tag_key_file,required"`
	BoxKeyFile   string       `yaml:"box_key_file"` // the key that persons' keys are kept under; made when missing. Default: systemd's credential foyer-box-key, else box.key in data
	LogLevel     string       `yaml:"log_level"`    // debug, info (default), warn, error
	Listen       Listen       `yaml:"listen,required"`
	Headquarters Headquarters `yaml:"headquarters"` // empty: the store is on its own
	Profiles     string       `yaml:"profiles"`     // folder of reader profiles (*.yaml) that go before the built-in ones
	Readers      []Reader     `yaml:"readers"`
	Zones        []Zone       `yaml:"zones"`
	Signals      []Signal     `yaml:"signals"`
	Doors        []Door       `yaml:"doors"`
	Printers     []Printer    `yaml:"printers"`
	Screens      Screens      `yaml:"screens"`

	path   string // of the file
	secret []byte // what tag_key_file holds
	shelf  *shelf // what readers' profiles were taken from

	forgiving bool // about broken profiles
	enrolling bool // there need be no badge yet
}

// Name is one name in both languages.
type Name struct {
	EN   string `yaml:"en,required"`
	ZhCN string `yaml:"zh-CN,required"`
}

func (n Name) text() map[string]string { return map[string]string{"en": n.EN, "zh-CN": n.ZhCN} }

// Listen says where the faces connect.
type Listen struct {
	Socket             string `yaml:"socket,required"` // unix socket for the screens of this box; file mode 0600
	TCP                string `yaml:"tcp"`             // address for the reception page; empty: none. Beyond loopback with TLS only
	ReceptionTokenFile string `yaml:"reception_token_file"`
	ScreenTokenFile    string `yaml:"screen_token_file"`
	MetricsTokenFile   string `yaml:"metrics_token_file"` // for Prometheus; empty: /metrics on the socket alone

	TLSCertFile string   `yaml:"tls_cert_file"` // TLS on tcp: the certificate chain, PEM; default beyond loopback: the store's badge
	TLSKeyFile  string   `yaml:"tls_key_file"`
	Names       []string `yaml:"names"` // other addresses and .local names of this box, for the badge

	Embed []string `yaml:"embed"` // origins whose pages may show the reception page in a frame
}

// Screens says how long screens speak. What is left out has the shop's defaults.
type Screens struct {
	WallGreeting  time.Duration `yaml:"wall_greeting"`
	KioskGreeting time.Duration `yaml:"kiosk_greeting"`
	Language      string        `yaml:"language"` // zh-CN or en, while nobody in particular is there; default: as each screen was started
}

// Headquarters is the line up.
type Headquarters struct {
	Broker         string   `yaml:"broker"`        // tcp://host:1883 or tls://host:8883
	User           string   `yaml:"user"`          // default: the store's name
	PasswordFile   string   `yaml:"password_file"` // the store's token
	CAFile         string   `yaml:"ca_file"`       // tls: who signed the broker's certificate; default the system's
	PublicKeyFiles []string `yaml:"public_key_files"`
	Identity       string   `yaml:"identity"` // folder of the store's badge (foyerd enrol); replaces user, password_file, ca_file, and the keys
	Packs          Packs    `yaml:"packs"`
	// AnswerWithin is how long an arrival waits for headquarters' word on who it is, where the store does not have all members.
	AnswerWithin time.Duration `yaml:"answer_within"`
	Budget       Budget        `yaml:"budget"` // a metered line: 20MB/day; left out: not metered
}

// Packs says how the files of content packs come. What is left out: through the broker, at any hour, as fast as the line.
type Packs struct {
	URL         string `yaml:"url"`           // https://host:8444: foyer-hq's --packs
	Quiet       string `yaml:"quiet"`         // hours in which they may come, like 22:00-06:00, in the box's time zone
	KBPerSecond int    `yaml:"kb_per_second"` // 1000 bytes a second

	quiet setting.Window
}

// Reader is one reader that is plugged in.
type Reader struct {
	Name    string `yaml:"name,required"`    // what zones call it
	Profile string `yaml:"profile,required"` // a profile's id, or a YAML file
	Port    string `yaml:"port,required"`    // /dev/serial/by-id/..., usb:VID:PID[:SERIAL], tcp:// or tls://host:port, gpio:D0,D1, /dev/input/by-id/...

	profile *profiles.Profile
}

// Zone is a place in the shop. What is left out has presence's defaults.
type Zone struct {
	ID       string        `yaml:"id,required"`
	Name     Name          `yaml:"name,required"`
	Role     Role          `yaml:"role,required"`
	Readers  []string      `yaml:"readers,required"`
	Tap      bool          `yaml:"tap"`       // one read is enough: a reader that hears a few centimetres
	MinReads int           `yaml:"min_reads"` // reads within window that make an arrival
	Window   time.Duration `yaml:"window"`
	Enter    int           `yaml:"enter"` // dBm: weaker reads do not count towards an arrival
	Leave    int           `yaml:"leave"` // dBm: weaker reads do not keep a tag here
	Grace    time.Duration `yaml:"grace"` // silence after which a tag has left

	Dwell      time.Duration      `yaml:"dwell"`      // strong reads must go on for so long
	Average    int                `yaml:"average"`    // the strength is the mean power of so many reads
	Antennas   map[string][]uint8 `yaml:"antennas"`   // by reader: only these are this zone's
	Group      string             `yaml:"group"`      // a tag is in one zone of a group at a time
	HoldOff    time.Duration      `yaml:"hold_off"`   // moves to this zone: a tag stays where it came to for so long
	Resistance int                `yaml:"resistance"` // moves to this zone: dB by which it must be stronger
}

// Role is what a zone is for.
type Role string

// Words lists the roles.
func (Role) Words() []string {
	return []string{string(presence.Entrance), string(presence.Kiosk), string(presence.Counter), string(presence.Exit)}
}

// LoadConfig reads a configuration and the files that it names, and tells every fault at once.
func LoadConfig(path string) (*Config, error) { return load(path, &Config{}) }

// LoadToRun is LoadConfig for a shop that is to open. A profile that was broken while the shop was open is no fault then: Run
// has its last good form, and refuses to begin only where there is none.
func LoadToRun(path string) (*Config, error) { return load(path, &Config{forgiving: true}) }

func load(path string, c *Config) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	c.LogLevel, c.path = "info", path
	doc := strictyaml.Decode(path, data, c)
	c.resolve(filepath.Dir(path))
	c.check(doc)
	return c, doc.Err()
}

// resolve makes the paths absolute.
func (c *Config) resolve(base string) {
	for _, p := range []*string{&c.Data, &c.Profiles, &c.TagKeyFile, &c.BoxKeyFile, &c.Listen.Socket, &c.Listen.ReceptionTokenFile,
		&c.Listen.ScreenTokenFile, &c.Listen.MetricsTokenFile, &c.Listen.TLSCertFile, &c.Listen.TLSKeyFile, &c.Headquarters.PasswordFile,
		&c.Headquarters.CAFile, &c.Headquarters.Identity} {
		*p = from(base, *p)
	}
	for i, p := range c.Headquarters.PublicKeyFiles {
		c.Headquarters.PublicKeyFiles[i] = from(base, p)
	}
	for i, r := range c.Readers {
		if isFile(r.Profile) {
			c.Readers[i].Profile = from(base, r.Profile)
		}
	}
	for i, p := range c.Printers {
		if isFile(p.Model) {
			c.Printers[i].Model = from(base, p.Model)
		}
	}
	if c.Headquarters.User == "" {
		c.Headquarters.User = c.Store
	}
}

func dBm(n int) tag.RSSI { return tag.RSSI(max(-200, min(100, n))) }

func from(base, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(base, path)
}

func (c *Config) check(doc *strictyaml.Doc) {
	c.checkNames(doc)
	c.checkSecrets(doc)
	c.checkListen(doc)
	if c.Screens.Language != "" {
		if err := soundLanguage(c.Screens.Language); err != nil {
			doc.At("screens.language", "%v", err)
		}
	}
	c.checkHeadquarters(doc)
	c.checkProfiles(doc)
	c.checkReaders(doc)
	c.checkZones(doc)
	c.checkSignals(doc)
	c.checkPrinters(doc)
}

func (c *Config) checkNames(doc *strictyaml.Doc) {
	for path, name := range map[string]string{"chain": c.Chain, "store": c.Store} {
		if err := (wire.Place{Chain: name, Store: name}).Check(); doc.Has(path) && err != nil {
			doc.At(path, "%v", err)
		}
	}
	if levels := []string{"debug", "info", "warn", "error"}; !slices.Contains(levels, c.LogLevel) {
		doc.At("log_level", "%q is no level, want one of %s", c.LogLevel, strings.Join(levels, ", "))
	}
}

func (c *Config) checkSecrets(doc *strictyaml.Doc) {
	if c.TagKeyFile == "" {
		return // told already: it is required
	}
	text, err := os.ReadFile(c.TagKeyFile)
	if err != nil {
		doc.At("tag_key_file", "%v (make one with: foyer keys new FILE, the same for all stores of a chain)", err)
		return
	}
	if c.secret, err = tag.ParseSecret(string(text)); err != nil {
		doc.At("tag_key_file", "%s: %v", c.TagKeyFile, err)
	}
	if c.BoxKeyFile == "" {
		return
	}
	if _, err := vault.ReadBox(c.BoxKeyFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		doc.At("box_key_file", "%v", err)
	}
}

func (c *Config) checkListen(doc *strictyaml.Doc) {
	if c.Listen.TCP == "" {
		return
	}
	host, _, err := net.SplitHostPort(c.Listen.TCP)
	if err != nil {
		doc.At("listen.tcp", "%v, want an address like 127.0.0.1:8480", err)
	} else if !loopback(host) && c.Listen.TLSCertFile == "" && c.Headquarters.Identity == "" {
		doc.At("listen.tcp", "%s is not loopback: personal data would cross the network in clear; want 127.0.0.1, or TLS: headquarters.identity or tls_cert_file", host)
	}
	c.checkListenTLS(doc)
	for i, name := range c.Listen.Names {
		if err := badge.CheckName(name); err != nil {
			doc.At(fmt.Sprintf("listen.names[%d]", i), "%v", err)
		}
	}
	if c.Listen.ReceptionTokenFile == "" {
		doc.At("listen", "tcp without reception_token_file: want the file that holds the reception page's token")
	}
}

// maxAnswer is how long a greeting may wait for headquarters.
const maxAnswer = 3 * time.Second

func (c *Config) checkHeadquarters(doc *strictyaml.Doc) {
	hq := c.Headquarters
	if hq.AnswerWithin < 0 || hq.AnswerWithin > maxAnswer {
		doc.At("headquarters.answer_within", "%v: want up to %v; whoever is named later may not stand before the screen any more", hq.AnswerWithin, maxAnswer)
	}
	if hq.Identity != "" {
		c.checkIdentity(doc)
	}
	if hq.Broker == "" {
		return
	}
	u, err := url.Parse(hq.Broker)
	if err != nil || (u.Scheme != "tcp" && u.Scheme != "tls") || u.Host == "" {
		doc.At("headquarters.broker", "%q is no broker, want tcp://host:1883 or tls://host:8883", hq.Broker)
	}
	if len(hq.PublicKeyFiles) == 0 && hq.Identity == "" {
		doc.At("headquarters", "no public_key_files: want headquarters' public key, or nothing it says can be believed")
	}
	for i, file := range hq.PublicKeyFiles {
		if _, err := os.Stat(file); err != nil {
			doc.At(fmt.Sprintf("headquarters.public_key_files[%d]", i), "%v", err)
		}
	}
	if hq.PasswordFile == "" && hq.Identity == "" {
		doc.At("headquarters", "no password_file: want the file that holds the store's token")
	}
	c.Headquarters.Packs.check(doc, "headquarters.packs")
}

func (p *Packs) check(doc *strictyaml.Doc, path string) {
	var err error
	if p.quiet, err = setting.ParseWindow(p.Quiet); err != nil {
		doc.At(path+".quiet", "%v", err)
	}
	if p.URL != "" {
		if err := content.CheckURL(p.URL); err != nil {
			doc.At(path+".url", "%q is no address of files, %v", p.URL, err)
		}
	}
	if p.KBPerSecond < 0 {
		doc.At(path+".kb_per_second", "%d is no rate, want 1 or more, or nothing for no limit", p.KBPerSecond)
	}
}

func (c *Config) checkReaders(doc *strictyaml.Doc) {
	seen, ports := map[string]bool{}, map[string]string{}
	for i := range c.Readers {
		r := &c.Readers[i]
		path := fmt.Sprintf("readers[%d]", i)
		if seen[r.Name] {
			doc.At(path+".name", "a second reader is called %q, want names that differ", r.Name)
		}
		if other, taken := ports[r.Port]; taken && r.Port != "" {
			doc.At(path+".port", "%s is the port of reader %q already", r.Port, other)
		}
		seen[r.Name], ports[r.Port] = true, r.Name
		if r.Profile != "" {
			c.checkProfile(doc, r, path+".profile")
		}
	}
}

// checkProfiles reads the folder of profiles and the files that readers name.
func (c *Config) checkProfiles(doc *strictyaml.Doc) {
	var files []string
	for _, r := range c.Readers {
		if isFile(r.Profile) {
			files = append(files, r.Profile)
		}
	}
	var err error
	if c.shelf, err = newShelf(c.Profiles, files); err != nil {
		doc.At("profiles", "%v, want a folder of profiles", err)
	}
	for _, path := range c.shelf.shelved() {
		if c.forgiving {
			break
		}
		if err := c.shelf.bad[path]; err != nil {
			doc.At("profiles", "a profile is broken (foyer profile check %s): %v", path, err)
		}
	}
}

func (c *Config) checkProfile(doc *strictyaml.Doc, r *Reader, path string) {
	var err error
	if r.profile, err = c.shelf.find(r.Profile); err == nil || c.forgiving {
		return
	}
	if isFile(r.Profile) {
		err = fmt.Errorf("the profile is broken (foyer profile check %s): %w", r.Profile, err)
	}
	doc.At(path, "%v", err)
}

func (c *Config) checkZones(doc *strictyaml.Doc) {
	names, placed := map[string]bool{}, map[string]bool{}
	for _, r := range c.Readers {
		names[r.Name] = true
	}
	for i, z := range c.Zones {
		for j, r := range z.Readers {
			if !names[r] {
				doc.At(fmt.Sprintf("zones[%d].readers[%d]", i, j), "no reader %q in this file", r)
			}
			placed[r] = true
		}
	}
	for i, r := range c.Readers {
		if !placed[r.Name] && r.Name != "" {
			doc.At(fmt.Sprintf("readers[%d].name", i), "reader %q is in no zone: nobody would be greeted there", r.Name)
		}
	}
	c.checkPresence(doc)
}

// checkPresence tells what presence would refuse. What is missing was told already: it is required.
func (c *Config) checkPresence(doc *strictyaml.Doc) {
	var pc presence.Config
	for _, z := range c.zones() {
		pc.Zones = append(pc.Zones, z.Zone)
	}
	for _, f := range pc.Faults() {
		path := "zones"
		if f.Zone >= 0 {
			path = fmt.Sprintf("zones[%d].%s", f.Zone, f.Key)
			if required := f.Key == "id" || f.Key == "role" || f.Key == "readers"; required && !doc.Has(path) {
				continue
			}
		}
		doc.At(path, "%s", f.Text)
	}
}
