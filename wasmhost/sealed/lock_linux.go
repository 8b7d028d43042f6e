package sealed

import (
	"context"
	"encoding/binary"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// lockPause is how often a lock that another holds is tried again.
const lockPause = 20 * time.Millisecond

// Lock waits until nobody else, in this process or another, makes the content of the key, and returns what ends the caller's turn. It is
// there to save work and keeps nobody from [Store.Put]: when it cannot be had, or ctx ends, it returns all the same.
func (s *Store) Lock(ctx context.Context, key string) (unlock func()) {
	none := func() {}
	if s == nil {
		return none
	}
	f, err := os.OpenFile(filepath.Join(s.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return none
	}
	// A byte of the file for each key. The kernel gives it back when the process is killed.
	h := fnv.New64a()
	io.WriteString(h, key)
	at := int64(binary.BigEndian.Uint64(h.Sum(nil)) >> 2)
	for {
		err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: at, Len: 1})
		if err != unix.EAGAIN && err != unix.EACCES && err != unix.EINTR {
			return func() { f.Close() }
		}
		select {
		case <-ctx.Done():
			f.Close()
			return none
		case <-time.After(lockPause):
		}
	}
}
