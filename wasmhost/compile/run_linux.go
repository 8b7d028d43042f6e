package compile

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/wasmill/wasmill/engine/fault"
)

// maxReport is how much of a child's output is looked at, in bytes.
const maxReport = 64 << 10

// run compiles in a child process and returns the name and the content of wazero's file.
func (c *Compiler) run(ctx context.Context, wasm []byte, limits Limits) (name string, code []byte, err error) {
	dir, err := os.MkdirTemp(c.scratch, "child-")
	if err != nil {
		return "", nil, folderFault(err)
	}
	defer os.RemoveAll(dir)
	// The child dies with the thread that started it, see prctl(2), PR_SET_PDEATHSIG.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	wall, cancel := context.WithTimeout(ctx, limits.Wall)
	defer cancel()
	cmd := exec.CommandContext(wall, "/proc/self/exe", append([]string{childArg, dir}, limits.childArgs()...)...)
	cmd.Args[0] = os.Args[0] // a program may go by its name
	// Nothing of this process's own, which may hold secrets. A race detector's report would only come late.
	cmd.Env = []string{
		fmt.Sprintf("GOMEMLIMIT=%d", limits.Memory*3/4), "GOMAXPROCS=2", "GOTRACEBACK=none", "GORACE=atexit_sleep_ms=0",
	}
	cmd.Dir = dir
	cmd.Stdin = bytes.NewReader(wasm)
	cmd.WaitDelay = 5 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var out, complaint clipped
	cmd.Stdout, cmd.Stderr = &out, &complaint
	failed := cmd.Run()
	report, text, _ := strings.Cut(out.String(), " ")
	switch {
	case ctx.Err() != nil:
		return "", nil, fault.New(fault.Internal, "the module was not compiled: %v", ctx.Err())
	case report == reportDone && failed == nil:
		return take(dir, limits)
	case report == reportRefused:
		return "", nil, fault.New(fault.Admission, "%s", printable(text))
	}
	return "", nil, limits.exceeded(wall, cmd.ProcessState, report, complaint.String(), failed)
}

// outOfMemory is what Go's runtime, its race detector and the C library say when they get no memory, for a thread's stack too.
var outOfMemory = regexp.MustCompile(`out of memory|cannot allocate memory|failed to allocate|pthread_create failed|failed to create new OS thread`)

// exceeded says which limit ended a child.
func (l Limits) exceeded(wall context.Context, end *os.ProcessState, report, complaint string, failed error) error {
	var used time.Duration
	if end != nil {
		used = end.UserTime() + end.SystemTime()
	}
	limit := ""
	switch {
	case report == reportOutput:
		limit = fmt.Sprintf("makes more than %s of machine code", size(uint64(l.Output)))
	case outOfMemory.MatchString(complaint):
		limit = fmt.Sprintf("takes more than %s of memory", size(l.Memory))
	case wall.Err() != nil:
		limit = fmt.Sprintf("takes longer than %v", l.Wall)
	case used >= l.CPU-l.CPU/10:
		limit = fmt.Sprintf("takes more than %v of CPU time", l.CPU)
	default:
		line, _, _ := strings.Cut(complaint, "\n")
		return fault.New(fault.Admission, "the module cannot be compiled: the compiler ended early, %v: %s", failed, printable(line))
	}
	return fault.New(fault.Limit, "compiling the module %s", limit).WithHint("split its largest functions, or optimise for size")
}

// size writes a number of bytes for people.
func size(n uint64) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}

// take reads what a child has left: one file in one folder.
func take(dir string, limits Limits) (name string, code []byte, err error) {
	path, err := only(dir)
	if err == nil {
		path, err = only(path)
	}
	if err != nil {
		return "", nil, fault.New(fault.Internal, "the compiler left no machine code: %v", err)
	}
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > limits.Output || !isName(filepath.Base(path)) {
		return "", nil, fault.New(fault.Internal, "the compiler left something else than machine code")
	}
	if code, err = os.ReadFile(path); err != nil {
		return "", nil, folderFault(err)
	}
	return filepath.Base(path), code, nil
}

// clipped keeps the beginning of what is written to it.
type clipped struct{ bytes.Buffer }

func (c *clipped) Write(b []byte) (int, error) {
	c.Buffer.Write(b[:min(len(b), maxReport-c.Len())])
	return len(b), nil
}

// printable makes a child's text fit for a terminal.
func printable(text string) string {
	if len(text) > 300 {
		text = text[:300] + "..."
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
}
