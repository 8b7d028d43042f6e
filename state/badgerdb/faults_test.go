package badgerdb

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/statetest"
)

func mustOpen(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func mustCommit(t testing.TB, s *Store, epoch uint64, changes ...state.Change) {
	t.Helper()
	if err := s.Commit(context.Background(), state.Commit{Marker: statetest.MarkerOf(epoch), Changes: changes}); err != nil {
		t.Fatal(err)
	}
}

func wantFault(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || err.Error() != text || fault.CodeOf(err) != fault.State {
		t.Fatalf("got [%s] %v\nwant [state] %s", fault.CodeOf(err), err, text)
	}
}

func TestLockedByAnother(t *testing.T) {
	dir := t.TempDir()
	mustOpen(t, Options{Dir: dir, Profile: Small})
	_, err := Open(Options{Dir: dir, Profile: Small})
	wantFault(t, err, dir+": the state is in use by process "+strconv.Itoa(os.Getpid())+
		" (a job runs once at a time: stop the other one, or give this job another name)")
}

func TestNewerFormat(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, Options{Dir: dir, Profile: Small})
	if err := s.setMeta(keyFormat, []byte("2")); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := Open(Options{Dir: dir, Profile: Small})
	wantFault(t, err, dir+": the state was written by a newer wasmill: it has format 2, this one reads up to 1 "+
		"(run the newer wasmill, or give the job another name to begin with empty state)")
}

func TestAnotherProgramsDatabase(t *testing.T) {
	dir := t.TempDir()
	db, err := badger.Open(badger.DefaultOptions(dir).WithLogger(nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = Open(Options{Dir: dir})
	wantFault(t, err, dir+": the folder holds a Badger database of another program (name another folder)")
}

func TestUnknownProfile(t *testing.T) {
	_, err := Open(Options{Dir: t.TempDir(), Profile: "tiny"})
	if got, want := err.Error(), "unknown profile `tiny` (there is default, small)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestFolderIsAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(Options{Dir: path})
	if err == nil || !strings.HasPrefix(err.Error(), path+": the state cannot be opened: ") ||
		!strings.HasSuffix(err.Error(), " (choose a folder that this user may write in with --data-dir or WASMILL_DATA)") {
		t.Errorf("got %v", err)
	}
}

func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	free := uint64(1 << 30)
	s := mustOpen(t, Options{Dir: dir, Profile: Small, free: func(string) (uint64, error) { return free, nil }})
	mustCommit(t, s, 1, state.Change{Key: []byte("a"), Value: []byte("1")})
	free = 10 << 20
	err := s.Commit(context.Background(), state.Commit{Marker: statetest.MarkerOf(2)})
	const hint = " (free some space and start the job again; nothing that was committed is lost)"
	wantFault(t, err, dir+": the disk that holds the state has 10 MB free, 64 MB are needed"+hint)
	_, err = Open(Options{Dir: filepath.Join(dir, "new", "er"), free: s.free})
	wantFault(t, err, filepath.Join(dir, "new", "er")+": the disk that holds the state has 10 MB free, 64 MB are needed"+hint)
	free = 1 << 30 // nothing was written: the store goes on
	mustCommit(t, s, 2)
}

func TestWritesAreRefusedBehindAFailedOne(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, Options{Dir: dir, Profile: Small})
	mustCommit(t, s, 1, state.Change{Key: []byte("a"), Value: []byte("1")})
	s.log.Errorf("error flushing memtable to disk: %v, retrying", errors.New("no space left on device"))
	want := dir + ": an earlier write failed, so that no more are taken: the disk that holds the state is full " +
		"(free some space and start the job again; nothing that was committed is lost)"
	wantFault(t, s.Commit(context.Background(), state.Commit{Marker: statetest.MarkerOf(2)}), want)
	wantFault(t, s.Declare("op", map[string]string{"a": "int64"}), want)
	if v, ok, err := s.Get(nil, []byte("a")); err != nil || !ok || string(v) != "1" {
		t.Errorf("reading: %q %v %v", v, ok, err)
	}
}

// TestContextEndsWithinACommit leaves the outcome unknown, which must end the store.
func TestContextEndsWithinACommit(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	s := mustOpen(t, Options{Dir: dir, Profile: Small, step: func(name string) {
		if name == "journalled" {
			cancel()
		}
	}})
	mustCommit(t, s, 1, epochChanges(1)...)
	mustCommit(t, s, 2, epochChanges(2)...)
	err := s.Commit(ctx, state.Commit{Marker: statetest.MarkerOf(3), Changes: epochChanges(3)})
	if err == nil {
		// The writes may all be done before the end of the context is seen.
		if m, _, err := s.Last(); err != nil || m.Epoch != 3 {
			t.Fatalf("got %v %v", m, err)
		}
	} else if err := s.Commit(context.Background(), state.Commit{Marker: statetest.MarkerOf(4)}); fault.CodeOf(err) != fault.State {
		t.Fatalf("got %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := checkEpoch(t, dir, 2, 3).Close(); err != nil {
		t.Fatal(err)
	}
}

// TestDamage flips a byte in each part of a table, and cuts it: Open says so, and never panics.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, Options{Dir: dir, Profile: Small})
	for epoch := range uint64(4) {
		mustCommit(t, s, epoch+1, epochChanges(epoch+1)...)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatal("no tables", err)
	}
	info, err := os.Stat(tables[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int64{10, info.Size() / 2, info.Size() - 300, info.Size() - 5} {
		copied := clone(t, dir)
		path := filepath.Join(copied, filepath.Base(tables[0]))
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b[at] ^= 0x40
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		wantDamage(t, copied)
	}
	cut := clone(t, dir)
	if err := os.Truncate(filepath.Join(cut, filepath.Base(tables[0])), info.Size()/2); err != nil {
		t.Fatal(err)
	}
	wantDamage(t, cut)
	lost := clone(t, dir)
	if err := os.Remove(filepath.Join(lost, filepath.Base(tables[0]))); err != nil {
		t.Fatal(err)
	}
	wantDamage(t, lost)
}

// TestTableThatAKillLeftBehind is one that the manifest does not name yet, in any state.
func TestTableThatAKillLeftBehind(t *testing.T) {
	for _, size := range []int{0, 3, 4096} {
		dir := t.TempDir()
		s := mustOpen(t, Options{Dir: dir, Profile: Small})
		mustCommit(t, s, 1, epochChanges(1)...)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "000077.sst"), make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := checkEpoch(t, dir, 1).Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// wantDamage opens the store in a process of its own, for Badger leaves goroutines behind when it panics.
func wantDamage(t *testing.T, dir string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestOpenInChild$")
	cmd.Env = append(os.Environ(), openVariable+"="+dir)
	out, _ := cmd.CombinedOutput()
	if !strings.HasPrefix(string(out), "state: "+dir+": the state cannot be read: ") {
		t.Errorf("the child said:\n%.2000s", out)
	}
}

const openVariable = "WASMILL_TEST_OPEN"

func TestOpenInChild(t *testing.T) {
	dir := os.Getenv(openVariable)
	if dir == "" {
		dir = t.TempDir() // not the child: a sound store opens
		mustOpen(t, Options{Dir: dir, Profile: Small})
		return
	}
	_, err := Open(Options{Dir: dir, Profile: Small})
	if err == nil {
		println("opened")
		os.Exit(1)
	}
	os.Stdout.WriteString(string(fault.CodeOf(err)) + ": " + err.Error() + "\n")
	os.Exit(0)
}
