package compile

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/cpu"
)

// entry is a module that was compiled.
type entry struct {
	wasm []byte // as instrumented
	name string // of wazero's file, which wazero computes from wasm and the processor
	code []byte // that file
}

// magic begins the file of an entry and names the layout: magic, HMAC, length of wasm (8 bytes, little-endian), name, wasm, code.
const magic = "wasmill code 1\n"

const (
	nameSize = 2 * sha256.Size
	headSize = len(magic) + sha256.Size + 8 + nameSize
	maxWasm  = 128 << 20
	// maxStore is how many bytes are kept; what was used the longest ago goes first.
	maxStore = 2 << 30
	ending   = ".code"
)

// store is the folder of sealed entries. A nil store keeps nothing.
type store struct {
	dir string
	mac []byte // the key
}

func openStore(dir string) (*store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	mac, err := sealKey(filepath.Join(dir, "key"))
	return &store{dir: dir, mac: mac}, err
}

// sealKey reads the key, and makes it when there is none that only this user can read. Entries sealed with another key
// are as good as absent.
func sealKey(path string) ([]byte, error) {
	for range 2 {
		key, err := os.ReadFile(path)
		if err == nil {
			info, err := os.Lstat(path)
			if err != nil {
				return nil, err
			}
			if len(key) == sha256.Size && info.Mode() == 0o600 {
				return key, nil
			}
			if err := os.Remove(path); err != nil {
				return nil, err
			}
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		key = make([]byte, sha256.Size)
		rand.Read(key) // never fails
		// Linked into place whole: of several processes that start at once, one wins and the others read its key.
		if err := place(path, os.Link, key); err == nil {
			return key, nil
		} else if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s does not stay", path)
}

// place writes a file under a name of its own, which only this user can read, and gives it its name by rename or link.
func place(path string, name func(from, to string) error, parts ...[]byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	for _, p := range parts {
		if _, err := f.Write(p); err != nil {
			f.Close()
			return err
		}
	}
	if err := f.Close(); err != nil {
		return err
	}
	return name(f.Name(), path)
}

// key names a module's entry: all that machine code depends on.
func (c *Compiler) key(m Module) string {
	var features any = cpu.X86
	if runtime.GOARCH == "arm64" {
		features = cpu.ARM64
	}
	h := sha256.New()
	// The folder's name has wazero's version, the architecture and the system.
	fmt.Fprintf(h, "%s%x\n%q\n%q\n%v\n%s\n", magic, m.Digest, m.Rule, filepath.Base(c.code), features, program())
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

// seal returns the HMAC of an entry under a key: a file that was renamed does not pass for another.
func (s *store) seal(key string, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, s.mac)
	h.Write([]byte(key))
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// get returns an entry whose seal is good. Anything else under its name is removed.
func (s *store) get(key string, maxCode int64) (entry, bool) {
	if s == nil {
		return entry{}, false
	}
	path := filepath.Join(s.dir, key+ending)
	info, err := os.Stat(path)
	if err != nil {
		return entry{}, false
	}
	var file []byte
	if info.Mode().IsRegular() && info.Size() <= int64(headSize)+maxWasm+maxCode {
		file, err = os.ReadFile(path)
	}
	e, ok := s.open(key, file)
	if err != nil || !ok {
		os.Remove(path)
		return entry{}, false
	}
	now := time.Now()
	os.Chtimes(path, now, now) // for trim; without it the entry goes earlier
	return e, true
}

func (s *store) open(key string, file []byte) (entry, bool) {
	if len(file) < headSize || string(file[:len(magic)]) != magic {
		return entry{}, false
	}
	seal, rest := file[len(magic):len(magic)+sha256.Size], file[len(magic)+sha256.Size:]
	if !hmac.Equal(seal, s.seal(key, rest)) {
		return entry{}, false
	}
	size := binary.LittleEndian.Uint64(rest)
	name, body := rest[8:8+nameSize], rest[8+nameSize:]
	if size > uint64(len(body)) || !isName(string(name)) {
		return entry{}, false
	}
	return entry{wasm: body[:size:size], name: string(name), code: body[size:]}, true
}

// isName says whether a name is one that wazero gives, and no path.
func isName(name string) bool {
	b, err := hex.DecodeString(name)
	return err == nil && len(b) == sha256.Size && hex.EncodeToString(b) == name
}

// put keeps an entry. That it cannot is no error: the module is compiled anew the next time.
func (s *store) put(key string, e entry) {
	if s == nil || !isName(e.name) {
		return
	}
	size := binary.LittleEndian.AppendUint64(nil, uint64(len(e.wasm)))
	parts := [][]byte{size, []byte(e.name), e.wasm, e.code}
	seal := s.seal(key, parts...)
	s.trim(maxStore - int64(len(e.wasm)+len(e.code)))
	_ = place(filepath.Join(s.dir, key+ending), os.Rename, append([][]byte{[]byte(magic), seal}, parts...)...)
}

// trim removes the entries that were used the longest ago, until they have at most so many bytes.
func (s *store) trim(most int64) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return
	}
	var files []fs.FileInfo
	total := int64(0)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && filepath.Ext(e.Name()) == ending {
			files = append(files, info)
			total += info.Size()
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for _, f := range files {
		if total <= most {
			return
		}
		if os.Remove(filepath.Join(s.dir, f.Name())) == nil {
			total -= f.Size()
		}
	}
}
