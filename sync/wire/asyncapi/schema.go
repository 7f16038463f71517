package asyncapi

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

// Schema is a JSON Schema (draft 7, which AsyncAPI 3 takes) or another object of a document.
type Schema = map[string]any

var (
	rawType    = reflect.TypeFor[json.RawMessage]()
	timeType   = reflect.TypeFor[time.Time]()
	textType   = reflect.TypeFor[encoding.TextMarshaler]()
	jsonType   = reflect.TypeFor[json.Marshaler]()
	bytesType  = reflect.TypeFor[[]byte]()
	schemaRoot = "#/components/schemas/"
)

// drawer collects schemas by the names of their types.
type drawer struct{ schemas map[string]any }

// of is the schema of a Go type as encoding/json writes it; structs are put into the drawer and referred to.
func (d *drawer) of(t reflect.Type) Schema {
	switch {
	case t == rawType:
		return Schema{}
	case t == timeType:
		return Schema{"type": "string", "format": "date-time"}
	case t == bytesType:
		return Schema{"type": "string", "contentEncoding": "base64"}
	case t.Implements(jsonType):
		return Schema{}
	case t.Implements(textType):
		return Schema{"type": "string"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return d.of(t.Elem())
	case reflect.Bool:
		return Schema{"type": "boolean"}
	case reflect.String:
		return Schema{"type": "string"}
	case reflect.Float32, reflect.Float64:
		return Schema{"type": "number"}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return Schema{"type": "integer", "minimum": 0}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return Schema{"type": "integer"}
	case reflect.Slice:
		return Schema{"type": []any{"array", "null"}, "items": d.of(t.Elem())}
	case reflect.Array:
		return Schema{"type": "array", "items": d.of(t.Elem()), "minItems": t.Len(), "maxItems": t.Len()}
	case reflect.Map:
		return Schema{"type": []any{"object", "null"}, "additionalProperties": d.of(t.Elem())}
	case reflect.Struct:
		return d.object(t)
	}
	return Schema{}
}

// object draws a struct once and refers to it. What is not in it may be there: a newer sender may add something.
func (d *drawer) object(t reflect.Type) Schema {
	name := t.Name()
	if _, there := d.schemas[name]; !there {
		s := Schema{"type": "object"}
		d.schemas[name] = s // before its fields, which may be of its own type
		properties, required := Schema{}, []any{}
		d.fields(t, properties, &required)
		if s["properties"] = properties; len(required) > 0 {
			s["required"] = required
		}
	}
	return Schema{"$ref": schemaRoot + name}
}

func (d *drawer) fields(t reflect.Type, properties Schema, required *[]any) {
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported():
			continue
		case f.Anonymous && name == "":
			d.fields(f.Type, properties, required)
			continue
		case name == "":
			name = f.Name
		}
		properties[name] = d.of(f.Type)
		if !strings.Contains(options, "omit") {
			*required = append(*required, name)
		}
	}
}
