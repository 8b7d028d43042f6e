// Package connectors holds the contracts of sources and sinks, which a folder each below implements.
//
// A connector moves bytes, positions and acknowledgements; what the bytes mean is the business of connectors/codec.
package connectors

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/engine/stream"
)

// Connector is a kind of source, of sink, or both. cmd/wasmill/wire.go lists them all.
type Connector struct {
	// Name is what stands in a pipeline: `input: {NAME: ...}`.
	Name string
	// Doc is one sentence for `wasmill` help and docs.
	Doc string
	// NewSource checks a configuration without touching the outside. Nil: not a source. Faults carry the path of the
	// field as Where ("subjects[1]"), which front ends turn into a position.
	NewSource func(config json.RawMessage) (Source, error)
	// NewSink likewise.
	NewSink func(config json.RawMessage) (Sink, error)
	// NewLookup likewise.
	NewLookup func(config json.RawMessage) (Lookup, error)
}

// Job is what a connector may know of the job that it works for.
type Job struct {
	// Name is the job's name: durable consumers and the like are called after it.
	Name string
	// Node is the id of the source or sink in the plan.
	Node string
	// Dir is what relative paths are relative to.
	Dir string
	// Cut returns how many bytes at the beginning of data are whole records of a source's format, so that an input can be
	// handed on in pieces; nil where the format only knows whole inputs.
	Cut func(data []byte) int
	// Rows returns how many rows a file of a source's format has, where the format has an index; else nil. See codec.Format.
	Rows func(in io.ReaderAt, size int64) (int64, error)
	// Piece is the most rows of a message, where the format has an index; 0 for stream.MaxRows.
	Piece int
	Log   *slog.Logger
}

// Source is an input.
type Source interface {
	// Splits returns the units of parallelism, each with its own position and watermark: subject filters, files.
	// Faults of code Connect are worth another try.
	Splits(ctx context.Context, job Job) ([]string, error)
	// Open starts reading the splits given from their positions; a nil position means the configured start.
	Open(ctx context.Context, job Job, splits []Split) (Reader, error)
	// DefaultFormat names the codec for an input that does not say, by the file's name or the connector's habit.
	DefaultFormat() string
}

// Split is a unit of parallelism of a source.
type Split struct {
	// ID is stable from run to run and unique within the source.
	ID string
	// Position is where to go on, as a Reader's Positions gave it; nil means the configured start.
	Position json.RawMessage
}

// Reader reads splits. One goroutine calls it, except for Committed.
type Reader interface {
	// Next waits until there is at least one message, the context ends or wake is ready, and returns what is there
	// without waiting for more: at most max messages. On wake it returns none and no error; at the end of a bounded input io.EOF.
	// Messages and their data are valid until the next call of Next.
	Next(ctx context.Context, wake <-chan struct{}, max int) ([]Message, error)
	// Positions returns, by split, where to go on behind all messages that Next has returned.
	Positions() (map[string]json.RawMessage, error)
	// Committed says that all up to the positions is processed and durable, so the source may acknowledge it outside.
	// An error of code Connect is reported and tried again with the next epoch.
	Committed(ctx context.Context, positions map[string]json.RawMessage) error
	Close() error
}

// Sized is a Reader of a bounded input that knows how far it is, for progress.
type Sized interface {
	// Progress returns bytes read and bytes in all; all is 0 when unknown. May be called from any goroutine.
	Progress() (read, all int64)
}

// Marker is a Reader that knows how far event time has come, beside what the rows say of it.
type Marker interface {
	// Watermark returns, for a split by its index, the time that no row is at or before any more, [stream.MinWatermark] when it
	// does not know. It is asked behind each Next, for what Next has returned so far.
	Watermark(split int) stream.Watermark
}

// Message is one unit of input: a JetStream message, a block of whole lines of a file.
type Message struct {
	Data []byte
	// Split is the index in the splits that the Reader was opened with.
	Split int
	// Time is the broker's time of the message in milliseconds since 1970 UTC, or [stream.NoTime].
	Time int64
	// Subject is where it came from: a subject, a file's path.
	Subject string
	// Sequence is the broker's number of it, or the number of its first line.
	Sequence uint64
	// Header returns a header's first value, or ""; nil when there are no headers.
	Header func(name string) string
	// Start is set on the first message of an input that comes in pieces, such as a file: those that follow are pieces of
	// it until the next Start, so a Reader of several such splits reads them one after another. Head is nil, or where
	// reading goes on in the middle of the input, its first bytes: whole records that fit in a block.
	Start bool
	Head  []byte
	// File is set with Start where pieces are not bytes of the input but numbers of its rows (see codec.RowNumbers): the file that has these
	// rows, of Size bytes, which stays open until the next message with a File is asked for, or the Reader is closed. Sequence is a piece's first row
	// then, from 1.
	File io.ReaderAt
	Size int64
}

// Sink is an output.
type Sink interface {
	// Open starts a writer for one of tasks parallel tasks. Position is what the last committed Flush returned, nil at a new start.
	Open(ctx context.Context, job Job, task, tasks int, encoder codec.Encoder, position json.RawMessage) (Writer, error)
	// DefaultFormat as with Source.
	DefaultFormat() string
	// Check looks at the columns that will arrive: a subject template must name columns that exist.
	Check(columns []string) error
}

// Writer writes batches. One goroutine calls Write and Flush.
type Writer interface {
	// Write consumes a batch: nothing of it is kept when Write returns. It may return before the rows are durable.
	// A row that cannot be encoded gives a *codec.RowError; rows before it are written, rows from it on are not.
	Write(ctx context.Context, b *stream.Batch) error
	// Flush starts to make durable what was written so far, and returns the position behind it and a function that waits
	// for it. The wait function may be called from another goroutine while writing goes on.
	Flush(ctx context.Context) (position json.RawMessage, wait func(context.Context) error, err error)
	Close() error
}
