package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// scripts measures the built command with a function in Python and with PyFlink's scripts: the time until they say something, and what they do per second of processor time.
func scripts(e *env) error {
	s := &scriptRuns{env: e, command: filepath.Join(e.dir, "wasmill")}
	if err := command("go", "build", "-o", s.command, "./cmd/wasmill"); err != nil {
		return err
	}
	if err := s.firstResults(); err != nil {
		return err
	}
	return s.rates()
}

type scriptRuns struct {
	*env
	command string
}

// start prepares `wasmill run` with a file of bench/python, on one core if one is set.
func (s *scriptRuns) start(one bool, file string, args ...string) *exec.Cmd {
	cmd := exec.Command(s.command, append([]string{"run", filepath.Join("bench", "python", file)}, args...)...)
	cmd.Env = append(os.Environ(), "WASMILL_CACHE="+filepath.Join(s.dir, "scripts"))
	if one {
		cmd.Env = append(cmd.Env, "GOMAXPROCS=1")
	}
	return cmd
}

func (s *scriptRuns) firstResults() error {
	input := filepath.Join(s.dir, "line.ndjson")
	if err := os.WriteFile(input, []byte(`{"id":1000000000,"quantity":1}`+"\n"), 0o666); err != nil {
		return err
	}
	t := newTable("Python: from the command's start to its first line of output, caches warm", "what", "by the clock", "target", "processor")
	for _, c := range []struct {
		what, file, target string
		args               []string
	}{
		{"a function, a line of JSON", "changed.py", "1 s", []string{"--input", input}},
		{"a PyFlink script of 100 lines", "hundred.py", "1.5 s", nil},
	} {
		var first, spent []float64
		for round := range 2*s.rounds + 1 { // the first fills the caches
			cmd := s.start(false, c.file, c.args...)
			var said bytes.Buffer
			cmd.Stderr = &said
			out, err := cmd.StdoutPipe()
			if err != nil {
				return err
			}
			began := time.Now()
			if err := cmd.Start(); err != nil {
				return err
			}
			_, err = io.ReadFull(out, make([]byte, 1))
			took := time.Since(began)
			_, drained := io.Copy(io.Discard, out)
			if err := errors.Join(err, drained, cmd.Wait()); err != nil {
				return fmt.Errorf("%v: %w\n%s", cmd, err, said.Bytes())
			}
			if round > 0 {
				first, spent = append(first, float64(took)), append(spent, float64(cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()))
			}
		}
		t.add(c.what, nanos(median(first)), c.target, nanos(median(spent)))
	}
	t.print(s.out)
	return nil
}

func (s *scriptRuns) rates() error {
	const words, events = 500_000, 500_000
	var text strings.Builder
	r := rand.New(rand.NewPCG(9, 10))
	for i := range words {
		end := " "
		if i%10 == 9 {
			end = "\n"
		}
		fmt.Fprintf(&text, "word%d%s", r.IntN(5000), end)
	}
	for name, content := range map[string]string{"words.txt": text.String(), "word.txt": "word0\n"} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o666); err != nil {
			return err
		}
	}
	count := func(input string) func() (int, time.Duration, error) {
		return func() (int, time.Duration, error) {
			out := filepath.Join(s.dir, "counts")
			if err := os.RemoveAll(out); err != nil {
				return 0, 0, err
			}
			_, took, err := s.finish(s.start(true, "words.py", "--", filepath.Join(s.dir, input), out))
			if err != nil {
				return 0, 0, err
			}
			lines, err := linesBelow(out)
			return lines, took, err
		}
	}
	timers := func(events int) func() (int, time.Duration, error) {
		return func() (int, time.Duration, error) {
			out, took, err := s.finish(s.start(true, "timers.py", "--", fmt.Sprint(events)))
			return bytes.Count(out, []byte("\n")), took, err
		}
	}
	t := newTable("PyFlink: scripts with keyed state, GOMAXPROCS=1; per second of processor time, less that of the start", "script", "elements", "rate", "target", "of the start")
	for _, c := range []struct {
		what, target string
		n, lines     int // elements, and the lines of the long and of the short run
		short        int
		long, start  func() (int, time.Duration, error)
	}{
		{"word count, 5,000 words", "150 k/s", words, words, 1, count("words.txt"), count("word.txt")},
		{"a value and a timer for each event, 100,000 keys", "60 k/s", events, events / 1000, 1, timers(events), timers(1)},
	} {
		var rates, starts []float64
		for range s.rounds {
			lines, short, err := c.start()
			if err == nil && lines != c.short {
				err = fmt.Errorf("%d lines came out, want %d", lines, c.short)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", c.what, err)
			}
			lines, long, err := c.long()
			if err == nil && lines != c.lines {
				err = fmt.Errorf("%d lines came out, want %d", lines, c.lines)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", c.what, err)
			}
			rates, starts = append(rates, float64(c.n)/(long-short).Seconds()), append(starts, float64(short))
		}
		t.add(c.what, fmt.Sprint(c.n), thousand(median(rates)), c.target, nanos(median(starts)))
	}
	t.print(s.out)
	return nil
}

// finish runs a command to its end and returns what it wrote and its processor time.
func (s *scriptRuns) finish(cmd *exec.Cmd) ([]byte, time.Duration, error) {
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, 0, fmt.Errorf("%v: %w\n%s", cmd, err, said.Bytes())
	}
	return out, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}

// linesBelow counts the lines of all files in a folder.
func linesBelow(folder string) (int, error) {
	n := 0
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		n += bytes.Count(content, []byte("\n"))
		return err
	})
	return n, err
}
