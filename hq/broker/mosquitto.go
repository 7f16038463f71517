package broker

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"foyer/hq/ca"
	"foyer/hq/store"
	"foyer/sync/badge"
	"foyer/sync/wire"
)

// File is one file of a configuration.
type File struct {
	Name string
	Text string
	Mode fs.FileMode
}

// mosquittoConf: what each line is for is in BROKERS.md.
const mosquittoConf = `# Mosquitto 2 for chain %[1]s of Foyer, written by foyer-hq broker mosquitto.
per_listener_settings false
listener %[2]d
cafile %[3]s
certfile %[4]s
keyfile %[5]s
crlfile %[6]s
tls_version tlsv1.2
require_certificate true
use_identity_as_username true
use_username_as_clientid true
allow_anonymous false
acl_file %[7]s
message_size_limit %[8]d
max_queued_messages 1000
persistence false
`

// mosquittoHQ is for each headquarters that may come: each has a name of its own, else one throws the other out.
const mosquittoHQ = `user %[1]s
topic read edge/v1/%[2]s/+/up/#
topic read edge/v1/%[2]s/+/ask/#
topic read edge/v1/%[2]s/+/state
topic write edge/v1/%[2]s/+/ack
topic write edge/v1/%[2]s/+/down/#

`

// mosquittoRules say what fromStore and toStore say; %%u is the common name of the certificate.
const mosquittoRules = `# Each store keeps to its own branch.
pattern write edge/v1/%[1]s/%%u/up/#
pattern write edge/v1/%[1]s/%%u/ask/#
pattern write edge/v1/%[1]s/%%u/state
pattern read edge/v1/%[1]s/%%u/ack
pattern read edge/v1/%[1]s/%%u/down/#
`

// MosquittoFiles makes a configuration with which Mosquitto takes the chain's badges and locks each store to its branch. dir is
// where the files will be on the broker's machine; revoked is headquarters' list of revoked badges, PEM.
func MosquittoFiles(a *ca.Authority, chain, dir string, port int, revoked string, now time.Time) ([]File, error) {
	pair, err := a.Server(now, ca.HandLife)
	if err != nil {
		return nil, err
	}
	certificate, key, err := ca.EncodePair(pair)
	if err != nil {
		return nil, err
	}
	in := func(name string) string { return path.Join(dir, name) }
	return []File{
		{"mosquitto.conf", fmt.Sprintf(mosquittoConf, chain, port, in("ca.pem"), in("broker.pem"), in("broker.key"), in("crl.pem"), in("acl"), wire.MaxSealed+4096), 0o644},
		{"acl", mosquittoACL(chain), 0o644},
		{"ca.pem", badge.EncodeCertificates(a.Certificate()), 0o644},
		{"crl.pem", revoked, 0o644},
		{"broker.pem", certificate, 0o644},
		{"broker.key", key, 0o600},
	}, nil
}

func mosquittoACL(chain string) string {
	var text strings.Builder
	text.WriteString("# Headquarters, as many as share the work, read what stores send, and answer.\n")
	for n := range store.MaxInstances {
		fmt.Fprintf(&text, mosquittoHQ, badge.InstanceName(n+1), chain)
	}
	return text.String() + fmt.Sprintf(mosquittoRules, chain)
}
