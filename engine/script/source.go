package script

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
)

// rangePiece is how many numbers of a range a subtask gets at a time. It is a variable for tests.
var rangePiece int64 = 1024

// source feeds one subtask from one of the plan's sources.
type source struct {
	job   *attempt
	spec  *Source
	index int
	feed  *feed
	// One of both: parts of a range, or a reader.
	spans  []span
	reader connectors.Reader
	opener opener // nil for lines and messages

	barriers chan element // has room for one
	wake     chan struct{}
	ended    bool
	group    *group // nil for a source that waits for nobody
}

func (s *source) name() string {
	return fmt.Sprintf("%s (%d/%d)", s.spec.Name, s.index+1, s.spec.Parallelism)
}

// run reads until the barrier that drains the job.
func (s *source) run(ctx context.Context) error {
	if s.reader != nil {
		defer s.reader.Close()
	}
	if s.opener != nil {
		defer s.opener.close()
	}
	for {
		select {
		case b := <-s.barriers:
			if err := s.barrier(ctx, b); err != nil || b.drain {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		default:
		}
		var err error
		switch {
		case s.ended:
			select {
			case <-s.wake:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		case s.group.ahead(s):
			err = s.pause(ctx)
		case s.reader == nil:
			err = s.deal(ctx)
		default:
			err = s.read(ctx)
		}
		if err != nil {
			return err
		}
	}
}

func (s *source) barrier(ctx context.Context, b element) error {
	positions, err := s.positions()
	if err != nil {
		return err
	}
	s.job.commits.position(s, positions)
	if err := s.feed.send(ctx, b); err != nil {
		return err
	}
	s.job.commits.done(nil, nil)
	return nil
}

// positions returns where to go on, by split.
func (s *source) positions() (map[string]json.RawMessage, error) {
	if s.reader == nil {
		return spanPositions(s.spans), nil
	}
	positions, err := s.reader.Positions()
	if err != nil {
		return nil, fault.From(err).In("%s", s.name())
	}
	return positions, nil
}

// deal hands out the next piece of a range.
func (s *source) deal(ctx context.Context) error {
	for i := range s.spans {
		at := &s.spans[i]
		if at.next >= at.past {
			continue
		}
		n := min(s.piece(rangePiece), at.past-at.next)
		s.group.sends(s)
		s.job.rows.Add(uint64(n))
		err := s.feed.send(ctx, element{row: row{kind: kindRange, port: s.feed.port, target: int32(n), number: at.next}})
		at.next += n
		return err
	}
	return s.end(ctx)
}

// read hands on the messages that are there.
func (s *source) read(ctx context.Context) error {
	messages, err := s.reader.Next(ctx, s.wake, int(s.piece(stream.MaxRows)))
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for _, m := range messages {
		if m.Data == nil {
			continue
		}
		at := int64(-1)
		if m.Time != stream.NoTime {
			at = m.Time
		}
		send := func(r row) error {
			s.job.rows.Add(1)
			s.group.sends(s)
			r.kind, r.port, r.number, r.name = kindRecord, s.feed.port, at, m.Subject
			return s.feed.send(ctx, element{row: r})
		}
		if s.opener != nil {
			if err := s.opener.open(m, send); err != nil {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				return fault.From(err).In("%s", m.Subject).In("%s", s.name())
			}
			continue
		}
		target := int32(-1)
		if s.spec.Kind == "file" && m.Sequence == 1 {
			target = 0
		}
		if err := send(row{target: target, payload: append([]byte{}, m.Data...)}); err != nil {
			return err
		}
	}
	if errors.Is(err, io.EOF) {
		return s.end(ctx)
	}
	if err != nil {
		return fault.From(err).In("%s", s.name())
	}
	return nil
}

func (s *source) end(ctx context.Context) error {
	s.ended = true
	s.group.leave(s)
	s.job.commits.sourceEnded()
	return s.feed.send(ctx, element{end: true})
}

// openSources makes what feeds the input of a task, one source for each subtask.
func (a *attempt) openSources(ctx context.Context, spec *Source, feeds []*feed) ([]*source, error) {
	out := make([]*source, len(feeds))
	for i, f := range feeds {
		out[i] = &source{job: a, spec: spec, index: i, feed: f, barriers: make(chan element, 1), wake: make(chan struct{}, 1)}
	}
	if spec.Kind == "range" {
		return out, a.deal(spec, out)
	}
	paths := spec.Paths
	if spec.Kind == "file" && spec.DiscoverMS == nil {
		var err error
		if paths, err = filesBelow(a.options.Dir, paths, spec.Nested); err != nil {
			return nil, fault.From(err).In("%s", spec.Name)
		}
		if len(paths) == 0 {
			return out, nil // an empty folder, which ends at once
		}
	}
	connector, config, err := a.reads(spec, paths)
	if err != nil {
		return nil, err
	}
	src, err := connector.NewSource(config)
	if err != nil {
		return nil, fault.From(err).In("%s", spec.Name)
	}
	job := connectors.Job{Name: a.options.Name, Node: spec.UID, Dir: a.options.Dir, Log: a.options.Log, Cut: lines}
	if spec.Align != nil {
		job.Cut, job.Piece = fewLines, alignedPiece
	}
	opens, err := a.opens(spec, &job)
	if err != nil {
		return nil, err
	}
	if spec.DiscoverMS != nil {
		d := a.discover(spec, src, job)
		for _, s := range out {
			s.reader = &watcher{of: d, seen: &a.rows, ended: map[string]json.RawMessage{}}
			if opens != nil {
				s.opener = opens()
			}
		}
		return out, nil
	}
	splits, err := src.Splits(ctx, job)
	if err != nil {
		return nil, fault.From(err).In("%s", spec.Name)
	}
	shares := make([][]connectors.Split, len(out))
	for i, id := range splits {
		shares[i%len(out)] = append(shares[i%len(out)], connectors.Split{ID: id, Position: a.last.Positions[a.positionKey(spec.UID, id)]})
	}
	for i, s := range out {
		if len(shares[i]) == 0 {
			continue // a range of nothing: it ends at once
		}
		if s.reader, err = src.Open(ctx, job, shares[i]); err != nil {
			closeReaders(out)
			return nil, fault.From(err).In("%s", spec.Name)
		}
		if opens != nil {
			s.opener = opens()
		}
	}
	return out, nil
}

func closeReaders(sources []*source) {
	for _, s := range sources {
		if s.reader != nil {
			s.reader.Close()
		}
	}
}

// lines cuts at line ends.
func lines(data []byte) int {
	for i := len(data); i > 0; i-- {
		if data[i-1] == '\n' {
			return i
		}
	}
	return 0
}

// reads returns the connector of a source, and its configuration; paths are those of files.
func (a *attempt) reads(spec *Source, paths []string) (connectors.Connector, json.RawMessage, error) {
	var config any
	switch spec.Kind {
	case "file":
		config = map[string]any{"path": paths}
	case "jetstream":
		config = spec.Config
	default:
		return connectors.Connector{}, nil, fault.New(fault.Guest, "unknown kind of source %q", spec.Kind).At("%s", spec.Name)
	}
	c, ok := a.options.Connectors[spec.Kind]
	if !ok || c.NewSource == nil {
		return connectors.Connector{}, nil, fault.New(fault.Unsupported, "there is no source of kind %s here", spec.Kind).At("%s", spec.Name)
	}
	text, err := json.Marshal(config)
	if err != nil {
		return connectors.Connector{}, nil, fault.New(fault.Guest, "the configuration of the source: %v", err).At("%s", spec.Name)
	}
	return c, text, nil
}

// epochInterval is the time between commits where the script says nothing.
const epochInterval = time.Second
