// Package generate makes up events: the same ones for the same seed, at a rate that can be set.
package generate

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/config"
	"github.com/wasmill/wasmill/engine/fault"
)

// Connector returns the connector `generate`, a source only.
func Connector() connectors.Connector {
	return connectors.Connector{
		Name:      "generate",
		Doc:       "Made-up events in JSON, the same ones for the same seed, at a rate.",
		NewSource: newSource,
	}
}

type sourceConfig struct {
	// Fields are the columns by name.
	Fields map[string]fieldConfig `json:"fields" config:"required"`
	// Rows is how many there are in all; 0 means without end.
	Rows int64 `json:"rows"`
	// Rate is rows per second in all; 0 means as fast as they are taken.
	Rate float64 `json:"rate"`
	// Seed tells one run of rows from another.
	Seed uint64 `json:"seed"`
	// Splits is the number of splits that take the rows in turn; 0 means 1.
	Splits int `json:"splits"`
}

type source struct {
	config sourceConfig
	rows   *rows
}

var _ connectors.Source = (*source)(nil)

const maxSplits = 1024

func newSource(raw json.RawMessage) (connectors.Source, error) {
	s := &source{}
	if err := config.Decode(raw, &s.config); err != nil {
		return nil, err
	}
	c := &s.config
	if c.Splits == 0 {
		c.Splits = 1
	}
	var faults fault.List
	if c.Rows < 0 || c.Rows > 1e18 {
		faults.Add(fault.Usage, "rows", "expected a number of rows up to 1e18, or 0 for no end, got %d", c.Rows)
	}
	if c.Rate != 0 && (c.Rate < 0.001 || c.Rate > 1e9) {
		faults.Add(fault.Usage, "rate", "expected 0.001 to 1e9 rows per second, or 0 for no limit, got %v", c.Rate)
	}
	if c.Splits < 1 || c.Splits > maxSplits {
		faults.Add(fault.Usage, "splits", "expected 1 to %d, got %d", maxSplits, c.Splits)
	}
	var err error
	s.rows, err = newRows(c.Seed, c.Fields)
	faults.Append(err)
	return s, faults.Err()
}

// DefaultFormat implements [connectors.Source]. Rows are always JSON.
func (*source) DefaultFormat() string { return "json" }

// Splits implements [connectors.Source]: "0", "1" and so on. Of n splits, split i has the rows i, i+n, i+2n.
func (s *source) Splits(context.Context, connectors.Job) ([]string, error) {
	ids := make([]string, s.config.Splits)
	for i := range ids {
		ids[i] = fmt.Sprint(i)
	}
	return ids, nil
}

// position is where to go on in a split. Version 1 of its JSON.
type position struct {
	// Row is the number of the split's next row, counted within the split.
	Row int64 `json:"row"`
}

// Open implements [connectors.Source].
func (s *source) Open(_ context.Context, _ connectors.Job, splits []connectors.Split) (connectors.Reader, error) {
	r := &reader{rows: s.rows, of: int64(s.config.Splits), all: s.config.Rows, perMessage: rowsPerMessage}
	for _, given := range splits {
		var n int64
		if _, err := fmt.Sscan(given.ID, &n); err != nil || n < 0 || n >= r.of {
			return nil, fault.New(fault.State, "there is no split %q of the %d that are configured", given.ID, r.of)
		}
		sp := &split{id: given.ID, n: n}
		if given.Position != nil {
			var p position
			if err := json.Unmarshal(given.Position, &p); err != nil || p.Row < 0 || p.Row > math.MaxInt64/r.of-1 {
				return nil, fault.New(fault.State, "the position of split %s is not one of the generator: %.100s", given.ID, given.Position)
			}
			sp.next = p.Row
		}
		r.splits = append(r.splits, sp)
	}
	if s.config.Rate > 0 {
		r.pace = newPace(s.config.Rate * float64(len(splits)) / float64(r.of))
	}
	return r, nil
}
