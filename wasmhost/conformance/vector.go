package conformance

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/engine/schema"
)

//go:embed vectors/*.json
var files embed.FS

// Vector is one function bound once and called some times.
type Vector struct {
	// Name is the file's name and the vector's, with "/" between.
	Name     string          `json:"name"`
	Function string          `json:"function"`
	In       []Column        `json:"in"`
	Config   json.RawMessage `json:"config,omitempty"`
	Calls    []Call          `json:"calls"`
	// Optional says that a module without the function is not asked.
	Optional bool `json:"optional,omitempty"`
	// Fuel is the budget of each call, 0 for none.
	Fuel uint64 `json:"fuel,omitempty"`
	// Closing is the line that is logged when the guest is closed after the calls.
	Closing string `json:"closing,omitempty"`
}

// Column is a column of the input; Type is in the grammar of pipelines.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Call is one call: what goes in and what comes out. Rows are arrays of values, see docs/conformance.md.
type Call struct {
	Rows []json.RawMessage `json:"rows"`
	// Keys are the rows' keys, for a keyed_map or a process, and Times the rows' event times, for a process; null for none.
	Keys  []string `json:"keys,omitempty"`
	Times []*int64 `json:"times,omitempty"`
	// Watermark and Now set the clocks of a process before the call.
	Watermark *int64 `json:"watermark,omitempty"`
	Now       *int64 `json:"now,omitempty"`
	// Fire stands for Rows and Keys: timers that fire, such as "event 10 a", each of another key.
	Fire []string `json:"fire,omitempty"`
	// Timers are those that are set behind the call, sorted as text; absent where they are not looked at.
	Timers []string `json:"timers,omitempty"`
	// Sides are the rows of side outputs by tag; of others there are none.
	Sides map[string]Aside `json:"sides,omitempty"`
	// Want are the rows of all steps together.
	Want []json.RawMessage `json:"want"`
	// Counts stand for Want where there would be too much of it: how many rows each input row makes.
	Counts []int `json:"counts,omitempty"`
	// Origins are those of all steps together; absent where rows correspond one to one.
	Origins []int32 `json:"origins,omitempty"`
	// Error is set when the call must fail.
	Error *Failure `json:"error,omitempty"`
}

// Failure is a failed call: the row, and the first line of the text.
type Failure struct {
	Row  int    `json:"row"`
	Text string `json:"text"`
}

// Vectors returns the kit's vectors in the order of their files.
func Vectors() ([]Vector, error) {
	var all []Vector
	paths, err := fs.Glob(files, "vectors/*.json")
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		text, err := files.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var some []Vector
		if err := json.Unmarshal(text, &some); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for i := range some {
			file := strings.TrimSuffix(strings.TrimPrefix(path, "vectors/"), ".json")
			some[i].Name = file + "/" + some[i].Name
		}
		all = append(all, some...)
	}
	return all, nil
}

func (v *Vector) schema() (*arrow.Schema, error) {
	var fields []arrow.Field
	for _, c := range v.In {
		f, err := schema.ParseField(c.Name, c.Type)
		if err != nil {
			return nil, err
		}
		fields = append(fields, f)
	}
	return arrow.NewSchema(fields, nil), nil
}
