package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/script"
	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/badgerdb"
	"github.com/wasmill/wasmill/state/memstate"
	"github.com/wasmill/wasmill/wasmhost/bundle"
)

// scriptStates opens the state of a script's jobs, one after another: below --state, or somewhere that is gone when the script has ended.
type scriptStates struct {
	run     *runCmd
	streams *streams
	log     *slog.Logger
	name    string // of the script
	script  string // a digest of its code and arguments

	mu      sync.Mutex     // jobs may run beside each other
	seen    map[string]int // jobs by name; guarded by mu
	folders []string       // of durable jobs; guarded by mu
}

func (c *runCmd) scriptStates(b *bundle.Bundle, s *streams, log *slog.Logger) *scriptStates {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(b.Files)) {
		if strings.HasSuffix(name, ".py") {
			fmt.Fprintf(h, "%s %d\n%s", name, len(b.Files[name]), b.Files[name])
		}
	}
	fmt.Fprintf(h, "%q", c.Args)
	return &scriptStates{run: c, streams: s, log: log, name: jobName(strings.TrimSuffix(filepath.Base(c.File), ".py")),
		script: hex.EncodeToString(h.Sum(nil)), seen: map[string]int{}}
}

// jobState is where a job keeps its state.
type jobState struct {
	name    string
	store   state.Store
	durable bool
	ended   bool // it came to its end in an earlier run of the script; there is no store
}

// open opens the state of the next job.
func (s *scriptStates) open(text []byte) (jobState, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	plan, err := script.Parse(text)
	if err != nil {
		return jobState{}, err
	}
	j := jobState{name: s.name + "-" + jobName(plan.Name)}
	s.seen[j.name]++
	if n := s.seen[j.name]; n > 1 {
		j.name += "-" + strconv.Itoa(n)
	}
	if s.run.State == "" || s.run.Ephemeral || !plan.Durable() {
		if s.run.State != "" && !s.run.Quiet {
			fmt.Fprintf(s.streams.err, "%s: %s\n", j.name, notDurable)
		}
		j.store = &spill{log: s.log, memory: memstate.New(), off: s.run.Ephemeral}
		return j, nil
	}
	j.durable = true
	folder := filepath.Join(s.run.State, j.name)
	if s.run.Fresh {
		if err := forget(folder); err != nil {
			return j, err
		}
	}
	if j.store, err = openScriptStore(folder, s.log); err != nil {
		return j, err
	}
	by, ended, err := script.Ended(j.store)
	if err == nil && ended && by != s.script {
		// It is another job by now.
		ended = false
		j.store.Close()
		if err := forget(folder); err != nil {
			return j, err
		}
		if j.store, err = openScriptStore(folder, s.log); err != nil {
			return j, err
		}
	}
	if err != nil {
		j.store.Close()
		return j, err
	}
	s.folders = append(s.folders, folder)
	last, some, err := j.store.Last()
	if j.ended = ended; ended || err != nil {
		j.store.Close()
	}
	switch {
	case err != nil || s.run.Quiet || !some:
	case ended:
		fmt.Fprintf(s.streams.err, "%s: ended in an earlier run; the script goes on behind it (--fresh starts from the beginning)\n", j.name)
	default:
		fmt.Fprintf(s.streams.err, "%s: going on from epoch %d (--fresh starts from the beginning)\n", j.name, last.Epoch)
	}
	return j, err
}

const notDurable = "the job hands its results to the script or runs as a batch: it starts from the beginning each time"

func openScriptStore(folder string, log *slog.Logger) (state.Store, error) {
	return badgerdb.Open(badgerdb.Options{Dir: folder, Profile: badgerdb.Small, Log: log})
}

// forget removes the state of all jobs: the script has come to its end, so that another run is a new one.
func (s *scriptStates) forget() error {
	for _, folder := range s.folders {
		if err := forget(folder); err != nil {
			return err
		}
	}
	return nil
}

// spillBytes is how much is kept in memory.
const spillBytes = 32 << 20

// spill is the state of a job that is gone when the job has ended. It is in memory until that becomes too much, and then in a folder for
// temporary files: small jobs never touch the disk.
type spill struct {
	log *slog.Logger
	off bool // all stays in memory

	mu     sync.RWMutex
	memory *memstate.Store // guarded by mu
	disk   *badgerdb.Store // guarded by mu; nil until it is needed
	folder string          // guarded by mu
}

