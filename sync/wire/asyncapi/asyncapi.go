// Package asyncapi is the description of what travels between stores and headquarters, for programs: an AsyncAPI 3.0 document made
// from the Go types and topics of sync/wire, and an OpenAPI 3.1 document of the events for integrators.
//
// In: nothing but those types. Out: YAML. sync/wire/asyncapi.yaml and openapi.yaml beside it are copies, which a test holds against
// what is made here.
// It never describes what is not on the wire, and never is on the wire itself.
// Called by cmd/foyer-hq, which prints both.
package asyncapi

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"foyer/sync/wire"
)

// Channel is one topic, or one kind of topics.
type Channel struct {
	Name     string
	Rest     string // of the topic, behind the store
	ToStore  bool
	Retained bool
	Sealed   bool // wire.Seal: the payload is what is within the envelope
	Binary   string
	Payload  any // a value of its type; nil: bytes, as Binary says
	Says     string
}

// Channels lists all that travels, from the store's point of view.
var Channels = []Channel{
	{Name: "batch", Rest: "up/{lane}", Payload: wire.Batch{}, Says: "Records of one lane with contiguous numbers. Version 1 is JSON; version 2 is the byte 2, the number of a dictionary, the unpacked length as an unsigned varint, then DEFLATE (RFC 1951) with that dictionary of lines of JSON: the batch without its records, then each record."},
	{Name: "ack", Rest: "ack", ToStore: true, Payload: wire.Ack{}, Says: "Headquarters has stored all records of an epoch and lane up to a number."},
	{Name: "state", Rest: "state", Retained: true, Payload: wire.State{}, Says: "The store's word on its line and its memory; the will says offline."},
	{Name: "members", Rest: "down/" + wire.Members, ToStore: true, Retained: true, Sealed: true, Payload: wire.MembersBody{}, Says: "All members, for stores that take no changes."},
	{Name: "membersHead", Rest: "down/" + wire.MembersHead, ToStore: true, Retained: true, Sealed: true, Payload: wire.HeadBody{}, Says: "Which members are the newest, by their digest, and how long a store may keep them."},
	{Name: "membersDelta", Rest: "down/" + wire.MembersDelta, ToStore: true, Sealed: true, Payload: wire.DeltaBody{}, Says: "A change that leads to the newest members."},
	{Name: "membersWhole", Rest: "down/" + wire.MembersWhole, ToStore: true, Sealed: true, Payload: wire.MembersBody{}, Says: "All members, on demand."},
	{Name: "campaigns", Rest: "down/" + wire.Campaigns, ToStore: true, Retained: true, Sealed: true, Payload: wire.CampaignsBody{}, Says: "All campaigns that are live."},
	{Name: "packs", Rest: "down/" + wire.Packs, ToStore: true, Retained: true, Sealed: true, Payload: wire.PacksBody{}, Says: "Releases of content packs, and who is to have them."},
	{Name: "erasures", Rest: "down/" + wire.Erasures, ToStore: true, Retained: true, Sealed: true, Payload: wire.ErasuresBody{}, Says: "Who was erased, as salted hashes of their pseudonyms."},
	{Name: "known", Rest: "down/" + wire.Known, ToStore: true, Retained: true, Sealed: true, Payload: wire.KnownBody{}, Says: "Digests of the filter of known tags, and of the list of those that came since."},
	{Name: "member", Rest: "down/" + wire.MemberTopic, ToStore: true, Sealed: true, Payload: wire.MemberBody{}, Says: "Whose a tag is: for one store and one question."},
	{Name: "command", Rest: "down/" + wire.Commands, ToStore: true, Sealed: true, Payload: wire.Command{}, Says: "Something that one store is to do, once and not after its expiry. The record command.done answers it."},
	{Name: "chunk", Rest: "down/" + wire.ChunkTopic, ToStore: true, Binary: chunkSays, Says: "A part of a file of a pack."},
	{Name: "knownPart", Rest: "down/" + wire.KnownParts, ToStore: true, Binary: chunkSays, Says: "A part of the filter or the list of known tags."},
	{Name: "resultTaken", Rest: "down/" + wire.ResultTopic, ToStore: true, Payload: wire.ResultTaken{}, Says: "How much of a command's result headquarters has."},
	{Name: "membersAsk", Rest: "ask/" + wire.Members, Payload: wire.MembersAsk{}, Says: "Which members the store has, where they are not the newest."},
	{Name: "chunkAsk", Rest: "ask/" + wire.ChunkTopic, Payload: wire.ChunkAsk{}, Says: "Asks for a part of a file."},
	{Name: "memberAsk", Rest: "ask/" + wire.MemberTopic, Payload: wire.MemberAsk{}, Says: "Asks whose a tag is that is none of a regular's."},
	{Name: "knownPartAsk", Rest: "ask/" + wire.KnownParts, Payload: wire.ChunkAsk{}, Says: "Asks for a part of the filter or the list."},
	{Name: "resultPart", Rest: "ask/" + wire.ResultTopic, Payload: wire.ResultPart{}, Says: "A part of a file that a command brings."},
}

