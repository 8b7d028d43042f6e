package nats

import (
	"encoding/json"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/wasmill/wasmill/connectors/config"
	"github.com/wasmill/wasmill/engine/fault"
)

// sinkConfig is what stands below `output: jetstream:`.
type sinkConfig struct {
	Subject string            `json:"subject" config:"required,main"`
	Headers map[string]string `json:"headers"`
	Stream  string            `json:"stream"`
	Create  bool              `json:"create"`
	Storage string            `json:"storage"`
	// PerSubject is the most messages that a stream made by create keeps of each subject, the newest; 0 keeps all.
	PerSubject int64 `json:"per_subject"`
	// MaxPending is the most messages published and not acknowledged.
	MaxPending int `json:"max_pending"`
	// RowsPerMessage is the most rows of one message, for formats that write many rows at once; 0 means 1000.
	RowsPerMessage int `json:"rows_per_message"`

	subject template
	headers []header // by name
}

type header struct {
	name  string
	value template
}

func parseSink(raw json.RawMessage) (*sinkConfig, error) {
	c := &sinkConfig{MaxPending: 4000}
	var faults fault.List
	faults.Append(config.Decode(raw, c))
	if c.Subject != "" {
		c.subject = checkTemplate(&faults, "subject", c.Subject)
		if filter := c.subject.filter(); c.subject.wild() {
			faults.Add(fault.Usage, "subject", "`%s` has a wildcard: messages are published to one subject each", c.Subject).
				Hint = "put a column's value in a subject with `{column}`"
		} else if err := checkFilter(filter); err != nil && len(c.subject.parts) > 0 {
			faults.Add(fault.Usage, "subject", "%v", err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		where, value := "headers."+name, c.Headers[name]
		if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' }) {
			faults.Add(fault.Usage, where, "`%s` cannot be a header's name", name)
		}
		c.headers = append(c.headers, header{name, checkTemplate(&faults, where, value)})
	}
	sort.Slice(c.headers, func(i, j int) bool { return c.headers[i].name < c.headers[j].name })
	if c.Stream != "" {
		checkStreamName(&faults, c.Stream)
	}
	oneOf(&faults, "storage", c.Storage, "file", "memory")
	if c.Create && c.Stream == "" {
		faults.Add(fault.Usage, "create", "a stream can only be created with `stream`")
	}
	if !c.Create && c.Storage != "" {
		faults.Add(fault.Usage, "storage", "`storage` is for `create: true`")
	}
	if c.PerSubject < 0 || !c.Create && c.PerSubject > 0 {
		faults.Add(fault.Usage, "per_subject", "`per_subject` is a number of messages, with `create: true`")
	}
	if c.MaxPending < 1 || c.MaxPending > 1<<20 {
		faults.Add(fault.Usage, "max_pending", "expected 1 to %d, got %d", 1<<20, c.MaxPending)
	}
	if c.RowsPerMessage < 0 {
		faults.Add(fault.Usage, "rows_per_message", "expected 1 or more, got %d", c.RowsPerMessage)
	}
	return c, faults.Err()
}

func checkTemplate(faults *fault.List, where, text string) template {
	t, err := parseTemplate(text)
	if err != nil {
		faults.Add(fault.Usage, where, "%v", err).Hint = "a column's value is `{column}`, a brace `{{` or `}}`"
		return template{}
	}
	return t
}
