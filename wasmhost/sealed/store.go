// Package sealed keeps derived files on disk, such as machine code and images of guests' memory, so that they can be trusted when they are read
// again: a file is used only after its HMAC has been checked with a key that only this user can read. Files are written
// under another name and renamed, so that a reader finds all of one or none, whoever else writes it at the same time.
package sealed

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Kind is what a store keeps.
type Kind struct {
	// Magic begins each file and names the layout of what follows.
	Magic string
	// Ending is that of the files' names, with the dot.
	Ending string
	// Most is how many bytes are kept in all; what was used the longest ago goes first.
	Most int64
}

// Store is a folder of sealed files: magic, HMAC, content. A nil store keeps nothing. It may be used by several goroutines and
// processes.
type Store struct {
	dir  string
	kind Kind
	mac  []byte // the key
}

// Open makes the folder if it is not there.
func Open(dir string, kind Kind) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	mac, err := sealKey(filepath.Join(dir, "key"))
	return &Store{dir: dir, kind: kind, mac: mac}, err
}

// sealKey reads the key, and makes it when there is none that only this user can read. Files sealed with another key
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

// seal returns the HMAC of a content under a key: a file that was renamed does not pass for another.
func (s *Store) seal(key string, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, s.mac)
	h.Write([]byte(key))
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

func (s *Store) path(key string) string { return filepath.Join(s.dir, key+s.kind.Ending) }

// Get returns a content of at most so many bytes whose seal is good, as memory of the caller's own. Anything else under the key,
// which is a file's name, is removed.
func (s *Store) Get(key string, most int64) (content []byte, ok bool) {
	if s == nil {
		return nil, false
	}
	info, err := os.Stat(s.path(key))
	if err != nil {
		return nil, false
	}
	var file []byte
	head := len(s.kind.Magic) + sha256.Size
	if info.Mode().IsRegular() && info.Size() <= int64(head)+most {
		file, err = os.ReadFile(s.path(key))
	}
	if err != nil || len(file) < head || string(file[:len(s.kind.Magic)]) != s.kind.Magic ||
		!hmac.Equal(file[len(s.kind.Magic):head], s.seal(key, file[head:])) {
		s.Drop(key)
		return nil, false
	}
	now := time.Now()
	os.Chtimes(s.path(key), now, now) // for trim; without it the file goes earlier
	return file[head:], true
}

// Drop removes a content, which turned out to be of no use.
func (s *Store) Drop(key string) {
	if s != nil {
		os.Remove(s.path(key))
	}
}

// Put keeps a content, given in parts. That it cannot is no error: what is derived is derived anew the next time.
func (s *Store) Put(key string, parts ...[]byte) {
	if s == nil {
		return
	}
	size := int64(0)
	for _, p := range parts {
		size += int64(len(p))
	}
	s.trim(s.kind.Most - size)
	_ = place(s.path(key), os.Rename, append([][]byte{[]byte(s.kind.Magic), s.seal(key, parts...)}, parts...)...)
}

// trim removes the files that were used the longest ago, until they have at most so many bytes.
func (s *Store) trim(most int64) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return
	}
	var files []fs.FileInfo
	total := int64(0)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && filepath.Ext(e.Name()) == s.kind.Ending {
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
