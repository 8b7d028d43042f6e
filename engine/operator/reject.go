package operator

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/schema"
)

// Rejects takes what a policy of dead_letter sets aside. It may be called from several tasks at once.
type Rejects interface {
	// Reject keeps the data of a record or row that failed at a node, and why.
	Reject(node string, why *fault.Fault, data []byte) error
}

// Policy applies a node's on_error: it returns the fault under fail, counts under skip, and sets aside under dead_letter.
type Policy struct {
	Node    string
	Policy  plan.Policy
	Rejects Rejects
	Stats   *Stats
	// Log gets the first three faults of the node's task, then the 10th, 20th, 30th, 100th and so on; nil for none.
	Log *slog.Logger
}

// Fails reports whether the policy ends the job.
func (p *Policy) Fails() bool { return p.Policy == plan.Fail || p.Policy == "" }

// Apply deals with data that failed.
func (p *Policy) Apply(why *fault.Fault, data []byte) error {
	if p.Fails() {
		return why
	}
	if n := p.Stats.Rejected.Add(1); p.Log != nil && worthTelling(n) {
		p.Log.Warn("rejected: "+why.What, "node", p.Node, "policy", string(p.Policy), "count", n, "where", why.Where, "detail", why.Detail)
	}
	if p.Policy == plan.SetAway {
		return p.Rejects.Reject(p.Node, why, data)
	}
	return nil
}

// worthTelling says which of many rejected rows the log tells of.
func worthTelling(n uint64) bool {
	for ; n >= 10 && n%10 == 0; n /= 10 {
	}
	return n <= 3
}

// RowText writes a row as one JSON object, and a document as it stands, for people: in faults and dead letters.
func RowText(rec arrow.Record, row int) []byte {
	if schema.IsDocument(rec.Schema()) && rec.Column(0).IsValid(row) {
		return []byte(rec.Column(0).(*array.String).Value(row))
	}
	one := rec.NewSlice(int64(row), int64(row)+1)
	defer one.Release()
	var b bytes.Buffer
	if err := array.RecordToJSON(one, &b); err == nil {
		return bytes.TrimSpace(b.Bytes())
	}
	b.Reset() // values that JSON does not have, such as NaN
	for i, c := range one.Columns() {
		fmt.Fprintf(&b, "%s=%s ", one.ColumnName(i), c.ValueStr(0))
	}
	return bytes.TrimSpace(b.Bytes())
}

// WithoutRow returns a fault's detail up to the row, which is its last part.
func WithoutRow(detail string) string {
	if strings.HasPrefix(detail, "row: ") {
		return ""
	}
	if at := strings.LastIndex(detail, "\nrow: "); at >= 0 {
		return detail[:at]
	}
	return detail
}

const maxRowText = 1000

// withRow adds the row to what a fault shows, unless the guest has shown it already, as its function saw it.
func withRow(f *fault.Fault, text []byte) *fault.Fault {
	if WithoutRow(f.Detail) != f.Detail {
		return f
	}
	if len(text) > maxRowText {
		text = append(append([]byte(nil), text[:maxRowText]...), "..."...)
	}
	row := "row: " + strings.ToValidUTF8(string(text), "�")
	if f.Detail != "" {
		row = f.Detail + "\n" + row
	}
	return f.WithDetail(row)
}
