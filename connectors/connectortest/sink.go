package connectortest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
)

// Sink is a sink to test.
type Sink struct {
	// New returns the sink. It is called for each run, as after a crash.
	New func() (connectors.Sink, error)
	Job connectors.Job
	// Read returns what the sink wrote so far.
	Read func() (string, error)
	// Exact says that what was written behind the last Flush is gone after a restart from its position.
	Exact bool
}

// Batch returns a batch of one int64 column `n`. Its rows are written by [Lines].
func Batch(numbers ...int64) *stream.Batch {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(numbers, nil)
	column := b.NewArray()
	defer column.Release()
	schema := arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil)
	return &stream.Batch{Record: array.NewRecord(schema, []arrow.Array{column}, int64(len(numbers)))}
}

// Lines is an encoder of [Batch]'s rows: a line for each number, below a line "n". Negative numbers cannot be written.
type Lines struct{ column *array.Int64 }

var _ codec.RowEncoder = (*Lines)(nil)

// Name implements [codec.Encoder].
func (*Lines) Name() string { return "lines" }

// Bind implements [codec.RowEncoder].
func (l *Lines) Bind(rec arrow.Record) error {
	column, ok := rec.Column(0).(*array.Int64)
	if !ok {
		return fault.New(fault.Encode, "column n: expected int64")
	}
	l.column = column
	return nil
}

// Append implements [codec.RowEncoder].
func (l *Lines) Append(dst []byte, i int) ([]byte, error) {
	n := l.column.Value(i)
	if n < 0 {
		return dst, fault.New(fault.Encode, "column n: %d is negative", n)
	}
	return strconv.AppendInt(dst, n, 10), nil
}

// Header implements [codec.RowEncoder].
func (*Lines) Header() []byte { return []byte("n\n") }

// Lines implements [codec.RowEncoder].
func (*Lines) Lines() bool { return true }

// Run checks the contract of connectors.Sink and Writer.
func (s Sink) Run(t *testing.T) {
	w := s.open(t, nil)
	s.write(t, w, 1, 2, 3)
	p1 := s.flush(t, w)
	s.want(t, "n\n1\n2\n3\n")
	if p := s.flush(t, w); string(p) != string(p1) {
		t.Errorf("nothing was written: position %s, then %s", p1, p)
	}
	b := Batch(4, 5, -6, 7)
	defer b.Release()
	var row *codec.RowError
	err := w.Write(context.Background(), b)
	if !errors.As(err, &row) || row.Row != 2 || fault.CodeOf(err) != fault.Encode {
		t.Fatalf("a row that cannot be encoded: got %v", err)
	}
	p2 := s.flush(t, w)
	s.want(t, "n\n1\n2\n3\n4\n5\n")
	s.write(t, w, 8, 9)
	s.close(t, w) // without a flush
	if !s.Exact {
		return
	}
	w = s.open(t, p2)
	s.write(t, w, 10)
	p3 := s.flush(t, w)
	s.want(t, "n\n1\n2\n3\n4\n5\n10\n")
	many := make([]int64, 0, 50_000)
	var want strings.Builder
	want.WriteString("n\n1\n2\n3\n4\n5\n10\n")
	for i := range int64(50_000) {
		many = append(many, i+1e15)
		fmt.Fprintln(&want, i+1e15)
	}
	for range 3 { // more than is collected before it is written
		s.write(t, w, many...)
	}
	s.close(t, w)
	w = s.open(t, p3)
	s.write(t, w, many...)
	s.flush(t, w)
	s.want(t, want.String())
	s.close(t, w)
	w = s.open(t, p1) // as if the commits behind it had not come about
	s.flush(t, w)
	s.want(t, "n\n1\n2\n3\n")
	s.close(t, w)
}

func (s Sink) open(t *testing.T, position json.RawMessage) connectors.Writer {
	t.Helper()
	sink, err := s.New()
	if err != nil {
		t.Fatal(err)
	}
	if err := sink.Check([]string{"n"}); err != nil {
		t.Fatal(err)
	}
	if sink.DefaultFormat() == "" {
		t.Error("there is no default format")
	}
	w, err := sink.Open(context.Background(), s.Job, 0, 1, &Lines{}, position)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (s Sink) write(t *testing.T, w connectors.Writer, numbers ...int64) {
	t.Helper()
	b := Batch(numbers...)
	defer b.Release()
	if err := w.Write(context.Background(), b); err != nil {
		t.Fatal(err)
	}
}

func (s Sink) flush(t *testing.T, w connectors.Writer) json.RawMessage {
	t.Helper()
	position, wait, err := w.Flush(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	return position
}

func (s Sink) want(t *testing.T, want string) {
	t.Helper()
	got, err := s.Read()
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Fatalf("got %d bytes %.200q, want %d bytes %.200q", len(got), got, len(want), want)
	}
}

func (s Sink) close(t *testing.T, w connectors.Writer) {
	t.Helper()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}
