package badgerdb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/statetest"
)

// epochChanges returns what the epoch changes in the tests of crashes: half of the keys, each value telling the epoch. Every third
// epoch is too large for one transaction.
func epochChanges(epoch uint64) []state.Change {
	n, pad := 50, ""
	if epoch%3 == 0 {
		n, pad = 300, strings.Repeat("x", 10_000)
	}
	var changes []state.Change
	for i := range n {
		c := state.Change{Key: fmt.Appendf(nil, "key-%d", (i*2+int(epoch))%600)}
		if (i+int(epoch))%7 != 0 {
			c.Value = fmt.Appendf(nil, "epoch %d %s", epoch, pad)
		}
		changes = append(changes, c)
	}
	return changes
}

func apply(contents map[string]string, changes []state.Change) {
	for _, c := range changes {
		if c.Value == nil {
			delete(contents, string(c.Key))
		} else {
			contents[string(c.Key)] = string(c.Value)
		}
	}
}

// checkEpoch opens the store in dir and checks that it holds exactly the epochs up to its marker, which is one of those given.
func checkEpoch(t *testing.T, dir string, epochs ...uint64) *Store {
	t.Helper()
	s, err := Open(Options{Dir: dir, Profile: Small})
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := s.Last()
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, e := range epochs {
		found = found || e == m.Epoch
	}
	if !found {
		t.Fatalf("the store is at epoch %d, want one of %d", m.Epoch, epochs)
	}
	want := map[string]string{}
	for e := uint64(1); e <= m.Epoch; e++ {
		apply(want, epochChanges(e))
	}
	got, err := statetest.Contents(s)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(want, got) {
		t.Fatalf("at epoch %d: %d keys, want %d, or values differ", m.Epoch, len(got), len(want))
	}
	if err := s.eachGroup([]byte{tagJournal}, func(key, _ []byte) error { return fmt.Errorf("journal %x is left", key) }); err != nil {
		t.Fatal(err)
	}
	return s
}

// clone copies a store's folder as a process killed now would leave it. Badger's background work may rename and delete
// files meanwhile: a copy during which the list of files changed is made again.
func clone(t *testing.T, from string) string {
	t.Helper()
	list := func() string {
		var b strings.Builder
		entries, err := os.ReadDir(from)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if info, err := e.Info(); err == nil {
				fmt.Fprintln(&b, e.Name(), info.Size())
			}
		}
		return b.String()
	}
	for {
		before, to := list(), t.TempDir()
		for line := range strings.Lines(before) {
			name, _, _ := strings.Cut(line, " ")
			b, err := os.ReadFile(filepath.Join(from, name))
			if errors.Is(err, os.ErrNotExist) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(to, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if list() == before {
			return to
		}
	}
}

func TestCrashAtEachStepOfACommit(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(Options{Dir: dir, Profile: Small})
	if err != nil {
		t.Fatal(err)
	}
	commit := func(epoch uint64) {
		t.Helper()
		if err := s.Commit(context.Background(), state.Commit{Marker: statetest.MarkerOf(epoch), Changes: epochChanges(epoch)}); err != nil {
			t.Fatal(err)
		}
	}
	commit(1)
	for epoch := uint64(2); epoch <= 4; epoch++ {
		var steps []string
		s.flying = 1
		s.step = func(name string) {
			steps = append(steps, name)
			copied := clone(t, dir)
			again := checkEpoch(t, copied, epoch-1, epoch)
			decided := name == "decided" || name == "applied" || name == "closed"
			if m, _, err := again.Last(); err != nil || decided && m.Epoch != epoch || (name == "small" || name == "journalled") && m.Epoch == epoch {
				t.Fatalf("step %s: marker %v %v", name, m, err)
			}
			if err := again.Close(); err != nil {
				t.Fatal(err)
			}
		}
		commit(epoch)
		want := "small transaction"
		if epoch%3 == 0 {
			want = "transaction transaction transaction journalled transaction decided transaction transaction transaction applied transaction closed transaction"
		}
		if diff := cmp.Diff(want, strings.Join(steps, " ")); diff != "" {
			t.Errorf("steps of epoch %d: -want +got\n%s", epoch, diff)
		}
	}
	s.step = func(string) {}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := checkEpoch(t, dir, 4).Close(); err != nil {
		t.Fatal(err)
	}
}

// TestCrashWhileRecovering cuts the application of a decided journal short, again and again at a later transaction.
func TestCrashWhileRecovering(t *testing.T) {
	dir := t.TempDir()
	decided := ""
	s, err := Open(Options{Dir: dir, Profile: Small, step: func(name string) {
		if name == "decided" {
			decided = clone(t, dir)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	for epoch := range uint64(3) {
		if err := s.Commit(context.Background(), state.Commit{Marker: statetest.MarkerOf(epoch + 1), Changes: epochChanges(epoch + 1)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var clones []string
	recovered, err := Open(Options{Dir: decided, Profile: Small, step: func(string) { clones = append(clones, clone(t, decided)) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := recovered.Close(); err != nil {
		t.Fatal(err)
	}
	if len(clones) < 5 {
		t.Fatalf("recovery had %d steps", len(clones))
	}
	for _, dir := range clones {
		if err := checkEpoch(t, dir, 3).Close(); err != nil {
			t.Fatal(err)
		}
	}
}

const childVariable = "WASMILL_TEST_COMMIT_IN"

// TestKill kills a process that commits in a loop, several times over.
func TestKill(t *testing.T) {
	if dir := os.Getenv(childVariable); dir != "" {
		commitUntilKilled(dir)
	}
	dir := t.TempDir()
	var last uint64
	for round := range 6 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
		cmd.Env = append(os.Environ(), childVariable+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		said := last
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			if said, err = strconv.ParseUint(lines.Text(), 10, 64); err != nil {
				t.Fatalf("the child said %q", lines.Text())
			}
			if n == 2+round {
				// Somewhere within the next commit; where does not matter for what must hold.
				time.Sleep(time.Duration(round) * 3 * time.Millisecond)
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = cmd.Wait() // it was killed
		s := checkEpoch(t, dir, said, said+1)
		m, _, err := s.Last()
		if err != nil || said <= last {
			t.Fatalf("epoch %d behind %d: %v", said, last, err)
		}
		last = m.Epoch
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// commitUntilKilled commits epoch after epoch and says each that is durable.
func commitUntilKilled(dir string) {
	s, err := Open(Options{Dir: dir, Profile: Small})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	m, _, err := s.Last()
	for epoch := m.Epoch + 1; err == nil; epoch++ {
		if err = s.Commit(context.Background(), state.Commit{Marker: statetest.MarkerOf(epoch), Changes: epochChanges(epoch)}); err == nil {
			fmt.Println(epoch)
		}
	}
	fmt.Println(err)
	os.Exit(1)
}
