package asyncapi

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"foyer/sync/wire"
)

var update = flag.Bool("update", false, "write the copies anew instead of comparing")

// The copies in the repository are what the types and topics say.
func TestCopiesAreOfNow(t *testing.T) {
	for path, make := range map[string]func() ([]byte, error){"../asyncapi.yaml": Document, "../openapi.yaml": OpenAPI} {
		want, err := make()
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the types say (%v): go test ./sync/wire/asyncapi -update", path, err)
		}
	}
}

// compile makes a schema that can be tried.
func compile(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	doc, err := SchemaOf(name)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("foyer.json", value); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("foyer.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Each kind of record has a schema, which takes an empty body of its kind and refuses another's.
func TestRecordsHaveSchemas(t *testing.T) {
	for kind, body := range wire.Bodies() {
		s := compile(t, "record."+string(kind))
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		for text, good := range map[string]bool{
			`{"k":"` + string(kind) + `","at":"2026-06-14T12:00:00Z","b":` + string(raw) + `}`: true,
			`{"k":"other","at":"2026-06-14T12:00:00Z","b":` + string(raw) + `}`:                false,
			`{"k":"` + string(kind) + `","at":"2026-06-14T12:00:00Z","b":7}`:                   false,
		} {
			v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Validate(v); (err == nil) != good {
				t.Errorf("%s: %v", text, err)
			}
		}
	}
	if _, err := SchemaOf("Nonsense"); err == nil {
		t.Error("there is a schema of nonsense")
	}
}
