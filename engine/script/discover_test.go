package script

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasmill/wasmill/state/memstate"
)

// shared is standard output that a test reads while a job runs.
type shared struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (s *shared) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.Write(b)
}

// await waits until a text stands in what was written.
func (s *shared) await(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		s.mu.Lock()
		all := s.all.String()
		s.mu.Unlock()
		if strings.Contains(all, text) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("there is no %q in %q", text, all)
		}
	}
}

// put writes a file in one piece: hidden first.
func put(t *testing.T, path, text string) {
	t.Helper()
	hidden := filepath.Join(filepath.Dir(path), "."+filepath.Base(path))
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(hidden, []byte(text), 0o666), os.Rename(hidden, path)); err != nil {
		t.Fatal(err)
	}
}

// printing hands lines to a sink as they are.
func printing(c config) behaviour {
	return func(r row, put func(row)) error {
		if r.kind == kindRecord {
			put(row{kind: kindData, target: int32(c.Index), number: 1, payload: r.payload})
		}
		return nil
	}
}

// discovering is a plan that reads the files of the folder in for ever.
func discovering(parallelism int, every int64) *Plan {
	return &Plan{Version: 1, Name: "in", ID: "1", Partitions: 128, CheckpointInterval: 1,
		Tasks:   []Task{{Name: "Read", Parallelism: parallelism, Inputs: 1, Outputs: 1, Operators: []Operator{{UID: "read"}}}},
		Sources: []Source{{Number: 1, Name: "File", UID: "file", Parallelism: parallelism, Kind: "file", Paths: []string{"in"}, Format: "lines", DiscoverMS: &every}},
		Sinks:   []Sink{{Number: 2, Name: "Sink", UID: "sink", Kind: "print"}}}
}

// start runs a job beside the test; the function that it returns drains it.
func start(t *testing.T, p *Plan, o Options) (end func()) {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := Run(context.Background(), text, o, stop)
		ended <- err
	}()
	return sync.OnceFunc(func() {
		close(stop)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// New files are read as they come, each once, in a later run as well.
func TestDiscoveredFiles(t *testing.T) {
	store := memstate.New()
	for round, parallelism := range []int{2, 1, 3} {
		out := &shared{}
		o := options(t, &interpreter{tasks: []func(config) behaviour{printing}}, nil)
		o.Store, o.Durable, o.Stdout = store, true, out
		if round > 0 { // as the run before left it
			for r := range round {
				put(t, filepath.Join(o.Dir, fmt.Sprintf("in/a%d.txt", r)), fmt.Sprintf("first %d\n", r))
				put(t, filepath.Join(o.Dir, fmt.Sprintf("in/below/b%d.txt", r)), fmt.Sprintf("second %d\nthird", r))
			}
		}
		for _, hidden := range []string{"in/_a.txt", "in/.a.txt", "in/_b/a.txt"} {
			put(t, filepath.Join(o.Dir, hidden), "hidden\n")
		}
		put(t, filepath.Join(o.Dir, fmt.Sprintf("in/a%d.txt", round)), fmt.Sprintf("first %d\n", round))
		end := start(t, discovering(parallelism, 1), o)
		defer end()
		out.await(t, fmt.Sprintf("first %d\n", round))
		put(t, filepath.Join(o.Dir, fmt.Sprintf("in/below/b%d.txt", round)), fmt.Sprintf("second %d\nthird", round))
		out.await(t, "third")
		end()
		if got, want := out.all.String(), fmt.Sprintf("first %d\nsecond %d\nthird", round, round); got != want {
			t.Errorf("round %d: got %q, want %q", round, got, want)
		}
		store = store.Reopen()
	}
}

// A job that fails in the middle of a file goes on there, and with the files that came since; it knows those that it has read.
func TestDiscoveredFilesAfterAFailure(t *testing.T) {
	store := memstate.New()
	b := &interpreter{}
	o := options(t, b, nil)
	o.Store = store
	line := strings.Repeat("x", 999) + "\n"
	var want []string
	for i := range 3 {
		text := strings.Repeat(fmt.Sprint(i)+line, 3000)
		want = append(want, strings.Split(strings.TrimSuffix(text, "\n"), "\n")...)
		put(t, filepath.Join(o.Dir, fmt.Sprintf("in/%d.txt", i)), text)
	}
	pieces := 0
	b.tasks = []func(config) behaviour{func(c config) behaviour {
		return func(r row, put func(row)) error {
			if r.kind != kindRecord {
				return nil
			}
			if pieces++; pieces%5 == 0 {
				put(r)
				return errors.New("a lost wheel")
			}
			put(row{kind: kindData, target: int32(c.Index), number: 1, payload: r.payload})
			return nil
		}
	}}
	p := discovering(1, 1)
	p.Restart = &Restart{Attempts: 1000}
	p.Sinks[0] = Sink{Number: 2, Name: "Sink", UID: "sink", Kind: "file", Path: "out", Prefix: "part", Format: "lines"}
	end := start(t, p, o)
	defer end()
	read := func() bool {
		last, _, err := store.Last()
		if err != nil {
			t.Fatal(err)
		}
		return !slices.ContainsFunc([]int{0, 1, 2}, func(i int) bool { return string(last.Positions[fmt.Sprintf("file/in/%d.txt", i)]) != readWhole })
	}
	for limit := time.Now().Add(time.Minute); !read(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("the files are not read to their end")
		}
	}
	end()
	var got []string
	files := tree(t, filepath.Join(o.Dir, "out"))
	for _, name := range slices.Sorted(maps.Keys(files)) {
		got = append(got, strings.Split(strings.TrimSuffix(files[name], "\n"), "\n")...)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d lines in %d files, want %d", len(got), len(files), len(want))
	}
}

func TestFoldersThatAreNotThere(t *testing.T) {
	o := options(t, &interpreter{tasks: []func(config) behaviour{printing}}, &bytes.Buffer{})
	_, err := run(t, discovering(1, 1), o)
	if want := "File (1/1): there is no file or folder " + filepath.Join(o.Dir, "in"); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	static := discovering(1, 1)
	static.Sources[0].DiscoverMS = nil
	if err := os.Mkdir(filepath.Join(o.Dir, "in"), 0o777); err != nil {
		t.Fatal(err)
	}
	if r, err := run(t, static, o); err != nil || r.Error != "" { // an empty folder has no lines
		t.Error(r, err)
	}
}
