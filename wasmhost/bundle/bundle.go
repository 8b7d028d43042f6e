// Package bundle reads what a user uploads: one .wasm file, or a .zip or .tar.gz with wasmill.yaml, a module and data files.
//
// Nothing in an upload is trusted: sizes and counts are taken while unpacking, never from headers, and nothing is
// written to disk.
package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

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
	// Digest is the SHA-256 of the upload, in lower-case hex.
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

// Python is a bundle of Python code.
type Python struct {
	// Main is the path in Files of the .py that holds the functions.
	Main string
	// Paths lists the folders of Files that imports are looked for in, beside the one that Main is in: unpacked wheels, and
	// what the manifest names. In that order; without "/" at the end.
	Paths []string
}

var (
	magicWasm = []byte("\x00asm")
	magicZip  = []byte("PK")
	magicGzip = []byte("\x1f\x8b")
)

// Open reads the bundle in a file. Errors are faults of code Bundle with the path in their position, Limit where it is
// too large, and Connect when the file cannot be read.
func Open(path string) (*Bundle, error) {
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
	case errors.Is(err, syscall.EISDIR):
		return fault.New(fault.Bundle, "this is a folder").At("%s", path).WithHint("name the .wasm, .zip or .tar.gz in it")
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
	var err error
	switch {
	case bytes.HasPrefix(upload, magicWasm):
		b.Module, b.Wasm = name, upload
		b.Name = strings.TrimSuffix(name, filepath.Ext(name))
		if int64(len(upload)) > l.file {
			return nil, fault.New(fault.Limit, "the module is larger than %s", size(l.file))
		}
		return b, nil
	case bytes.HasPrefix(upload, magicZip):
		b.Files, err = unzip(upload, l)
	case bytes.HasPrefix(upload, magicGzip):
		b.Files, err = untar(upload, l)
	default:
		return nil, fault.New(fault.Bundle, "this is neither a WebAssembly module nor a .zip or .tar.gz archive").
			WithHint("%s", kindHint(name, upload))
	}
	if err != nil {
		return nil, err
	}
	return b, b.fill()
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
func (b *Bundle) fill() error {
	text, ok := b.Files[ManifestName]
	if !ok {
		f := fault.New(fault.Bundle, "the archive has no %s", ManifestName)
		for path := range b.Files {
			if strings.HasSuffix(path, "/"+ManifestName) {
				return f.WithHint("it must be at the archive's root, but the archive was packed with a folder around it")
			}
		}
		return f.WithHint("it names the bundle and its module: `name: flights` and `module: flights.wasm`")
	}
	m, err := ParseManifest(text)
	if err != nil {
		return err
	}
	b.Name, b.Version, b.Description, b.Module = m.Name, m.Version, m.Description, m.Module
	b.Wasm, ok = b.Files[m.Module]
	if !ok {
		return fault.New(fault.Bundle, "the module `%s` is not in the archive", m.Module).At("%s:%s", ManifestName, m.modulePosition).
			WithHint("%s", fault.DidYouMean(m.Module, b.modules()))
	}
	if !bytes.HasPrefix(b.Wasm, magicWasm) {
		return fault.New(fault.Bundle, "the module `%s` is not WebAssembly", m.Module).At("%s:%s", ManifestName, m.modulePosition).
			WithHint("a module starts with the bytes 00 61 73 6d")
	}
	delete(b.Files, ManifestName)
	delete(b.Files, m.Module)
	return nil
}

func (b *Bundle) modules() []string {
	var paths []string
	for path := range b.Files {
		if strings.HasSuffix(path, ".wasm") {
			paths = append(paths, path)
		}
	}
	return paths
}
