package block

import (
	"testing"

	"github.com/wasmill/wasmill/engine/fault"
)

// endless is an input of bytes without a record in it.
type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

func TestPieceTooLarge(t *testing.T) {
	r := NewReader(endless{}, func([]byte) int { return 0 }, false)
	if r.limit != MaxPiece {
		t.Fatalf("limit %d", r.limit)
	}
	r.limit = 4 << 20
	_, err := r.Next(nil)
	want := "a piece of 4 MiB without a whole record in it cannot be taken at once (write smaller batches, or use a format of lines)"
	if fault.CodeOf(err) != fault.Limit || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
