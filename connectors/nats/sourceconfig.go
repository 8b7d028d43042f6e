package nats

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/wasmill/wasmill/connectors/config"
	"github.com/wasmill/wasmill/engine/fault"
)

// sourceConfig is what stands below `input: jetstream:`.
type sourceConfig struct {
	Stream   string   `json:"stream" config:"required,main"`
	Subjects []string `json:"subjects"`
	From     from     `json:"from"`
	Until    string   `json:"until"`
	Durable  string   `json:"durable"`
	// Gaps says what to do when messages behind the position were removed before they were read: "fail" or "accept".
	Gaps    string `json:"gaps"`
	Create  bool   `json:"create"`
	Storage string `json:"storage"`
}

// from is where to start when there is no position yet.
type from struct {
	kind     string // "start", "new", "sequence", "time"
	sequence uint64
	time     time.Time
}

// UnmarshalJSON reads "start", "new", {"sequence": N} or {"time": RFC 3339}.
func (f *from) UnmarshalJSON(b []byte) error {
	wrong := fmt.Errorf("expected `start`, `new`, `{sequence: N}` or `{time: 2026-01-31T00:00:00Z}`, got %s", b)
	var word string
	if json.Unmarshal(b, &word) == nil {
		if word != "start" && word != "new" {
			return wrong
		}
		f.kind = word
		return nil
	}
	var o map[string]json.RawMessage
	if json.Unmarshal(b, &o) != nil || len(o) != 1 {
		return wrong
	}
	switch {
	case o["sequence"] != nil:
		if json.Unmarshal(o["sequence"], &f.sequence) != nil || f.sequence == 0 {
			return fmt.Errorf("expected a sequence from 1, got %s", o["sequence"])
		}
		f.kind = "sequence"
	case o["time"] != nil:
		if json.Unmarshal(o["time"], &f.time) != nil {
			return fmt.Errorf("expected a time such as 2026-01-31T00:00:00Z, got %s", o["time"])
		}
		f.kind = "time"
	default:
		return wrong
	}
	return nil
}

func parseSource(raw json.RawMessage) (*sourceConfig, error) {
	c := &sourceConfig{From: from{kind: "start"}, Gaps: "fail"}
	var faults fault.List
	faults.Append(config.Decode(raw, c))
	if c.Stream != "" {
		checkStreamName(&faults, c.Stream)
	}
	for i, s := range c.Subjects {
		where := fmt.Sprintf("subjects[%d]", i)
		if err := checkFilter(s); err != nil {
			faults.Add(fault.Usage, where, "%v", err)
			continue
		}
		for j, t := range c.Subjects[:i] {
			if overlap(s, t) {
				faults.Add(fault.Usage, where, "`%s` overlaps subjects[%d], `%s`: messages would be read twice", s, j, t)
			}
		}
	}
	oneOf(&faults, "until", c.Until, "end")
	oneOf(&faults, "gaps", c.Gaps, "fail", "accept")
	oneOf(&faults, "storage", c.Storage, "file", "memory")
	if c.Durable != "" && c.Durable != safeName(c.Durable) {
		faults.Add(fault.Usage, "durable", "`%s` cannot be a consumer's name", c.Durable).Hint = "use letters, digits, `-` and `_`"
	}
	if c.Create && len(c.Subjects) == 0 {
		faults.Add(fault.Usage, "create", "a stream can only be created with `subjects`")
	}
	if !c.Create && c.Storage != "" {
		faults.Add(fault.Usage, "storage", "`storage` is for `create: true`")
	}
	if len(c.Subjects) == 0 {
		c.Subjects = []string{">"}
	}
	return c, faults.Err()
}

func checkStreamName(faults *fault.List, name string) {
	if name != safeName(name) {
		faults.Add(fault.Usage, "stream", "`%s` cannot be a stream's name", name).Hint = "use letters, digits, `-` and `_`"
	}
}

func oneOf(faults *fault.List, where, got string, words ...string) {
	if got == "" {
		return
	}
	for _, w := range words {
		if got == w {
			return
		}
	}
	what := "`" + words[0] + "`"
	if len(words) == 2 {
		what += " or `" + words[1] + "`"
	}
	faults.Add(fault.Usage, where, "expected %s, got %q", what, got).Hint = func() string {
		if s := fault.Suggest(got, words); s != "" {
			return "did you mean `" + s + "`?"
		}
		return ""
	}()
}
