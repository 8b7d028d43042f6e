// Package file reads events from files and writes them to files.
package file

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/config"
	"github.com/wasmill/wasmill/engine/fault"
)

// Connector returns the connector `file`.
func Connector() connectors.Connector {
	return connectors.Connector{
		Name:      "file",
		Doc:       "Files of NDJSON, CSV, Arrow IPC or raw lines, .gz as well.",
		NewSource: newSource,
		NewSink:   newSink,
	}
}

type sourceConfig struct {
	// Path is one or more paths or patterns as of path/filepath.Match. Each file is a split.
	Path []string `json:"path" config:"required,main"`
	// Follow waits at a file's end for more, for ever.
	Follow bool `json:"follow"`
}

type source struct{ config sourceConfig }

var _ connectors.Source = (*source)(nil)

func newSource(raw json.RawMessage) (connectors.Source, error) {
	s := &source{}
	if err := config.Decode(raw, &s.config); err != nil {
		return nil, err
	}
	for _, p := range s.config.Path {
		if _, err := filepath.Match(p, ""); err != nil || p == "" {
			return nil, fault.New(fault.Usage, "%q is not a path or a pattern", p).At("path")
		}
		if s.config.Follow && strings.HasSuffix(p, ".gz") {
			return nil, fault.New(fault.Usage, "a compressed file cannot be followed").At("follow")
		}
	}
	return s, nil
}

// DefaultFormat implements [connectors.Source].
func (s *source) DefaultFormat() string { return formatOf(s.config.Path[0]) }

// formatOf tells a format by a file's ending.
func formatOf(path string) string {
	switch filepath.Ext(strings.TrimSuffix(strings.ToLower(path), ".gz")) {
	case ".csv":
		return "csv"
	case ".arrow", ".arrows", ".ipc", ".feather":
		return "arrow"
	case ".txt", ".log", ".bin":
		return "raw"
	}
	return "json"
}

// Splits implements [connectors.Source]: the files, in order of their names.
func (s *source) Splits(_ context.Context, job connectors.Job) ([]string, error) {
	var files []string
	seen := make(map[string]bool)
	for _, p := range s.config.Path {
		found := []string{p}
		if strings.ContainsAny(p, "*?[") {
			matches, err := filepath.Glob(in(job.Dir, p))
			if err != nil || len(matches) == 0 {
				return nil, fault.New(fault.Usage, "no file matches %s", p).WithHint("paths are relative to %s", folder(job.Dir))
			}
			sort.Strings(matches)
			found = found[:0]
			for _, m := range matches {
				if rel, err := filepath.Rel(in(job.Dir, "."), m); err == nil && !filepath.IsAbs(p) {
					m = rel
				}
				found = append(found, m)
			}
		}
		for _, f := range found {
			if err := readable(in(job.Dir, f)); err != nil {
				return nil, err
			}
			if !seen[f] {
				seen[f] = true
				files = append(files, f)
			}
		}
	}
	return files, nil
}

// in returns a path as the process sees it.
func in(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

func folder(dir string) string {
	if dir == "" || dir == "." {
		return "the current folder"
	}
	return dir
}

func readable(path string) error {
	info, err := os.Stat(path)
	switch {
	case os.IsNotExist(err):
		var names []string
		entries, _ := os.ReadDir(filepath.Dir(path))
		for _, e := range entries {
			names = append(names, e.Name())
		}
		f := fault.New(fault.Usage, "there is no file %s", path)
		if near := fault.Suggest(filepath.Base(path), names); near != "" {
			f = f.WithHint("did you mean `%s`?", near)
		} else {
			f = f.WithHint("paths in a pipeline are relative to the pipeline's own folder")
		}
		return f
	case err != nil:
		return fault.New(fault.Usage, "%s cannot be read: %v", path, err)
	case info.IsDir():
		return fault.New(fault.Usage, "%s is a folder", path).WithHint("to read all of its files: %s", filepath.Join(path, "*"))
	}
	return nil
}

// Open implements [connectors.Source].
func (s *source) Open(_ context.Context, job connectors.Job, splits []connectors.Split) (connectors.Reader, error) {
	return newReader(job, splits, s.config.Follow)
}

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
