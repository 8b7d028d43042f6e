package linmem

import "golang.org/x/sys/unix"

// reserve takes address space that nothing backs: touching it before commit is a segmentation fault.
func reserve(n uint64) ([]byte, error) {
	if n == 0 {
		return []byte{}, nil
	}
	return unix.Mmap(-1, 0, int(n), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
}

// commit makes part of a reservation readable and writable; its pages are zero.
func commit(b []byte) error { return unix.Mprotect(b, unix.PROT_READ|unix.PROT_WRITE) }

func release(b []byte) {
	if len(b) > 0 {
		// The only error is an address that was not mapped, and this one was.
		_ = unix.Munmap(b)
	}
}