var _ state.Store = (*spill)(nil)

func (s *spill) at() state.Store {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.disk != nil {
		return s.disk
	}
	return s.memory
}

// Commit implements state.Store.
func (s *spill) Commit(ctx context.Context, c state.Commit) error {
	if s.off || s.disk != nil { // commits come one at a time
		return s.at().Commit(ctx, c)
	}
	size := s.memory.Size()
	for _, change := range c.Changes {
		size += int64(len(change.Key) + len(change.Value))
	}
	if size <= spillBytes {
		return s.memory.Commit(ctx, c)
	}
	return s.move(ctx, c)
}

// move commits all that there is to the disk, and goes on there.
func (s *spill) move(ctx context.Context, c state.Commit) error {
	changed := make(map[string]bool, len(c.Changes))
	for _, change := range c.Changes {
		changed[string(change.Key)] = true
	}
	all := c
	err := s.memory.Scan(nil, func(key, value []byte) bool {
		if !changed[string(key)] {
			all.Changes = append(all.Changes, state.Change{Key: bytes.Clone(key), Value: bytes.Clone(value)})
		}
		return true
	})
	if err != nil {
		return err
	}
	disk, folder, err := s.open()
	if err != nil {
		return err
	}
	err = disk.Commit(ctx, all)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disk, s.folder = disk, folder // closed with the rest, whatever came of it
	if err == nil {
		s.memory = memstate.New()
	}
	return err
}

func (s *spill) open() (*badgerdb.Store, string, error) {
	sweepSpills()
	folder, err := os.MkdirTemp("", fmt.Sprintf("%s%d-", spillPrefix, os.Getpid()))
	if err != nil {
		return nil, "", fault.New(fault.State, "there is no room for state on disk: %v", err).WithHint("TMPDIR names the folder for temporary files")
	}
	disk, err := badgerdb.Open(badgerdb.Options{Dir: folder, Log: s.log})
	if err != nil {
		os.RemoveAll(folder)
		return nil, "", err
	}
	return disk, folder, nil
}

// Get and the others implement state.Store.
func (s *spill) Get(dst, key []byte) ([]byte, bool, error) { return s.at().Get(dst, key) }

// GetMany implements state.Store.
func (s *spill) GetMany(keys [][]byte, found func(int, []byte) error) error {
	return s.at().GetMany(keys, found)
}

// Scan implements state.Store.
func (s *spill) Scan(prefix []byte, each func(key, value []byte) bool) error {
	return s.at().Scan(prefix, each)
}

// ScanFrom implements state.Store.
func (s *spill) ScanFrom(prefix, from []byte, each func(key, value []byte) bool) error {
	return s.at().ScanFrom(prefix, from, each)
}

// Last implements state.Store.
func (s *spill) Last() (state.Marker, bool, error) { return s.at().Last() }

// Declare implements state.Store. Types do not change while a script runs.
func (s *spill) Declare(string, map[string]string) error { return nil }

// Size implements state.Store.
func (s *spill) Size() int64 { return s.at().Size() }

// Close implements state.Store, and removes what was stored.
func (s *spill) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.disk == nil {
		return s.memory.Close()
	}
	err := s.disk.Close()
	if e := os.RemoveAll(s.folder); err == nil && e != nil {
		err = fault.New(fault.State, "temporary state cannot be removed: %v", e).At("%s", s.folder)
	}
	return err
}

// spillPrefix begins the names of folders of temporary state; the process that they belong to follows.
const spillPrefix = "wasmill-state-"

// sweepSpills removes the folders of processes that were killed.
func sweepSpills() {
	folders, err := filepath.Glob(filepath.Join(os.TempDir(), spillPrefix+"*"))
	if err != nil {
		return
	}
	for _, folder := range folders {
		number, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(folder), spillPrefix), "-")
		if pid, err := strconv.Atoi(number); err == nil && pid > 0 && syscall.Kill(pid, 0) == syscall.ESRCH {
			os.RemoveAll(folder) // what cannot be removed now is tried again later
		}
	}
}
