package file

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/config"
	"github.com/wasmill/wasmill/engine/fault"
)

type sourceConfig struct {
	// Path is one or more paths, or patterns as of path/filepath.Match. Each file is a split.
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
	var faults fault.List
	if len(s.config.Path) == 0 {
		faults.Add(fault.Usage, "path", "there is no path")
	}
	for _, p := range s.config.Path {
		if _, err := filepath.Match(p, ""); p == "" || err != nil {
			faults.Add(fault.Usage, "path", "%q is not a path or a pattern", p)
		}
		if s.config.Follow && isCompressed(p) {
			faults.Add(fault.Usage, "follow", "%s is compressed, and cannot be followed", p)
		}
	}
	return s, faults.Err()
}

// DefaultFormat implements [connectors.Source].
func (s *source) DefaultFormat() string { return formatOf(s.config.Path[0]) }

// Splits implements [connectors.Source]: the files in the order of the configuration, those of a pattern by name. Folders that a
// pattern matches are left out. A path that is not there gives a fault of code Usage.
func (s *source) Splits(_ context.Context, job connectors.Job) ([]string, error) {
	var files []string
	for _, p := range s.config.Path {
		found := []string{p}
		if _, err := os.Stat(in(job.Dir, p)); err != nil && isPattern(p) {
			if found, err = matches(job.Dir, p); err != nil {
				return nil, err
			}
		}
		for _, f := range found {
			if err := readable(in(job.Dir, f)); err != nil {
				return nil, err
			}
			if !slices.Contains(files, f) {
				files = append(files, f)
			}
		}
	}
	return files, nil
}

func isPattern(path string) bool { return strings.ContainsAny(path, "*?[") }

// matches returns the files that a pattern matches, as paths of the kind that the pattern is.
func matches(dir, pattern string) ([]string, error) {
	matches, err := filepath.Glob(in(dir, pattern))
	if err != nil {
		return nil, fault.New(fault.Usage, "%q is not a pattern", pattern)
	}
	var files []string
	for _, m := range matches {
		if info, err := os.Stat(m); err == nil && info.IsDir() {
			continue
		}
		if rel, err := filepath.Rel(in(dir, "."), m); err == nil && !filepath.IsAbs(pattern) {
			m = rel
		}
		files = append(files, m)
	}
	if len(files) == 0 {
		return nil, fault.New(fault.Usage, "no file matches %s", in(dir, pattern)).
			WithHint("paths in a pipeline are relative to the pipeline's own folder")
	}
	return files, nil
}

// readable returns a fault unless there is a file to read at path.
func readable(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f := fault.New(fault.Usage, "there is no file %s", path)
		if near := nearName(path); near != "" {
			return f.WithHint("did you mean `%s`?", near)
		}
		return f.WithHint("paths in a pipeline are relative to the pipeline's own folder")
	case err != nil:
		return fault.New(fault.Usage, "%s cannot be read: %v", path, unwrapPath(err))
	case info.IsDir():
		return fault.New(fault.Usage, "%s is a folder", path).WithHint("to read all of its files: %s", filepath.Join(path, "*"))
	case !info.Mode().IsRegular():
		return fault.New(fault.Usage, "%s is not a regular file", path).WithHint("read a pipe or a terminal with `stdin`")
	}
	return nil
}

// nearName returns the name in path's folder that is nearest to path's, or "".
func nearName(path string) string {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return ""
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return fault.Suggest(filepath.Base(path), names)
}

// Open implements [connectors.Source]. A file that has changed since its position gives a fault of code State, from Next.
func (s *source) Open(_ context.Context, job connectors.Job, splits []connectors.Split) (connectors.Reader, error) {
	return newReader(job, splits, s.config.Follow)
}
