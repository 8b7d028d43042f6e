// Package stdio reads events from standard input and writes them to standard output.
package stdio

import (
	"context"
	"encoding/json"
	"io"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/config"
)

// Stdin returns the connector `stdin` over a reader, which is the process's standard input outside of tests. Input that was
// read cannot be read again: after a crash a job goes on with what comes then.
func Stdin(in io.Reader) connectors.Connector {
	return connectors.Connector{
		Name: "stdin",
		Doc:  "Standard input, a record a line.",
		NewSource: func(raw json.RawMessage) (connectors.Source, error) {
			return &source{in: in}, config.Decode(raw, &struct{}{})
		},
	}
}

// Stdout returns the connector `stdout` over a writer.
func Stdout(out io.Writer) connectors.Connector {
	return connectors.Connector{
		Name: "stdout",
		Doc:  "Standard output, a record a line. What a batch gives is written at once.",
		NewSink: func(raw json.RawMessage) (connectors.Sink, error) {
			return &sink{out: out}, config.Decode(raw, &struct{}{})
		},
	}
}

const defaultFormat = "json"

type source struct{ in io.Reader }

var _ connectors.Source = (*source)(nil)

// DefaultFormat implements [connectors.Source].
func (*source) DefaultFormat() string { return defaultFormat }

// Splits implements [connectors.Source].
func (*source) Splits(context.Context, connectors.Job) ([]string, error) {
	return []string{"stdin"}, nil
}

// Open implements [connectors.Source]. A reader that is closed in the middle of the input leaves behind a goroutine that
// waits for the next bytes: there is no other way to give up a read of a terminal.
func (s *source) Open(_ context.Context, job connectors.Job, _ []connectors.Split) (connectors.Reader, error) {
	return newReader(s.in, job.Cut), nil
}

type sink struct{ out io.Writer }

var _ connectors.Sink = (*sink)(nil)

// DefaultFormat implements [connectors.Sink].
func (*sink) DefaultFormat() string { return defaultFormat }

// Check implements [connectors.Sink]: any columns will do.
func (*sink) Check([]string) error { return nil }

// Open implements [connectors.Sink].
func (s *sink) Open(_ context.Context, _ connectors.Job, _, _ int, encoder codec.Encoder, _ json.RawMessage) (connectors.Writer, error) {
	return newWriter(s.out, encoder), nil
}
