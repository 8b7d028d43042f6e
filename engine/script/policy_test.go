package script

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/memstate"
)

const never = 1 << 39

// bySize is a word count that writes each word as it comes, in files of more than so many bytes.
func bySize(n, size int64, to int) *Plan {
	p := rollingPlan(n)
	p.Tasks[1].Parallelism = to
	p.CheckpointInterval = 1
	p.Sinks[0].Roll = &Roll{Size: size, RolloverMS: never, InactivityMS: never}
	return p
}

// inOrder returns what the files of a subtask have, in the order of their numbers.
func inOrder(t *testing.T, files map[string]string, index int) []string {
	t.Helper()
	var out []string
	for i := 0; ; i++ {
		text, ok := files[fmt.Sprintf("words-%d-%d.txt", index, i)]
		if !ok {
			return out
		}
		out = append(out, text)
	}
}

// Files of a size go on over commits and failures: they end where they would without.
func TestFilesOfASize(t *testing.T) {
	const n, size = 10_000, 3000
	fails := func(c config, seen int) error {
		if c.Attempt < 4 && seen == 2500 {
			return errors.New("a lost wheel")
		}
		return nil
	}
	b := &interpreter{tasks: []func(config) behaviour{words(someWords, 1), passing(fails)}}
	o := options(t, b, &bytes.Buffer{})
	p := bySize(n, size, 1)
	p.Restart = &Restart{Attempts: 5, DelayMS: 1}
	if r, err := run(t, p, o); err != nil || r.Error != "" {
		t.Fatal(r, err)
	}
	all := tree(t, filepath.Join(o.Dir, "out"))
	files := inOrder(t, all, 0)
	if len(files) != len(all) || len(files) < 2 {
		t.Fatalf("%d files of %d have a name in order", len(files), len(all))
	}
	for i, text := range files {
		line := strings.LastIndexByte(text[:len(text)-1], '\n') + 1
		if i+1 < len(files) && len(text) <= size || line > size {
			t.Errorf("file %d has %d bytes, %d before its last line", i, len(text), line)
		}
	}
	if got, want := strings.Join(files, ""), strings.Repeat(strings.Join(someWords, "\n")+"\n", n/len(someWords)); got != want {
		t.Errorf("%d bytes, want %d", len(got), len(want))
	}
}

// A file of a stream in which nothing comes any more ends by its time, though there is nothing else to commit.
func TestFilesOfATime(t *testing.T) {
	for _, roll := range []Roll{{Size: never, RolloverMS: 1, InactivityMS: never}, {Size: never, RolloverMS: never, InactivityMS: 1}} {
		o := options(t, &interpreter{tasks: []func(config) behaviour{printing}}, nil)
		put(t, filepath.Join(o.Dir, "in/a.txt"), "one\ntwo\n")
		p := discovering(1, 1)
		p.Sinks[0] = Sink{Number: 2, Name: "Sink", UID: "sink", Kind: "file", Path: "out", Prefix: "part", Format: "lines", Roll: &roll}
		end := start(t, p, o)
		defer end()
		at := filepath.Join(o.Dir, "out/part-0-0")
		for limit := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			text, err := os.ReadFile(at)
			if string(text) == "one\ntwo\n" {
				break
			}
			if time.Now().After(limit) {
				t.Fatalf("%q, %v", text, err)
			}
		}
		end()
	}
}

