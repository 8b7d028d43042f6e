package wasmhost

import (
	"crypto/rand"
	"encoding/binary"
	"runtime"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasmill/wasmill/engine/fault"
)

// wasiModule is WASI's first version, https://github.com/WebAssembly/WASI/blob/snapshot-01/phases/snapshot/docs.md. It is
// ours and not wazero's, since a guest chooses every number that it passes: wazero's functions look at as many vectors
// as a guest names and fill as many random bytes, neither of which a deadline ends, and grow their table of descriptors to any number.
const wasiModule = "wasi_snapshot_preview1"

// Levels of lines that a guest prints, as in log/slog.
const (
	levelInfo = 0
	levelWarn = 4
)

// errno is a WASI error number.
type errno uint16

const (
	errnoSuccess errno = 0
	errnoBadf    errno = 8
	errnoFault   errno = 21
	errnoInval   errno = 28
	errnoNosys   errno = 52
	errnoNotsock errno = 57
	errnoSpipe   errno = 70
)

// Limits of WASI calls: vectors or subscriptions of one call, and bytes handled from one look at the clock to the next.
const (
	maxVectors  = 1024
	randomPiece = 64 << 10
	printPiece  = 4 << 10
)

// closed is what functions on files answer: there are none.
func closed(*guest, []uint64) errno { return errnoBadf }

// done is what functions answer that have nothing to do.
func done(*guest, []uint64) errno { return errnoSuccess }

// onStream answers for the three standard streams with what f says, and for other descriptors that they are not open.
func onStream(f func(*guest, []uint64) errno) func(*guest, []uint64) errno {
	return func(g *guest, p []uint64) errno {
		if uint32(p[0]) > 2 {
			return errnoBadf
		}
		return f(g, p)
	}
}

// wasi lists the module: each function with the types of its parameters, i for i32 and I for i64. All but proc_exit return a number.
var wasi = []struct {
	name, params string
	call         func(*guest, []uint64) errno
}{
	{"args_get", "ii", done},
	{"args_sizes_get", "ii", (*guest).wasiNoTexts},
	{"environ_get", "ii", done},
	{"environ_sizes_get", "ii", (*guest).wasiNoTexts},
	{"clock_res_get", "ii", (*guest).wasiClockRes},
	{"clock_time_get", "iIi", (*guest).wasiClockTime},
	{"random_get", "ii", (*guest).wasiRandom},
	{"sched_yield", "", func(*guest, []uint64) errno { runtime.Gosched(); return errnoSuccess }},
	{"poll_oneoff", "iiii", (*guest).wasiPoll},
	{"proc_raise", "i", func(*guest, []uint64) errno { return errnoNosys }},
	{"fd_close", "i", onStream(done)},
	{"fd_datasync", "i", onStream(done)},
	{"fd_sync", "i", onStream(done)},
	{"fd_fdstat_get", "ii", onStream((*guest).wasiFdstat)},
	{"fd_fdstat_set_flags", "ii", onStream(done)},
	{"fd_fdstat_set_rights", "iII", onStream(done)},
	{"fd_filestat_get", "ii", onStream((*guest).wasiFilestat)},
	{"fd_read", "iiii", onStream((*guest).wasiRead)},
	{"fd_write", "iiii", onStream((*guest).wasiWrite)},
	{"fd_seek", "iIii", onStream(func(*guest, []uint64) errno { return errnoSpipe })},
	{"fd_tell", "ii", onStream(func(*guest, []uint64) errno { return errnoSpipe })},
	{"fd_advise", "iIIi", closed},
	{"fd_allocate", "iII", closed},
	{"fd_filestat_set_size", "iI", closed},
	{"fd_filestat_set_times", "iIIi", closed},
	{"fd_pread", "iiiIi", closed},
	{"fd_prestat_get", "ii", closed},
	{"fd_prestat_dir_name", "iii", closed},
	{"fd_pwrite", "iiiIi", closed},
	{"fd_readdir", "iiiIi", closed},
	{"fd_renumber", "ii", closed},
	{"path_create_directory", "iii", closed},
	{"path_filestat_get", "iiiii", closed},
	{"path_filestat_set_times", "iiiiIIi", closed},
	{"path_link", "iiiiiii", closed},
	{"path_open", "iiiiiIIii", closed},
	{"path_readlink", "iiiiii", closed},
	{"path_remove_directory", "iii", closed},
	{"path_rename", "iiiiii", closed},
	{"path_symlink", "iiiii", closed},
	{"path_unlink_file", "iii", closed},
	{"sock_accept", "iii", onStream(func(*guest, []uint64) errno { return errnoNotsock })},
	{"sock_recv", "iiiiii", onStream(func(*guest, []uint64) errno { return errnoNotsock })},
	{"sock_send", "iiiii", onStream(func(*guest, []uint64) errno { return errnoNotsock })},
	{"sock_shutdown", "ii", onStream(func(*guest, []uint64) errno { return errnoNotsock })},
}

