package badge

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"

	"foyer/sync/wire"
)

// Whatever comes from the other side gives a value that passes its check, or an error.
func FuzzMessages(f *testing.F) {
	f.Add([]byte(`{"v":1,"chain":"harbour","store":"north","code":"ABC","csr":"AAAA","time":"2026-09-30T10:00:00Z"}`))
	f.Add([]byte(`{"time":"2026-09-30T10:00:00Z","signing_keys":"foyer-ed25519-public 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n","broker":"tls://hq:8883","gate":"hq:8444"}`))
	f.Add([]byte(`{"v":1,"chain":"harbour","store":"north","certificate":"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n","authority":""}`))
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := DecodeRequest(data); err == nil && (wire.Place{Chain: r.Chain, Store: r.Store}).Check() != nil {
			t.Errorf("a request for %q %q passes", r.Chain, r.Store)
		}
		if n, err := DecodeNews(data); err == nil {
			if keys, err := n.Keys(); err != nil || len(keys) == 0 {
				t.Errorf("news without keys pass: %v", err)
			}
		}
		if _, _, err := DecodeGrant(data, wire.Place{Chain: "harbour", Store: "north"}, key); err == nil {
			t.Error("a grant for a key that nobody signed passes")
		}
		if r := decodeRefusal(500, data); r.Word == "" || len(r.Detail) > 1000 {
			t.Errorf("a refusal without a word, or too long: %+v", r)
		}
		if all, err := ParseCertificates(string(data)); err == nil && len(all) == 0 {
			t.Error("no certificate, no error")
		}
	})
}
