package badgerdb

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/table"
)

// checkFooters looks at the end of each table before Badger does: Badger takes the lengths there as indexes unchecked, in
// goroutines of its own, where a panic ends the process. What the lengths point to it verifies by checksum. Tables
// that the manifest does not name are left out: a kill in the middle of a write leaves them behind, and Badger removes them.
//
// A table ends with: index, its length (4 bytes, big endian), checksum, its length (4 bytes, big endian).
func checkFooters(dir string) error {
	for id := range tablesOf(dir) {
		path := table.NewFilename(id, dir)
		if err := checkFooter(path); err != nil {
			return damaged(dir, fmt.Sprintf("table %s: %v", filepath.Base(path), err))
		}
	}
	return nil
}

// tablesOf returns the tables that a store's manifest names. It returns none when there is no manifest, or one that Badger
// will refuse itself.
func tablesOf(dir string) map[uint64]badger.TableManifest {
	f, err := os.Open(filepath.Join(dir, badger.ManifestFilename))
	if err != nil {
		return nil
	}
	defer f.Close()
	m, _, err := badger.ReplayManifestFile(f, magic, badger.DefaultOptions(dir))
	if err != nil {
		return nil
	}
	return m.Tables
}

func checkFooter(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	size := info.Size()
	number := func(at int64) (int64, error) {
		var b [4]byte
		if at < 0 {
			return 0, fmt.Errorf("it has only %d bytes", size)
		}
		if _, err := f.ReadAt(b[:], at); err != nil {
			return 0, err
		}
		return int64(binary.BigEndian.Uint32(b[:])), nil
	}
	at := size - 4
	sum, err := number(at)
	if err != nil {
		return err
	}
	if at -= sum + 4; at < 0 {
		return fmt.Errorf("its checksum is said to take %d of %d bytes", sum, size)
	}
	index, err := number(at)
	if err != nil {
		return err
	}
	if index == 0 || index > at {
		return fmt.Errorf("its index is said to take %d of %d bytes", index, size)
	}
	return nil
}
