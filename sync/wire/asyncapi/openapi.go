package asyncapi

import (
	"reflect"

	"foyer/sync/wire"
)

// OpenAPI is the document of the pull for integrators.
func OpenAPI() ([]byte, error) {
	d := &drawer{Schema{}}
	event := d.of(reflect.TypeFor[wire.CloudEvent]())
	query := func(name, says string, schema Schema) Schema {
		return Schema{"name": name, "in": "query", "description": says, "schema": schema}
	}
	problem := func(says string) Schema { return Schema{"description": says} }
	cursor := Schema{"Foyer-Cursor": Schema{"description": "after of the next question", "schema": Schema{"type": "string"}}}
	return write(Schema{
		"openapi": "3.1.0",
		"info": Schema{"title": "Foyer's events for integrators", "version": "1.0.0",
			"description": "Everything that headquarters has stored, as CloudEvents 1.0, in one order that never changes. Whoever keeps the cursor misses nothing and gets nothing twice.",
			"license":     Schema{"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"}},
		"servers":  []any{Schema{"url": "https://hq.example.net"}},
		"security": []any{Schema{"token": []any{}}},
		"paths": Schema{"/v1/events": Schema{"get": Schema{
			"operationId": "events", "summary": "Events after a cursor",
			"parameters": []any{
				query("after", "A Foyer-Cursor, now, or nothing for the very first event", Schema{"type": "string"}),
				query("limit", "Events at most", Schema{"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}),
				query("wait", "Hold an empty answer back for so long, as 30s", Schema{"type": "string", "default": "0s"}),
			},
			"responses": Schema{
				"200": Schema{"description": "Events, oldest first", "headers": cursor, "content": Schema{
					wire.CloudEventBatchType: Schema{"schema": Schema{"type": "array", "items": event}},
					wire.CloudEventType:      Schema{"schema": event},
					"text/event-stream":      Schema{"schema": Schema{"type": "string", "description": "Server-Sent Events: id is a cursor, event the type, data one event"}},
				}},
				"204": Schema{"description": "In structured mode: there is none", "headers": cursor},
				"400": problem("The question is wrong; detail says what to do"),
				"401": problem("Not with this token"),
				"410": problem("This headquarters did not give the cursor, or was restored from a backup since: begin again, and pass over the ids that you have"),
			},
		}}},
		"components": Schema{"schemas": d.schemas, "securitySchemes": Schema{"token": Schema{"type": "http", "scheme": "bearer"}}},
	})
}
