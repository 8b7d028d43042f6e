package script

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/engine/fault"
)

// filesBelow replaces folders by the files in them, by name, and those of the folders in these with nested. What begins with a dot or an
// underscore is hidden. Other paths stay as they are.
func filesBelow(dir string, paths []string, nested bool) ([]string, error) {
	var out []string
	for _, p := range paths {
		at := p
		if !filepath.IsAbs(at) {
			at = filepath.Join(dir, p)
		}
		if info, err := os.Stat(at); err != nil || !info.IsDir() {
			out = append(out, p)
			continue
		}
		root, err := filepath.EvalSymlinks(at) // links inside of a folder are followed to files alone
		if err == nil {
			err = walkFiles(root, nested, func(below string) { out = append(out, filepath.Join(p, below)) })
		}
		if err != nil {
			if known := (*fs.PathError)(nil); errors.As(err, &known) {
				at, err = known.Path, known.Err
			}
			return nil, fault.New(fault.Usage, "the folder %s cannot be read: %v", at, err)
		}
	}
	return out, nil
}

func walkFiles(root string, nested bool, found func(below string)) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path != root {
			return nil // it went while the folder was read
		}
		if err != nil || path == root {
			return err
		}
		hidden := strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_")
		if d.IsDir() {
			if hidden || !nested {
				return filepath.SkipDir
			}
			return nil
		}
		kind := d.Type()
		if kind&fs.ModeSymlink != 0 {
			if info, err := os.Stat(path); err == nil {
				kind = info.Mode()
			}
		}
		if hidden || !kind.IsRegular() {
			return nil
		}
		below, err := filepath.Rel(root, path)
		if err == nil {
			found(below)
		}
		return err
	})
}

// discovery looks for new files of a source. All of its subtasks share it, and take one file after another.
type discovery struct {
	job   connectors.Job
	open  connectors.Source
	paths []string
	every time.Duration

	mu    sync.Mutex
	known map[string]bool    // guarded by mu: files that were found before
	files []connectors.Split // guarded by mu: those that no subtask has taken
	due   time.Time          // guarded by mu: when to look again
	told  string             // guarded by mu: why files could not be looked for
}

// discover prepares to look for the files of a source. Those that a commit knows are gone on with first.
func (a *attempt) discover(spec *Source, src connectors.Source, job connectors.Job) *discovery {
	d := &discovery{job: job, open: src, paths: spec.Paths, every: time.Duration(*spec.DiscoverMS) * time.Millisecond, known: map[string]bool{}}
	prefix := a.positionKey(spec.UID, "")
	for key, p := range a.last.Positions {
		file, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		d.known[file] = true
		if string(p) != readWhole {
			d.files = append(d.files, connectors.Split{ID: file, Position: p})
		}
	}
	slices.SortFunc(d.files, func(a, b connectors.Split) int { return strings.Compare(a.ID, b.ID) })
	return d
}

// readWhole is the position of a file that was read to its end, as a source that looks for files notes it: there may be many.
const readWhole = "true"

// take returns a file to read, if there is one, or when there may be.
func (d *discovery) take() (split connectors.Split, ok bool, due time.Time, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := time.Now(); len(d.files) == 0 && !now.Before(d.due) {
		first := d.due.IsZero()
		d.due = now.Add(d.every)
		if err := d.look(); err != nil {
			if first {
				return split, false, d.due, err
			}
			if text := err.Error(); text != d.told { // it may be there again next time
				d.told = text
				d.job.Log.Warn("files cannot be looked for: "+text, "source", d.job.Node)
			}
		}
	}
	if len(d.files) == 0 {
		return split, false, d.due, nil
	}
	split, d.files = d.files[0], d.files[1:]
	return split, true, d.due, nil
}

// look adds files that were not there before. The caller holds mu.
func (d *discovery) look() error {
	found, err := filesBelow(d.job.Dir, d.paths, true)
	if err != nil {
		return err
	}
	for _, f := range found {
		if d.known[f] {
			continue
		}
		at := f
		if !filepath.IsAbs(at) {
			at = filepath.Join(d.job.Dir, f)
		}
		if _, e := os.Stat(at); e != nil { // a path of the source's own
			err = fault.New(fault.Usage, "there is no file or folder %s", at)
			continue
		}
		d.known[f] = true
		d.files = append(d.files, connectors.Split{ID: f})
	}
	if err == nil {
		d.told = ""
	}
	return err
}

// watcher reads the files of a discovery, and waits for more, for ever.
type watcher struct {
	of      *discovery
	seen    *atomic.Uint64    // counts what a commit is worth
	file    connectors.Reader // nil between files
	current string
	ended   map[string]json.RawMessage // files that were read whole since the last call of Positions
}

var _ connectors.Reader = (*watcher)(nil)

// Next implements [connectors.Reader].
func (w *watcher) Next(ctx context.Context, wake <-chan struct{}, most int) ([]connectors.Message, error) {
	for {
		if w.file == nil {
			waits, err := w.begin(ctx)
			if err != nil {
				return nil, err
			}
			if !waits.IsZero() {
				timer := time.NewTimer(time.Until(waits))
				select {
				case <-timer.C:
					continue
				case <-wake:
				case <-ctx.Done():
					err = context.Cause(ctx)
				}
				timer.Stop()
				return nil, err
			}
		}
		messages, err := w.file.Next(ctx, wake, most)
		if !errors.Is(err, io.EOF) {
			return messages, err
		}
		w.ended[w.current] = json.RawMessage(readWhole)
		w.seen.Add(1)
		if err := w.stop(); err != nil {
			return nil, err
		}
		if len(messages) > 0 {
			return messages, nil
		}
	}
}

// begin opens the next file, or returns when to ask for one again.
func (w *watcher) begin(ctx context.Context) (waits time.Time, err error) {
	split, ok, due, err := w.of.take()
	if err != nil || !ok {
		return due, err
	}
	if w.file, err = w.of.open.Open(ctx, w.of.job, []connectors.Split{split}); err != nil {
		w.file = nil
		return due, err
	}
	w.current = split.ID
	return time.Time{}, nil
}

func (w *watcher) stop() error {
	if w.file == nil {
		return nil
	}
	err := w.file.Close()
	w.file = nil
	return err
}

// Positions implements [connectors.Reader]: those that differ from what it returned before.
func (w *watcher) Positions() (map[string]json.RawMessage, error) {
	out := w.ended
	w.ended = map[string]json.RawMessage{}
	if w.file == nil {
		return out, nil
	}
	now, err := w.file.Positions()
	if err != nil {
		return nil, err
	}
	out[w.current] = now[w.current]
	return out, nil
}

// Committed implements [connectors.Reader]: a file needs no acknowledgement.
func (*watcher) Committed(context.Context, map[string]json.RawMessage) error { return nil }

// Close implements [connectors.Reader].
func (w *watcher) Close() error { return w.stop() }
