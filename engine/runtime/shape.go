package runtime

import (
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/stream"
)

// shape makes a source's rows out of decoded records: it adds the columns that describe messages, and finds event times.
type shape struct {
	// out is the schema that the source passes on. Each of its columns is one of the decoder's, by index in decoded, or a
	// metadata column, by its origin: "subject", "sequence", "timestamp", "header:NAME".
	out      *arrow.Schema
	decoded  []int // -1 for a metadata column
	metadata []string
	// timeColumn is the column of event times in a complete record, -1 for the message's time.
	timeColumn int
	// lines says that a message holds a record a line, which places of bad records name.
	lines bool
}

func newShape(n *plan.ResolvedNode) (*shape, error) {
	spec := n.Node.Source
	s := &shape{out: n.Out, timeColumn: -1, lines: n.Source.Format.Lines}
	next := len(n.Source.Decode.Fields())
	at := make(map[string]int) // columns of a complete record
	for i, f := range n.Source.Decode.Fields() {
		at[f.Name] = i
	}
	for _, f := range n.Out.Fields() {
		from, isMetadata := spec.Metadata[f.Name]
		if isMetadata {
			s.decoded = append(s.decoded, -1)
			at[f.Name] = next
			next++
		} else {
			s.decoded = append(s.decoded, at[f.Name])
		}
		s.metadata = append(s.metadata, from)
	}
	if len(spec.Metadata) == 0 {
		s.metadata = nil
	}
	if e := spec.EventTime; e != nil && e.Column != "" {
		column, ok := at[e.Column]
		if !ok {
			return nil, fault.New(fault.Internal, "the column of event times `%s` was pruned", e.Column)
		}
		s.timeColumn = column
	}
	return s, nil
}

// complete adds the columns that describe messages; the caller releases what it returns.
func (s *shape) complete(decoded arrow.Record, tags []tag) (arrow.Record, error) {
	if s.metadata == nil {
		decoded.Retain()
		return decoded, nil
	}
	fields := append([]arrow.Field(nil), decoded.Schema().Fields()...)
	columns := append([]arrow.Array(nil), decoded.Columns()...)
	for i, from := range s.metadata {
		if s.decoded[i] >= 0 {
			continue
		}
		c := metadataColumn(from, tags, int(decoded.NumRows()))
		defer c.Release()
		fields = append(fields, s.out.Field(i))
		columns = append(columns, c)
	}
	return array.NewRecord(arrow.NewSchema(fields, nil), columns, decoded.NumRows()), nil
}

// visible chooses and orders the columns that are passed on; the caller releases what it returns.
func (s *shape) visible(complete arrow.Record) (arrow.Record, error) {
	columns := make([]arrow.Array, len(s.out.Fields()))
	next := int(complete.NumCols())
	for i := len(columns) - 1; i >= 0; i-- {
		at := s.decoded[i]
		if at < 0 {
			next--
			at = next
		}
		columns[i] = complete.Column(at)
		if !arrow.TypeEqual(columns[i].DataType(), s.out.Field(i).Type) {
			return nil, fault.New(fault.Schema, "expected %s, got %s", schema.Format(s.out.Field(i).Type),
				schema.Format(columns[i].DataType())).At("column `%s`", s.out.Field(i).Name)
		}
	}
	return array.NewRecord(s.out, columns, complete.NumRows()), nil
}

func metadataColumn(from string, tags []tag, rows int) arrow.Array {
	each := func(append func(t tag)) {
		row := 0
		for _, t := range tags {
			for ; row < t.end && row < rows; row++ {
				append(t)
			}
		}
	}
	switch from {
	case "sequence":
		b := array.NewUint64Builder(memory.DefaultAllocator)
		defer b.Release()
		each(func(t tag) { b.Append(t.message.Sequence) })
		return b.NewArray()
	case "timestamp":
		b := array.NewTimestampBuilder(memory.DefaultAllocator, &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"})
		defer b.Release()
		each(func(t tag) {
			if t.message.Time == stream.NoTime {
				b.AppendNull()
			} else {
				b.Append(arrow.Timestamp(t.message.Time))
			}
		})
		return b.NewArray()
	}
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	header, isHeader := strings.CutPrefix(from, "header:")
	each(func(t tag) {
		switch {
		case !isHeader:
			b.Append(strings.ToValidUTF8(t.message.Subject, "�"))
		case t.message.Header == nil || t.message.Header(header) == "":
			b.AppendNull()
		default:
			b.Append(strings.ToValidUTF8(t.message.Header(header), "�"))
		}
	})
	return b.NewArray()
}

// times returns the event time of each row in milliseconds; rows whose column is null have none.
func (s *shape) times(rec arrow.Record, tags []tag) ([]int64, error) {
	times := make([]int64, rec.NumRows())
	if s.timeColumn < 0 {
		row := 0
		for _, t := range tags {
			for ; row < t.end && row < len(times); row++ {
				times[row] = t.message.Time
			}
		}
		return times, nil
	}
	return stream.EventTimes(rec.Column(s.timeColumn))
}
