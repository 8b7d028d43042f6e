package compile

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"

	"golang.org/x/sys/cpu"

	"github.com/wasmill/wasmill/wasmhost/sealed"
)

// entry is a module that was compiled.
type entry struct {
	wasm []byte // as instrumented
	name string // of wazero's file, which wazero computes from wasm and the processor
	code []byte // that file
}

// kind names the layout of an entry: length of wasm (8 bytes, little-endian), name, wasm, code.
var kind = sealed.Kind{Magic: "wasmill code 1\n", Ending: ".code", Most: 2 << 30}

const (
	nameSize = 2 * sha256.Size
	headSize = 8 + nameSize
	maxWasm  = 128 << 20
)

// store keeps entries. A nil store keeps nothing.
type store struct{ files *sealed.Store }

func openStore(dir string) (*store, error) {
	files, err := sealed.Open(dir, kind)
	return &store{files}, err
}

// key names a module's entry: all that machine code depends on.
func (c *Compiler) key(m Module) string {
	var features any = cpu.X86
	if runtime.GOARCH == "arm64" {
		features = cpu.ARM64
	}
	from := ""
	if !m.Trusted {
		from = program()
	}
	h := sha256.New()
	// The folder's name has wazero's version, the architecture and the system.
	fmt.Fprintf(h, "%s%x\n%q\n%q\n%v\n%s\n", kind.Magic, m.Digest, m.Rule, filepath.Base(c.code), features, from)
	return hex.EncodeToString(h.Sum(nil))
}

// program names this build of the program: another one may have a rewriter or compiler with a fault less, under the same versions.
var program = sync.OnceValue(func() string {
	var name strings.Builder
	if path, err := os.Executable(); err == nil {
		if info, err := os.Stat(path); err == nil {
			fmt.Fprintln(&name, info.Size(), info.ModTime().UnixNano())
		}
	}
	if build, ok := debug.ReadBuildInfo(); ok {
		name.WriteString(build.String())
	}
	return name.String()
})

// lock waits for those who make an entry, and returns what lets the next one.
func (s *store) lock(ctx context.Context, key string) (unlock func()) {
	if s == nil {
		return func() {}
	}
	return s.files.Lock(ctx, key)
}

// get returns an entry that is sound.
func (s *store) get(key string, maxCode int64) (entry, bool) {
	if s == nil {
		return entry{}, false
	}
	content, ok := s.files.Get(key, int64(headSize)+maxWasm+maxCode)
	if !ok || len(content) < headSize {
		return entry{}, false
	}
	size := binary.LittleEndian.Uint64(content)
	name, body := content[8:headSize], content[headSize:]
	if size > uint64(len(body)) || !isName(string(name)) {
		s.files.Drop(key)
		return entry{}, false
	}
	return entry{wasm: body[:size:size], name: string(name), code: body[size:]}, true
}

// isName says whether a name is one that wazero gives, and no path.
func isName(name string) bool {
	b, err := hex.DecodeString(name)
	return err == nil && len(b) == sha256.Size && hex.EncodeToString(b) == name
}

// put keeps an entry.
func (s *store) put(key string, e entry) {
	if s == nil || !isName(e.name) {
		return
	}
	s.files.Put(key, binary.LittleEndian.AppendUint64(nil, uint64(len(e.wasm))), []byte(e.name), e.wasm, e.code)
}
