//go:build !linux

package badgerdb

import (
	"errors"
	"io/fs"
)

// freeSpace is not known here.
func freeSpace(string) (uint64, error) { return 0, errors.ErrUnsupported }

// usedSpace returns the lengths of the files of a folder, holes counted.
func usedSpace(dir string) int64 {
	var n int64
	eachFile(dir, func(_ string, info fs.FileInfo) { n += info.Size() })
	return n
}