// A durable job goes on in another run with the file that was open, at another parallelism too; each line stands in the files once.
func TestOpenFilesGoOn(t *testing.T) {
	defer func(before int64) { rangePiece = before }(rangePiece)
	rangePiece = 16 // so that there are commits long before the end
	for _, width := range [][3]int{{1, 1, 1}, {2, 1, 2}, {1, 3, 2}} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			const n = 8000
			store, dir := memstate.New(), t.TempDir()
			for round, to := range width {
				commits := uint64(0)
				if last, some, err := store.Last(); err != nil || some != (round > 0) {
					t.Fatal(last, some, err)
				} else if some {
					commits = last.Epoch
				}
				fail := func(_ config, seen int) error {
					if last, some, _ := store.Last(); round < 2 && some && last.Epoch > commits && seen > 50 {
						return errors.New("a lost wheel")
					}
					return nil
				}
				o := options(t, &interpreter{tasks: []func(config) behaviour{words(someWords, to), passing(fail)}}, &bytes.Buffer{})
				o.Store, o.Durable, o.Script, o.Dir = store, true, "a", dir
				if _, err := run(t, bySize(n, 1000, to), o); (err == nil) != (round == 2) {
					t.Fatal(err)
				}
				if round == 2 {
					break
				}
				torn := 0
				for name := range tree(t, filepath.Join(dir, "out")) { // a crash may leave more than was committed
					if strings.HasSuffix(name, ".inprogress") {
						f, err := os.OpenFile(filepath.Join(dir, "out", name), os.O_APPEND|os.O_WRONLY, 0)
						if err == nil {
							_, err = f.WriteString("torn")
						}
						if err := errors.Join(err, f.Close()); err != nil {
							t.Fatal(err)
						}
						torn++
					}
				}
				t.Logf("round %d: %d files are open", round, torn)
				store = store.Reopen()
			}
			var got []string
			files := tree(t, filepath.Join(dir, "out"))
			for name, text := range files {
				if strings.HasPrefix(name, ".") {
					t.Errorf("left behind: %s", name)
				}
				got = append(got, strings.Split(strings.TrimSuffix(text, "\n"), "\n")...)
			}
			slices.Sort(got)
			want := slices.Repeat(someWords, n/len(someWords))
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%d lines in %d files, want %d", len(got), len(files), len(want))
			}
		})
	}
}

// deaf is a store whose commits are done, but nobody hears of it.
type deaf struct{ state.Store }

func (d deaf) Commit(ctx context.Context, c state.Commit) error {
	if err := d.Store.Commit(ctx, c); err != nil {
		return err
	}
	return fault.New(fault.State, "the lights went out")
}

// A job that ends between a commit and what is to be done behind it does that when it goes on, behind its last commit as well.
func TestFilesOfACommitThatIsNotHeardOf(t *testing.T) {
	defer func(before int64) { rangePiece = before }(rangePiece)
	rangePiece = 16
	const n = 2000
	store, dir := memstate.New(), t.TempDir()
	rounds := 0
	for over := false; !over; rounds++ {
		b := &interpreter{tasks: []func(config) behaviour{words(someWords, 1), passing(nil)}}
		o := options(t, b, &bytes.Buffer{})
		o.Store, o.Durable, o.Script, o.Dir = deaf{store}, true, "a", dir
		p := rollingPlan(n)
		p.CheckpointInterval = 1
		_, err := run(t, p, o)
		store = store.Reopen()
		_, ended, e := Ended(store)
		if e != nil || rounds > n {
			t.Fatal(rounds, e)
		}
		if over = ended; err == nil {
			t.Fatal("it did not fail")
		}
	}
	all := tree(t, filepath.Join(dir, "out"))
	files := inOrder(t, all, 0)
	if got, want := strings.Join(files, ""), strings.Repeat(strings.Join(someWords, "\n")+"\n", n/len(someWords)); got != want || len(files) != len(all) {
		t.Errorf("after %d rounds %d bytes in %d files of %d, want %d", rounds, len(got), len(files), len(all), len(want))
	}
}

