package parquet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/apache/arrow/go/v15/parquet/metadata"

	"github.com/wasmill/wasmill/engine/fault"
)

// What a footer may hold at most. The library builds a value of some 100 bytes for each struct, and a text of all names on the way to each column.
const (
	maxFooter   = 16 << 20
	maxStructs  = 1 << 20
	maxElements = 10_000 // columns and groups of them
	maxDepth    = 32     // of groups
	maxName     = 1024   // bytes
	maxGroup    = 1 << 31
)

var magic = []byte("PAR1")

// footer is what a file says of itself.
type footer struct {
	*metadata.FileMetaData
	// ends is behind which row, from 0, each row group ends.
	ends []int64
}

func (f *footer) rows() int64 {
	if len(f.ends) == 0 {
		return 0
	}
	return f.ends[len(f.ends)-1]
}

// group returns the row group that a row is in.
func (f *footer) group(row int64) int {
	i, found := slices.BinarySearch(f.ends, row)
	for found && i < len(f.ends) && f.ends[i] == row {
		i++ // groups without rows end where the one before them does
	}
	return i
}

// readFooter reads the footer of the file of size bytes, or of one whose last size bytes these are. It is walked before the library parses
// it, which allocates lists by the lengths that they announce.
func readFooter(in io.ReaderAt, size int64) (*footer, error) {
	if size < 12 {
		return nil, fault.New(fault.Decode, "expected a Parquet file of 12 bytes at least, got %d", size)
	}
	var tail [8]byte
	if _, err := readAt(in, tail[:], size-8); err != nil {
		return nil, err
	}
	switch {
	case bytes.Equal(tail[4:], []byte("PARE")):
		return nil, fault.New(fault.Unsupported, "encrypted Parquet files cannot be read")
	case bytes.Equal(tail[4:], unfinished[4:]):
		return nil, fault.New(fault.Decode, "the Parquet file has no end yet").
			WithHint("a job writes the end when it ends; one that was interrupted goes on when it is started again")
	case !bytes.Equal(tail[4:], magic):
		return nil, fault.New(fault.Decode, "expected a Parquet file, got bytes that end with % x", tail[4:]).
			WithHint("was the file cut off when it was written or copied?")
	}
	length, most := int64(binary.LittleEndian.Uint32(tail[:])), min(maxFooter, size-8)
	if length > most {
		return nil, fault.New(fault.Decode, "expected a footer of at most %d bytes, got %d", most, length)
	}
	b := make([]byte, length)
	if _, err := readAt(in, b, size-8-length); err != nil {
		return nil, err
	}
	return parseFooter(b, size-8-length)
}

// parseFooter parses a footer that lies at an offset of its file.
func parseFooter(b []byte, offset int64) (*footer, error) {
	if err := checkFooter(b, offset); err != nil {
		return nil, err
	}
	var f footer
	err := guarded(func() (err error) {
		f.FileMetaData, err = metadata.NewFileMetaData(b, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	at := int64(0)
	for i, g := range f.RowGroups {
		if g.NumRows < 0 || g.NumRows > maxGroup {
			return nil, fault.New(fault.Decode, "expected a row group of 0 to %d rows, got %d in row group %d", maxGroup, g.NumRows, i)
		}
		at += g.NumRows
		f.ends = append(f.ends, at)
	}
	if at != f.NumRows {
		return nil, fault.New(fault.Decode, "expected %d rows, got %d in %d row groups", f.NumRows, at, len(f.RowGroups))
	}
	return &f, nil
}

// checkFooter walks a footer.
func checkFooter(b []byte, offset int64) error {
	var elements, open []int64 // children of each element; of the groups that are open, how many are to come
	var limit *fault.Fault
	children := int64(0)
	w := &walker{b: b, most: maxStructs}
	w.value = func(path []int, v int64, text []byte) bool {
		switch {
		case len(path) != 2 || path[0] != 2:
		case path[1] == 4 && len(text) > maxName:
			limit = fault.New(fault.Limit, "expected names of at most %d bytes, got %d", maxName, len(text))
		case path[1] == 5:
			children = v
		}
		return limit == nil
	}
	w.end = func(path []int) bool {
		if len(path) != 1 || path[0] != 2 {
			return true
		}
		elements = append(elements, children)
		for len(open) > 0 && open[len(open)-1] == 0 {
			open = open[:len(open)-1]
		}
		if len(open) > 0 {
			open[len(open)-1]--
		}
		if children > 0 {
			open = append(open, children)
		}
		switch {
		case children < 0 || children > maxElements || len(elements) > maxElements:
			limit = fault.New(fault.Limit, "expected at most %d columns", maxElements)
		case len(open) > maxDepth:
			limit = fault.New(fault.Limit, "expected columns in at most %d groups", maxDepth)
		}
		children = 0
		return limit == nil
	}
	switch ok := w.structure(make([]int, 0, maxNesting+1)); {
	case limit != nil:
		return limit
	case w.structs > maxStructs:
		return fault.New(fault.Limit, "expected a footer of at most %d values, got more", maxStructs)
	case !ok:
		return fault.New(fault.Decode, "the footer of the Parquet file is damaged behind byte %d", offset+int64(len(b)-len(w.b)))
	}
	return nil
}

// readAt reads all of b.
func readAt(in io.ReaderAt, b []byte, at int64) (int, error) {
	n, err := in.ReadAt(b, at)
	if n == len(b) {
		return n, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return n, fault.New(fault.Decode, "expected %d bytes at byte %d of the file, got %d", len(b), at, n)
	}
	return n, fault.New(fault.Decode, "the file cannot be read at byte %d: %v", at, err)
}

// guarded calls what calls the library, whose panics are faults of the file.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if e, ok := p.(error); ok {
				err = unreadable(e)
			} else {
				err = unreadable(errors.New(fmt.Sprint(p)))
			}
		}
	}()
	if err := f(); err != nil {
		return unreadable(err)
	}
	return nil
}

func unreadable(err error) *fault.Fault {
	var f *fault.Fault
	if errors.As(err, &f) {
		return f
	}
	return fault.New(fault.Decode, "the Parquet file cannot be read: %v", err)
}
