package wasmhost

import (
	"encoding/binary"
	"fmt"
	"runtime"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasmill/wasmill/engine/fault"
)

// wasiModule is WASI's first version, https://github.com/WebAssembly/WASI/blob/snapshot-01/phases/snapshot/docs.md. It is
// ours and not wazero's, since a guest chooses every number that it passes: wazero's functions look at as many vectors
// as a guest names and fill as many random bytes, neither of which a deadline ends, and grow their table of descriptors to any number.
const wasiModule = "wasi_snapshot_preview1"

// Levels of lines that a guest prints, as in log/slog.
const (
	levelInfo  = 0
	levelWarn  = 4
	levelError = 8
)

// errno is a WASI error number.
type errno uint16

const (
	errnoSuccess     errno = 0
	errnoBadf        errno = 8
	errnoExist       errno = 20
	errnoFault       errno = 21
	errnoIlseq       errno = 25
	errnoInval       errno = 28
	errnoIo          errno = 29
	errnoIsdir       errno = 31
	errnoMfile       errno = 33
	errnoNametoolong errno = 37
	errnoNoent       errno = 44
	errnoNospc       errno = 51
	errnoNosys       errno = 52
	errnoNotdir      errno = 54
	errnoNotempty    errno = 55
	errnoNotsock     errno = 57
	errnoNotsup      errno = 58
	errnoRofs        errno = 69
	errnoSpipe       errno = 70
)

// Limits of WASI calls: vectors or subscriptions of one call, and bytes handled from one look at the clock to the next.
const (
	maxVectors  = 1024
	randomPiece = 64 << 10
	printPiece  = 4 << 10
)

// closed is what functions on files answer for standard streams.
func closed(*guest, []uint64) errno { return errnoBadf }

// done is what functions answer that have nothing to do.
func done(*guest, []uint64) errno { return errnoSuccess }

// answer is a function that does nothing but answer.
func answer(e errno) func(*guest, []uint64) errno {
	return func(*guest, []uint64) errno { return e }
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
	{"proc_raise", "i", answer(errnoNosys)},
	{"fd_close", "i", onFile(done, (*guest).fdClose)},
	{"fd_datasync", "i", onFile(done, always(errnoSuccess))},
	{"fd_sync", "i", onFile(done, always(errnoSuccess))},
	{"fd_fdstat_get", "ii", onFile((*guest).wasiFdstat, (*guest).fdStat)},
	{"fd_fdstat_set_flags", "ii", onFile(done, always(errnoSuccess))},
	{"fd_fdstat_set_rights", "iII", onFile(done, always(errnoSuccess))},
	{"fd_filestat_get", "ii", onFile((*guest).wasiFilestat, (*guest).fdFilestat)},
	{"fd_read", "iiii", onFile((*guest).wasiRead, (*guest).fdRead)},
	{"fd_write", "iiii", onFile((*guest).wasiWrite, (*guest).fdWrite)},
	{"fd_seek", "iIii", onFile(answer(errnoSpipe), (*guest).fdSeek)},
	{"fd_tell", "ii", onFile(answer(errnoSpipe), (*guest).fdTell)},
	{"fd_advise", "iIIi", onFile(closed, always(errnoSuccess))},
	{"fd_allocate", "iII", onFile(closed, always(errnoRofs))},
	{"fd_filestat_set_size", "iI", onFile(closed, (*guest).fdSetSize)},
	{"fd_filestat_set_times", "iIIi", onFile(closed, always(errnoRofs))},
	{"fd_pread", "iiiIi", onFile(closed, (*guest).fdPread)},
	{"fd_prestat_get", "ii", onFile(closed, (*guest).fdPrestat)},
	{"fd_prestat_dir_name", "iii", onFile(closed, (*guest).fdPrestatName)},
	{"fd_pwrite", "iiiIi", onFile(closed, (*guest).fdPwrite)},
	{"fd_readdir", "iiiIi", onFile(closed, (*guest).fdReaddir)},
	{"fd_renumber", "ii", onFile(closed, always(errnoNotsup))},
	{"path_create_directory", "iii", (*guest).pathCreate},
	{"path_filestat_get", "iiiii", (*guest).pathFilestat},
	{"path_filestat_set_times", "iiiiIIi", (*guest).pathSetTimes},
	{"path_link", "iiiiiii", unwritable(4)},
	{"path_open", "iiiiiIIii", (*guest).pathOpen},
	{"path_readlink", "iiiiii", (*guest).pathReadlink},
	{"path_remove_directory", "iii", pathRemove(true)},
	{"path_rename", "iiiiii", (*guest).pathRename},
	{"path_symlink", "iiiii", unwritable(2)},
	{"path_unlink_file", "iii", pathRemove(false)},
	{"sock_accept", "iii", onFile(answer(errnoNotsock), always(errnoNotsock))},
	{"sock_recv", "iiiiii", onFile(answer(errnoNotsock), always(errnoNotsock))},
	{"sock_send", "iiiii", onFile(answer(errnoNotsock), always(errnoNotsock))},
	{"sock_shutdown", "ii", onFile(answer(errnoNotsock), always(errnoNotsock))},
}

// Exit is the cause of the fault of a guest that ended itself, with its exit code.
type Exit uint32

// Error implements error.
func (e Exit) Error() string { return fmt.Sprintf("the guest left with exit code %d", uint32(e)) }

// wasiImports are the functions of WASI that there are: clocks, randomness, waiting, printing to the log, and reading the files that the
// host gives and, of scripts, writing in a folder for what is temporary. Sockets, arguments and environment are empty.
func wasiImports() []hostFunction {
	list := []hostFunction{{wasiModule, "proc_exit", types("i"), nil, func(_ *guest, stack []uint64) {
		code := Exit(stack[0])
		panic(&fault.Fault{Code: fault.Guest, What: code.Error(), Cause: code})
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

// now reads a clock in nanoseconds. The monotonic one begins with the host, and is never 0, which Go's runtime takes for a broken clock.
func (h *Host) now(clock uint32) (ns uint64, ok bool) {
	switch clock {
	case clockRealtime:
		return uint64(h.options.Now().UnixNano()), true
	case clockMonotonic:
		return uint64(h.options.Now().Sub(h.started)) + 1, true
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
	now, ok := g.bundle.host.now(uint32(p[0]))
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
		g.bundle.host.options.Random(b[:n])
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
