package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestCtrlCTwiceEndsAJobThatHangs has an output that nobody reads, so that the job can neither be drained nor stopped.
func TestCtrlCTwiceEndsAJobThatHangs(t *testing.T) {
	dir := t.TempDir()
	// A row alone is more than a pipe holds.
	pipeline := `
input: {generate: {rate: 10, fields: {text: {kind: choice, values: [` + strings.Repeat("x", 256<<10) + `]}}}, schema: {text: utf8}}
output: stdout
`
	if err := os.WriteFile(filepath.Join(dir, "hang.yaml"), []byte(pipeline), 0o666); err != nil {
		t.Fatal(err)
	}
	path, err := exec.LookPath("wasmill")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "run", "hang.yaml")
	cmd.Dir = dir
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	if _, err := io.ReadFull(out, make([]byte, 1)); err != nil { // the job is at work, and from now on nobody reads
		t.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() && !strings.Contains(lines.Text(), "Ctrl-C again stops at once") {
	}
	// One that comes with the first is the same. Later ones are not, however late this test gets to them.
	for _, wait := range []time.Duration{0, 2 * sameSignal} {
		time.Sleep(wait)
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
	}
	var rest strings.Builder
	for lines.Scan() {
		rest.WriteString(lines.Text() + "\n")
	}
	const want = "error: stopped before the end\n  hint: what was committed stays; run the same command again to go on from there\n"
	if rest.String() != want {
		t.Errorf("got %q, want %q", rest.String(), want)
	}
	state, err := cmd.Process.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if status := state.Sys().(syscall.WaitStatus); !status.Exited() || status.ExitStatus() != exitFailed {
		t.Errorf("got %s", state)
	}
}