// What an attempt has kept for a commit that did not come goes.
func TestFilesOfACommitThatFailed(t *testing.T) {
	a := &attempt{options: Options{Dir: t.TempDir()}, keeps: true, kept: map[string][]string{}}
	spec := &Sink{UID: "sink", Name: "Sink", Path: "out", Prefix: "part", Format: "lines", Roll: &Roll{Size: never, RolloverMS: never, InactivityMS: never}}
	for range 2 {
		w, err := a.openRolling(spec, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.write(t.Context(), nil, &row{payload: []byte("a\n")}); err != nil {
			t.Fatal(err)
		}
		w.open.known = true
		if err := w.close(); err != nil {
			t.Fatal(err)
		}
	}
	if got := tree(t, a.options.Dir); len(got) != 1 || got["out/.part-0-0.inprogress"] != "" || len(a.kept["sink/0"]) != 1 {
		t.Errorf("left behind: %q, kept: %v", got, a.kept)
	}
}

// A file that is not what it was at the commit is told.
func TestOpenFilesThatWereChanged(t *testing.T) {
	a := &attempt{options: Options{Dir: t.TempDir()}}
	spec := &Sink{UID: "sink", Name: "Sink", Path: "out", Format: "lines", Roll: &Roll{Size: 1, RolloverMS: 1, InactivityMS: 1}}
	a.last.Positions = map[string]json.RawMessage{"sink/0": json.RawMessage(`{"next": 1, "open": {"path": "out/part-0-0", "length": 3, "created": 0}}`)}
	at := filepath.Join(a.options.Dir, "out/part-0-0")
	put(t, hidden(at), "ab")
	_, err := a.openRolling(spec, 0)
	if want := "Sink: " + hidden(at) + " has 2 bytes, and had 3 at the last commit: it was shortened or replaced (--fresh starts from the beginning)"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := os.Rename(hidden(at), at); err != nil {
		t.Fatal(err)
	}
	if _, err := a.openRolling(spec, 0); err == nil {
		t.Error("a file of another size was taken for the one that was committed")
	}
	put(t, at, "abc")
	if w, err := a.openRolling(spec, 0); err != nil || w.open != nil {
		t.Error(w, err)
	}
}

func TestBuckets(t *testing.T) {
	now := time.Date(2026, 3, 7, 15, 4, 5, 678_000_000, time.UTC)
	for pattern, want := range map[string]string{
		"yyyy-MM-dd--HH":        "2026-03-07--15",
		"yy/M/d H:m:s":          "26/3/7 15:4:5",
		"uuuu'y' EEE MMM DDD":   "2026y Sat Mar 066",
		"hh a SSS ''MMMM, EEEE": "03 PM 678 'March, Saturday",
		"'..'/../dd":            "_/_/07",
		"":                      "",
		"yyyy-ww":               `the pattern "yyyy-ww" of folders has "ww", which is not known (there are y, u, M, d, D, E, H, h, m, s, S and a; put other letters in single quotes)`,
		"yyyy'T":                `the pattern "yyyy'T" of folders has a quote that is not closed`,
	} {
		got, err := bucket(pattern, now)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", pattern, got, want)
		}
	}
	a := &attempt{options: Options{Dir: t.TempDir()}}
	pattern := "HH"
	if _, err := a.openRolling(&Sink{Name: "Sink", Format: "lines", Bucket: &pattern, Zone: "Mars/Olympus"}, 0); err == nil ||
		err.Error() != `Sink: there is no time zone "Mars/Olympus"` {
		t.Error(err)
	}
}

// Two sinks write into one folder under one name, and so does another run: no file takes the place of another.
func TestFilesOfOneFolder(t *testing.T) {
	const n = 3000
	dir := t.TempDir()
	for range 2 {
		b := &interpreter{tasks: []func(config) behaviour{words(someWords, 1), func(c config) behaviour {
			one := passing(nil)(c)
			return func(r row, put func(row)) error {
				return one(r, func(r row) {
					put(r)
					r.port = 1
					put(r)
				})
			}
		}}}
		o := options(t, b, &bytes.Buffer{})
		o.Dir = dir
		p := bySize(n, 500, 1)
		p.Tasks[1].Outputs = 2
		p.Sinks = append(p.Sinks, p.Sinks[0])
		p.Sinks[1].Number, p.Sinks[1].UID, p.Sinks[1].Output = 10, "other", 1
		if r, err := run(t, p, o); err != nil || r.Error != "" {
			t.Fatal(r, err)
		}
	}
	counts := map[string]int{}
	for _, text := range tree(t, filepath.Join(dir, "out")) {
		for line := range strings.Lines(text) {
			counts[strings.TrimSuffix(line, "\n")]++
		}
	}
	var got []string
	for w, k := range counts {
		got = append(got, fmt.Sprintf("%s %d", w, k))
	}
	slices.Sort(got)
	if want := expected(4 * n); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
