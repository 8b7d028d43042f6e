package badgerdb

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/wasmill/wasmill/engine/fault"
)

// checkFooters looks at the end of each table before Badger does: Badger takes the lengths there as indexes unchecked, in
// goroutines of its own, where a panic ends the process. What the lengths point to it verifies by checksum.
//
// A table ends with: index, its length (4 bytes, big endian), checksum, its length (4 bytes, big endian).
func checkFooters(dir string) error {
	var bad *fault.Fault
	eachFile(dir, func(name string, info fs.FileInfo) {
		if bad != nil || !strings.HasSuffix(name, ".sst") {
			return
		}
		if err := checkFooter(filepath.Join(dir, name), info.Size()); err != nil {
			bad = damaged(dir, fmt.Sprintf("table %s: %v", name, err))
		}
	})
	if bad != nil {
		return bad
	}
	return nil
}

func checkFooter(path string, size int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
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
