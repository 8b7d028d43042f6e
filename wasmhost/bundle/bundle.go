// Package bundle reads what a user uploads: one .wasm or .py file, or a .zip, a .tar.gz or a folder with a module, data files,
// Python packages and wheels, and wasmill.yaml.
//
// Nothing in an upload is trusted: sizes and counts are taken while unpacking, never from headers, and nothing is
// written to disk.
package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/wasmill/wasmill/engine/fault"
)

// The limits of an upload.
const (
	MaxUpload   = 256 << 20 // bytes of the upload itself
	MaxFiles    = 1000      // entries of an archive, folders included
	MaxFile     = 64 << 20  // bytes of one unpacked file, and of a module
	MaxUnpacked = 256 << 20 // bytes of an archive's contents in all
)

// limits are what Read keeps to; tests use smaller ones.
type limits struct {
	upload, file, unpacked int64
	files                  int
}

var standard = limits{upload: MaxUpload, files: MaxFiles, file: MaxFile, unpacked: MaxUnpacked}

// size writes a number of bytes for people.
func size(n int64) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}

// Bundle is an upload that has been unpacked in memory. Its module has not been looked at; see [Inspect].
type Bundle struct {
	// Name is the manifest's name, or the file's name without its ending for a single module.
	Name string
	// Version and Description are the manifest's; may be empty.
	Version, Description string
	// Digest is the SHA-256 of the upload, in lower-case hex; of a folder that of what was read of it. It does not cover
	// the upload's name.
	Digest string
	// Size is the length of the upload in bytes.
	Size int64
	// Module is the path of the module inside of the archive, or the file's name for a single module: a .wasm, or the .py
	// that is [Python.Main].
	Module string
	// Wasm is the module. Exactly one of Wasm and Python is set.
	Wasm []byte
	// Python says what is run of Files; nil for a module.
	Python *Python
	// Files holds the files of the upload by path, with "/" between parts: all but the manifest and a .wasm module.
	// Wheels are unpacked. Nil for a single module. Guests see them below /bundle, and nobody changes them.
	Files map[string][]byte
}

var (
	magicWasm = []byte("\x00asm")
	magicZip  = []byte("PK")
	magicGzip = []byte("\x1f\x8b")
)

// Open reads the bundle in a file or folder. Errors are faults of code Bundle with the path in their position, Limit where it is
// too large, and Connect when the file cannot be read.
func Open(path string) (*Bundle, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return openFolder(path, standard)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer f.Close()
	// One byte more than allowed, so that Read sees that it is too much. The file's own size is not relied upon.
	upload, err := io.ReadAll(io.LimitReader(f, MaxUpload+1))
	if err != nil {
		return nil, unreadable(path, err)
	}
	b, err := Read(filepath.Base(path), upload)
	if err != nil {
		return nil, fault.From(err).In("%s", path)
	}
	return b, nil
}

func unreadable(path string, err error) error {
	switch {
	case os.IsNotExist(err):
		return fault.New(fault.Bundle, "there is no such file").At("%s", path)
	}
	return fault.New(fault.Connect, "cannot be read: %v", err).At("%s", path)
}

// Read reads the bundle in upload, whose kind it tells by the first bytes. Name is the upload's file name, from which a
// single module takes its own. The bundle keeps the upload's memory when that is a single module.
func Read(name string, upload []byte) (*Bundle, error) { return read(name, upload, standard) }

func read(name string, upload []byte, l limits) (*Bundle, error) {
	if int64(len(upload)) > l.upload {
		return nil, fault.New(fault.Limit, "the bundle is larger than %s", size(l.upload))
	}
	sum := sha256.Sum256(upload)
	b := &Bundle{Digest: hex.EncodeToString(sum[:]), Size: int64(len(upload))}
	u := newUnpacker(l)
	var err error
	switch {
	case bytes.HasPrefix(upload, magicWasm):
		b.Module, b.Wasm = name, upload
		b.Name = strings.TrimSuffix(name, filepath.Ext(name))
		if int64(len(upload)) > l.file {
			return nil, fault.New(fault.Limit, "the module is larger than %s", size(l.file))
		}
		return b, nil
	case isPython(name):
		return b.script(name, upload, l)
	case bytes.HasPrefix(upload, magicZip):
		err = u.unzip(upload)
	case bytes.HasPrefix(upload, magicGzip):
		err = u.untar(upload)
	default:
		return nil, fault.New(fault.Bundle, "this is neither a WebAssembly module, a .py nor a .zip or .tar.gz archive").
			WithHint("%s", kindHint(name, upload))
	}
	if err != nil {
		return nil, err
	}
	b.Files = u.files
	return b, b.fill(u)
}

func kindHint(name string, upload []byte) string {
	switch {
	case len(upload) == 0:
		return "the file is empty"
	case strings.HasSuffix(name, ".wat"):
		return "this is text; translate it with wat2wasm first"
	case strings.HasSuffix(name, ".tar"):
		return "compress the archive with gzip"
	}
	return "a module starts with the bytes 00 61 73 6d"
}

// fill takes the manifest and the module out of the unpacked files.
func (b *Bundle) fill(u *unpacker) error {
	text, ok := b.Files[ManifestName]
	if !ok {
		main, err := mainScript(b.Files)
		if err != nil {
			return err
		}
		if main != "" {
			b.Module, b.Name = main, strings.TrimSuffix(main, ".py")
			return b.fillPython(u, &Manifest{})
		}
		f := fault.New(fault.Bundle, "the archive has no %s and no .py", ManifestName)
		if folder := around(b.Files); folder != "" {
			return f.WithHint("they belong at the archive's root, but it was packed with the folder `%s` around them", clip(folder))
		}
		return f.WithHint("it names the bundle and its module: `name: flights` and `module: flights.wasm`")
	}
	m, err := ParseManifest(text)
	if err != nil {
		return err
	}
	b.Name, b.Version, b.Description, b.Module = m.Name, m.Version, m.Description, m.Module
	delete(b.Files, ManifestName)
	module, ok := b.Files[m.Module]
	if !ok {
		return fault.New(fault.Bundle, "the module `%s` is not in the archive", m.Module).At("%s:%s", ManifestName, m.modulePosition).
			WithHint("%s", fault.DidYouMean(m.Module, b.modules()))
	}
	if isPython(m.Module) {
		return b.fillPython(u, m)
	}
	if !bytes.HasPrefix(module, magicWasm) {
		return fault.New(fault.Bundle, "the module `%s` is neither WebAssembly nor a .py", m.Module).At("%s:%s", ManifestName, m.modulePosition).
			WithHint("a module starts with the bytes 00 61 73 6d")
	}
	if len(m.Paths) > 0 {
		return fault.New(fault.Bundle, "`paths` are for imports of Python code, and the module is WebAssembly").At("%s:%s", ManifestName, m.Paths[0].position)
	}
	b.Wasm = module
	delete(b.Files, m.Module)
	return nil
}

// around returns the one folder that all files are in, "" for none.
func around(files map[string][]byte) string {
	one := ""
	for name := range files {
		folder, _, below := strings.Cut(name, "/")
		if !below || one != "" && one != folder {
			return ""
		}
		one = folder
	}
	return one
}

func (b *Bundle) modules() []string {
	var paths []string
	for path := range b.Files {
		if strings.HasSuffix(path, ".wasm") || isPython(path) {
			paths = append(paths, path)
		}
	}
	return paths
}
