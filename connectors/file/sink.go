package file

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/config"
	"github.com/wasmill/wasmill/engine/fault"
)

type sinkConfig struct {
	// Path is the file. With several tasks, each writes one of its own: out-0001.ndjson.
	Path string `json:"path" config:"required,main"`
	// Append keeps what the file has at a new start; else it is emptied.
	Append bool `json:"append"`
}

type sink struct{ config sinkConfig }

var _ connectors.Sink = (*sink)(nil)

func newSink(raw json.RawMessage) (connectors.Sink, error) {
	s := &sink{}
	if err := config.Decode(raw, &s.config); err != nil {
		return nil, err
	}
	if s.config.Path == "" || strings.HasSuffix(s.config.Path, "/") {
		return nil, fault.New(fault.Usage, "%q is not the path of a file", s.config.Path).At("path")
	}
	return s, nil
}

// DefaultFormat implements [connectors.Sink].
func (s *sink) DefaultFormat() string { return formatOf(s.config.Path) }

// Check implements [connectors.Sink]: any columns will do.
func (*sink) Check([]string) error { return nil }

// Open implements [connectors.Sink].
func (s *sink) Open(_ context.Context, job connectors.Job, task, tasks int, encoder codec.Encoder, position json.RawMessage) (connectors.Writer, error) {
	return newWriter(taskPath(in(job.Dir, s.config.Path), task, tasks), s.config.Append, encoder, position)
}
