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
// read cannot be read again: after a crash a job goes on with what comes then. Nothing is read before a source is opened.
func Stdin(in io.Reader) connectors.Connector {
	p := newPump(in)
	return connectors.Connector{
		Name: "stdin",
		Doc:  "Standard input, a record a line.",
		NewSource: func(raw json.RawMessage) (connectors.Source, error) {
			if err := config.Decode(raw, &struct{}{}); err != nil {
				return nil, err
			}
			return &source{pump: p}, nil
		},
	}
}

// Stdout returns the connector `stdout` over a writer.
func Stdout(out io.Writer) connectors.Connector {
	o := &output{out: out}
	return connectors.Connector{
		Name: "stdout",
		Doc:  "Standard output, a record a line. What a batch gives is written at once.",
		NewSink: func(raw json.RawMessage) (connectors.Sink, error) {
			if err := config.Decode(raw, &struct{}{}); err != nil {
				return nil, err
			}
			return &sink{output: o}, nil
		},
	}
}

const defaultFormat = "json"

type source struct{ pump *pump }

var _ connectors.Source = (*source)(nil)

// DefaultFormat implements [connectors.Source].
func (*source) DefaultFormat() string { return defaultFormat }

// Splits implements [connectors.Source].
func (*source) Splits(context.Context, connectors.Job) ([]string, error) {
	return []string{"stdin"}, nil
}

// Open implements [connectors.Source].
func (s *source) Open(_ context.Context, job connectors.Job, splits []connectors.Split) (connectors.Reader, error) {
	return newReader(s.pump, job, splits[0])
}

type sink struct{ output *output }

var _ connectors.Sink = (*sink)(nil)

// DefaultFormat implements [connectors.Sink].
func (*sink) DefaultFormat() string { return defaultFormat }

// Check implements [connectors.Sink]: any columns will do.
func (*sink) Check([]string) error { return nil }

// Open implements [connectors.Sink]. Writers of several tasks write whole batches in turn.
func (s *sink) Open(_ context.Context, _ connectors.Job, _, tasks int, encoder codec.Encoder, _ json.RawMessage) (connectors.Writer, error) {
	return newWriter(s.output, tasks, encoder)
}
