package linmem

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// holder is a sealed memfd: nobody can change it, and pages of it that a memory writes to become that memory's own.
type holder struct {
	fd   int
	size uint64
}

func newHolder(size uint64, runs []Run) (holder, error) {
	fd, err := unix.MemfdCreate("wasmill-image", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return holder{}, err
	}
	if err = fill(fd, size, runs); err != nil {
		unix.Close(fd)
		return holder{}, err
	}
	return holder{fd, size}, nil
}

func fill(fd int, size uint64, runs []Run) error {
	if err := unix.Ftruncate(fd, int64(size)); err != nil {
		return err
	}
	for _, r := range runs {
		for at, b := int64(r.Offset), r.Bytes; len(b) > 0; {
			n, err := unix.Pwrite(fd, b, at)
			if err != nil && err != unix.EINTR {
				return err
			}
			n = max(n, 0)
			at, b = at+int64(n), b[n:]
		}
	}
	_, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SEAL|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_WRITE)
	return err
}

// lay puts the image at the beginning of a reservation.
func (h holder) lay(space []byte) error {
	if h.size == 0 {
		return nil
	}
	_, err := unix.MmapPtr(h.fd, 0, unsafe.Pointer(unsafe.SliceData(space)), uintptr(h.size),
		unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED|unix.MAP_NORESERVE)
	return err
}

// reset drops the memory's own pages: those of the file show again, and those behind it are zero.
func (h holder) reset(space []byte) error { return wipe(space) }

func (h holder) close() { unix.Close(h.fd) }

// wipe drops the pages of a private mapping.
func wipe(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	return unix.Madvise(b, unix.MADV_DONTNEED)
}
