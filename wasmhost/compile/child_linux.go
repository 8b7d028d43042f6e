package compile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"

	"github.com/tetratelabs/wazero"
	"golang.org/x/sys/unix"

	"github.com/wasmill/wasmill/engine/fault"
)

// childArg is the first argument of a child. The others are its folder and its limits.
const childArg = "wasmill-compile-child"

// Reports of a child, the first word of its output. A child that was ended says nothing.
const (
	reportDone    = "done"
	reportRefused = "refused"
	reportOutput  = "output"
)

// ready says that the program calls [Child], so that it can be started as one.
var ready atomic.Bool

// Child does the work of a child process if this is one, and reports that it did; then the program must end. It must be called before the
// program does anything else. A program that never calls it compiles modules in its own process.
func Child() bool {
	if len(os.Args) != 6 || os.Args[1] != childArg {
		ready.Store(true)
		return false
	}
	report, text := reportRefused, "the compiler's limits cannot be set"
	if err := confine(os.Args[3:]); err == nil {
		report, text = child(os.Args[2], os.Stdin)
	}
	fmt.Fprintf(os.Stdout, "%s %s", report, text)
	return true
}

// childArgs are the arguments that confine takes.
func (l Limits) childArgs() []string {
	return []string{
		strconv.FormatUint(l.Memory, 10), strconv.FormatUint(uint64(l.CPU.Seconds()), 10), strconv.FormatInt(l.Output, 10),
	}
}

// confine sets the limits of this process: memory in bytes, CPU time in seconds, size of files in bytes. RLIMIT_DATA counts private
// writable mappings, which is all that Go's heap and wazero's code are made of; address space that Go only
// reserves does not count, as it would for RLIMIT_AS.
func confine(args []string) error {
	var numbers [3]uint64
	for i := range numbers {
		n, err := strconv.ParseUint(args[i], 10, 64)
		if err != nil {
			return err
		}
		numbers[i] = n
	}
	data, err := dataSize()
	if err != nil {
		return err
	}
	for _, l := range []struct {
		resource int
		most     uint64
	}{{unix.RLIMIT_DATA, data + numbers[0]}, {unix.RLIMIT_CPU, numbers[1]}, {unix.RLIMIT_FSIZE, numbers[2]}, {unix.RLIMIT_CORE, 0}} {
		if err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: l.most, Max: l.most}); err != nil {
			return err
		}
	}
	return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
}

// dataSize returns what counts for RLIMIT_DATA now, in bytes.
func dataSize() (uint64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, ok := bytes.Cut(status, []byte("VmData:"))
	if !ok {
		return 0, errors.New("no VmData")
	}
	var kib uint64
	_, err = fmt.Sscan(string(rest), &kib)
	return kib << 10, err
}

// child compiles what comes on in, and leaves the machine code in dir in a file of wazero's.
func child(dir string, in io.Reader) (report, text string) {
	wasm, err := io.ReadAll(io.LimitReader(in, maxWasm+1))
	if err != nil || len(wasm) > maxWasm {
		return reportRefused, "the module did not arrive"
	}
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return reportRefused, "the compiler has no folder"
	}
	ctx := context.Background()
	_, err = compileModule(ctx, wazero.NewRuntimeWithConfig(ctx, config().WithCompilationCache(cache)), wasm)
	switch {
	case errors.Is(err, syscall.EFBIG):
		return reportOutput, ""
	case err != nil:
		return reportRefused, fault.From(err).What
	}
	return reportDone, ""
}