// chunkSays is what a part of a file looks like.
const chunkSays = "FYCH, format 1, SHA-256 of the file (32 bytes), offset and size of the file (8 bytes each, big-endian; a size of -1: there is no such file), then the bytes."

// sealedSays is said of every sealed payload.
const sealedSays = " Sealed: FYSN, format 1, key id (8 bytes), Ed25519 signature over these and all that follows it (64 bytes), then the gzipped JSON of the snapshot."

// Document is the AsyncAPI document.
func Document() ([]byte, error) {
	d := &drawer{Schema{}}
	channels, operations, messages := Schema{}, Schema{}, Schema{}
	for _, c := range Channels {
		payload := d.payload(c)
		says, kind := c.Says, "application/json"
		if c.Sealed {
			says, kind = says+sealedSays, "application/vnd.foyer.sealed"
		}
		if c.Payload == nil {
			kind = "application/octet-stream"
		}
		messages[c.Name] = Schema{"name": c.Name, "contentType": kind, "summary": c.Says, "description": says, "payload": payload}
		channels[c.Name] = Schema{"address": "edge/v1/{chain}/{store}/" + c.Rest, "description": c.Says, "parameters": parameters(c.Rest),
			"messages": Schema{c.Name: Schema{"$ref": "#/components/messages/" + c.Name}}}
		operations[operation(c)] = Schema{"action": action(c), "channel": Schema{"$ref": "#/channels/" + c.Name}, "summary": c.Says,
			"bindings": Schema{"mqtt": Schema{"qos": 1, "retain": c.Retained, "bindingVersion": "0.2.0"}}}
	}
	for kind, body := range wire.Bodies() {
		d.schemas["record."+string(kind)] = record(kind, d.of(reflect.TypeOf(body).Elem()))
	}
	d.of(reflect.TypeFor[wire.Record]())
	d.of(reflect.TypeFor[wire.CloudEvent]())
	return write(Schema{
		"asyncapi": "3.0.0",
		"info": Schema{"title": "Foyer between stores and headquarters", "version": fmt.Sprintf("%d.%d.0", wire.Version, wire.Schema),
			"description": "What a store publishes and reads at its broker, from the store's point of view. A record is in no channel by itself: it is an item of a batch; its kinds are the schemas record.*.",
			"license":     Schema{"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"}},
		"defaultContentType": "application/json",
		"servers": Schema{"headquarters": Schema{"host": "hq.example.net:8883", "protocol": "secure-mqtt", "protocolVersion": "3.1.1",
			"description": "TLS with the store's badge; the common name of its certificate is the store's, and topic rules keep it to its own branch.",
			"security":    []any{Schema{"type": "X509"}}}},
		"channels": channels, "operations": operations,
		"components": Schema{"messages": messages, "schemas": d.schemas},
	})
}

// payload is what is on the channel; within the envelope where it is sealed.
func (d *drawer) payload(c Channel) Schema {
	if c.Payload == nil {
		return Schema{"type": "string", "format": "binary", "description": c.Binary}
	}
	body := d.of(reflect.TypeOf(c.Payload))
	if !c.Sealed {
		return body
	}
	whole := d.of(reflect.TypeFor[wire.Snapshot]())
	return Schema{"allOf": []any{whole, Schema{"type": "object", "properties": Schema{"body": body}}}}
}

func record(kind wire.Kind, body Schema) Schema {
	return Schema{"type": "object", "description": "Travels in lane " + wire.LaneOf(kind) + ".", "required": []any{"k", "at", "b"},
		"properties": Schema{"k": Schema{"type": "string", "const": string(kind)}, "at": Schema{"type": "string", "format": "date-time"}, "b": body}}
}

func parameters(rest string) Schema {
	out := Schema{"chain": Schema{"description": "The chain's name: lower-case letters, digits, dashes."}, "store": Schema{"description": "The store's name, likewise."}}
	if strings.Contains(rest, "{lane}") {
		lanes := []any{}
		for _, l := range wire.Lanes {
			lanes = append(lanes, l)
		}
		out["lane"] = Schema{"description": "The log that the records are of.", "enum": lanes}
	}
	return out
}

func action(c Channel) string {
	if c.ToStore {
		return "receive"
	}
	return "send"
}

func operation(c Channel) string {
	return action(c) + strings.ToUpper(c.Name[:1]) + c.Name[1:]
}

// SchemaOf is the schema of a record's kind, or of any struct of the document, alone: with all that it refers to.
func SchemaOf(name string) (map[string]any, error) {
	text, err := Document()
	if err != nil {
		return nil, err
	}
	var doc map[string]any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	components := doc["components"].(map[string]any)
	schemas := components["schemas"].(map[string]any)
	if schemas[name] == nil {
		return nil, fmt.Errorf("there is no schema %q: want one of %v", name, slices.Sorted(maps.Keys(schemas)))
	}
	return map[string]any{"$schema": "http://json-schema.org/draft-07/schema#", "$ref": schemaRoot + name, "components": map[string]any{"schemas": schemas}}, nil
}

func write(doc Schema) ([]byte, error) {
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(doc); err != nil {
		return nil, fmt.Errorf("write the document: %w", err)
	}
	return b.Bytes(), e.Close()
}
