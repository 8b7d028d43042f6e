// Package nats reads events from NATS JetStream and writes results to it.
//
// Streams that keep messages by limits are read by sequence: a position is the sequence of the last message read, it
// lives in the job's state, and the server is told of it only so that lag shows in its tools. Work-queue and interest
// streams, whose server deletes what is acknowledged, are consumed through a durable consumer and acknowledged once
// the job has committed. docs/connectors/jetstream.md is the user's view.
package nats

import (
	"context"
	"encoding/json"

	"github.com/nats-io/nats.go"

	"github.com/wasmill/wasmill/connectors"
)

// Dial returns the connection that a job uses, made with [Connect] or by hand. It is shared: the connector never
// closes it. It is called for each source and sink that opens.
type Dial func(ctx context.Context) (*nats.Conn, error)

// Connector returns the connector `jetstream`.
func Connector(dial Dial) connectors.Connector {
	return connectors.Connector{
		Name: "jetstream",
		Doc:  "Messages of a NATS JetStream stream.",
		NewSource: func(raw json.RawMessage) (connectors.Source, error) {
			c, err := parseSource(raw)
			if err != nil {
				return nil, err
			}
			return &Source{c, dial}, nil
		},
		NewSink: func(raw json.RawMessage) (connectors.Sink, error) {
			c, err := parseSink(raw)
			if err != nil {
				return nil, err
			}
			return &Sink{c, dial}, nil
		},
	}
}
