package badgerdb

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/wasmill/wasmill/engine/fault"
)

// reserve is the space that must be free beside what a commit writes. Badger writes through mapped files with holes: a disk
// that is full then kills the process instead of giving an error, so it has to be noticed before.
const reserve = 64 << 20

// checkSpace returns a fault when the disk has not the space for a commit of n bytes: journal, log and table.
func (s *Store) checkSpace(n int64) error {
	dir := s.dir
	for {
		free, err := s.free(dir)
		if errors.Is(err, os.ErrNotExist) && filepath.Dir(dir) != dir {
			dir = filepath.Dir(dir) // Open makes it
			continue
		}
		if err != nil {
			return nil // a file system that does not tell
		}
		if need := uint64(4*n) + reserve; free < need {
			return fault.New(fault.State, "the disk that holds the state has %d MB free, %d MB are needed", free>>20, need>>20).At("%s", s.dir).
				WithHint("free some space and start the job again; nothing that was committed is lost")
		}
		return nil
	}
}
