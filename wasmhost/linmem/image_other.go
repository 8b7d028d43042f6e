//go:build !linux

package linmem

// holder is a copy of the runs, from which each memory is filled anew.
type holder struct{ runs []Run }

func newHolder(_ uint64, runs []Run) (holder, error) {
	var h holder
	for _, r := range runs {
		h.runs = append(h.runs, Run{r.Offset, append([]byte(nil), r.Bytes...)})
	}
	return h, nil
}

// lay puts the image at the beginning of a reservation, which is zero.
func (h holder) lay(space []byte) error {
	for _, r := range h.runs {
		copy(space[r.Offset:], r.Bytes)
	}
	return nil
}

func (h holder) reset(space []byte) error {
	clear(space)
	return h.lay(space)
}

func (h holder) close() {}

func wipe(b []byte) error {
	clear(b)
	return nil
}