// wasiImports are the functions of WASI that there are: clocks, randomness, waiting, and printing to the log. Files, sockets,
// arguments and environment are empty.
func wasiImports() []hostFunction {
	list := []hostFunction{{wasiModule, "proc_exit", types("i"), nil, func(_ *guest, stack []uint64) {
		panic(fault.New(fault.Guest, "the guest left with exit code %d", uint32(stack[0])))
	}}}
	for _, f := range wasi {
		list = append(list, hostFunction{wasiModule, f.name, types(f.params), types("i"), func(g *guest, stack []uint64) {
			stack[0] = uint64(f.call(g, stack))
		}})
	}
	return list
}

// types reads a list of types: i for i32, I for i64, f for f64.
func types(letters string) []api.ValueType {
	var list []api.ValueType
	for _, c := range letters {
		list = append(list, map[rune]api.ValueType{'i': api.ValueTypeI32, 'I': api.ValueTypeI64, 'f': api.ValueTypeF64}[c])
	}
	return list
}

// put writes little-endian words of 4 bytes to the guest's memory.
func (g *guest) put(ptr uint64, words ...uint32) errno {
	b, ok := g.view(uint32(ptr), uint32(4*len(words)))
	if !ok {
		return errnoFault
	}
	for i, w := range words {
		binary.LittleEndian.PutUint32(b[4*i:], w)
	}
	return errnoSuccess
}

func (g *guest) putLong(ptr, v uint64) errno { return g.put(ptr, uint32(v), uint32(v>>32)) }

// wasiNoTexts says that there are no arguments, and no variables in the environment.
func (g *guest) wasiNoTexts(p []uint64) errno {
	if e := g.put(p[0], 0); e != errnoSuccess {
		return e
	}
	return g.put(p[1], 0)
}

// Clocks of WASI.
const (
	clockRealtime  = 0
	clockMonotonic = 1
)

// started is where the guests' monotonic clock begins.
var started = time.Now()

// wasiNow reads a clock in nanoseconds. The monotonic one is never 0, which Go's runtime takes for a broken clock.
func wasiNow(clock uint32) (ns uint64, ok bool) {
	switch clock {
	case clockRealtime:
		return uint64(time.Now().UnixNano()), true
	case clockMonotonic:
		return uint64(time.Since(started)) + 1, true
	}
	return 0, false
}

func (g *guest) wasiClockRes(p []uint64) errno {
	if uint32(p[0]) > clockMonotonic {
		return errnoInval
	}
	return g.putLong(p[1], 1)
}

func (g *guest) wasiClockTime(p []uint64) errno {
	now, ok := wasiNow(uint32(p[0]))
	if !ok {
		return errnoInval
	}
	return g.putLong(p[2], now)
}

// wasiRandom fills memory with random bytes, and looks at the clock on the way.
func (g *guest) wasiRandom(p []uint64) errno {
	b, ok := g.view(uint32(p[0]), uint32(p[1]))
	if !ok {
		return errnoFault
	}
	for len(b) > 0 {
		n := min(len(b), randomPiece)
		g.charge(int64(n))
		g.checkTime()
		rand.Read(b[:n]) // never fails
		b = b[n:]
	}
	return errnoSuccess
}

// What the standard streams are: character devices without a place, of which the first is read and the others are written.
const (
	characterDevice = 2
	rightRead       = 1 << 1
	rightWrite      = 1 << 6
)

func (g *guest) wasiFdstat(p []uint64) errno {
	rights := uint32(rightWrite)
	if uint32(p[0]) == 0 {
		rights = rightRead
	}
	return g.put(p[1], characterDevice, 0, rights, 0, 0, 0)
}

func (g *guest) wasiFilestat(p []uint64) errno {
	return g.put(p[1], 0, 0, 0, 0, characterDevice, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0)
}

// wasiRead finds the end of standard input.
func (g *guest) wasiRead(p []uint64) errno {
	if uint32(p[0]) != 0 {
		return errnoBadf
	}
	return g.put(p[3], 0)
}

// wasiWrite prints to the log.
func (g *guest) wasiWrite(p []uint64) errno {
	to := &g.stdout
	switch uint32(p[0]) {
	case 0:
		return errnoBadf
	case 2:
		to = &g.stderr
	}
	n := uint32(p[2])
	if n > maxVectors {
		return errnoInval
	}
	vectors, ok := g.view(uint32(p[1]), 8*n)
	if !ok {
		return errnoFault
	}
	written := uint64(0)
	for ; len(vectors) > 0; vectors = vectors[8:] {
		text, ok := g.view(binary.LittleEndian.Uint32(vectors), binary.LittleEndian.Uint32(vectors[4:]))
		if !ok {
			return errnoFault
		}
		written += uint64(len(text))
		for len(text) > 0 {
			n := min(len(text), printPiece)
			g.charge(fuelPrint * int64(n))
			g.checkTime()
			to.Write(text[:n])
			text = text[n:]
		}
	}
	if written > 1<<32-1 {
		return errnoInval
	}
	return g.put(p[3], uint32(written))
}
