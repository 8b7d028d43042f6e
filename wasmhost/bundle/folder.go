package bundle

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/engine/fault"
)

// openFolder reads a folder as an archive of what is in it. What begins with a dot, and what Python keeps in __pycache__, is
// left out.
func openFolder(dir string, l limits) (*Bundle, error) {
	u := newUnpacker(l)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, unreadable(dir, err)
	}
	defer root.Close()
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return unreadable(filepath.Join(dir, name), err)
		}
		if base := entry.Name(); name != "." && (strings.HasPrefix(base, ".") || base == "__pycache__") {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if name == "." {
			return nil
		}
		to, err := u.entry(name, entry.Type())
		if err != nil || to == "" {
			return err
		}
		f, err := root.Open(name)
		if err != nil {
			return unreadable(filepath.Join(dir, name), err)
		}
		defer f.Close()
		return u.add(to, f)
	})
	if err != nil {
		return nil, inFolder(dir, err)
	}
	if _, ok := u.files[ManifestName]; !ok {
		if main, err := mainScript(u.files); err == nil && main == "" {
			return nil, fault.New(fault.Bundle, "this is a folder without a bundle in it").At("%s", dir).
				WithHint("name the .py, .wasm, .zip or .tar.gz in it, or put a %s there", ManifestName)
		}
	}
	b := &Bundle{Files: u.files}
	b.Digest, b.Size = digest(u.files)
	if err := b.fill(u); err != nil {
		return nil, inFolder(dir, err)
	}
	return b, nil
}

// inFolder places a fault that speaks of an archive.
func inFolder(dir string, err error) error {
	f := *fault.From(err)
	f.What = strings.Replace(f.What, "the archive", "the folder", 1)
	if strings.HasPrefix(f.Where, dir) {
		return &f
	}
	return f.In("%s", dir)
}

// digest returns the SHA-256 of files, of which names and contents are told apart by their lengths in front, and their size.
func digest(files map[string][]byte) (sum string, size int64) {
	h := sha256.New()
	part := func(b []byte) {
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(b))))
		h.Write(b)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		part([]byte(name))
		part(files[name])
		size += int64(len(files[name]))
	}
	return hex.EncodeToString(h.Sum(nil)), size
}
