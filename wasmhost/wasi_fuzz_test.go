package wasmhost

import (
	"bytes"
	"path"
	"strings"
	"testing"
)

// FuzzPath checks that a path leads to where it leads by the rules for paths, and never out of the tree.
func FuzzPath(f *testing.F) {
	for _, s := range []string{"", ".", "..", "a/../b", "bundle/model/../../lib//python313.zip", "bundle/clean.py/", "\xff", "a\x00", strings.Repeat("../", 2000)} {
		f.Add(s)
	}
	files := someFiles(f)
	f.Fuzz(func(t *testing.T, s string) {
		n, e := files.root.walk(s)
		if (n != nil) != (e == errnoSuccess) {
			t.Fatalf("%q: %v, %d", s, n, e)
		}
		if n != nil && n.path != path.Clean("/"+s) {
			t.Errorf("%q leads to %s, want %s", s, n.path, path.Clean("/"+s))
		}
	})
}

// FuzzFileFunctions calls functions with any numbers. None may panic but with a fault, nor change the files.
func FuzzFileFunctions(f *testing.F) {
	f.Add([]byte{4, 3, 0, 0x10, 6})
	f.Add(bytes.Repeat([]byte{0xff, 3, 4, 0, 1}, 40))
	values := []uint64{0, 1, 2, 3, 4, 5, 8, 16, 100, atName, atVectors, atResult, atBuffer, pageSize - 8, pageSize, 1<<31 - 1, 1 << 31, 1<<32 - 8, 1<<32 - 1, 1<<63 - 1, 1 << 63, 1<<64 - 1}
	var functions []int
	for i, w := range wasi {
		if strings.HasPrefix(w.name, "fd_") || strings.HasPrefix(w.name, "path_") {
			functions = append(functions, i)
		}
	}
	names := []string{"bundle", "bundle/clean.py", "..", "lib/../bundle/model/", "no", "\xff"}
	f.Fuzz(func(t *testing.T, program []byte) {
		files := someFiles(t)
		c := newCaller(t, files)
		next := func() (b byte) {
			if len(program) > 0 {
				b, program = program[0], program[1:]
			}
			return b
		}
		for len(program) > 0 {
			w := wasi[functions[int(next())%len(functions)]]
			c.name(names[int(next())%len(names)])
			c.vectors(uint32(next()), uint32(values[int(next())%len(values)]))
			params := make([]uint64, len(w.params))
			for i := range params {
				params[i] = values[int(next())%len(values)]
			}
			w.call(c.guest, params)
			if len(c.files) > maxOpen || c.files[0].node != files.root {
				t.Fatalf("%s%v left the descriptors %v", w.name, params, c.files)
			}
		}
		if !sameTree(files.root, someFiles(t).root) {
			t.Error("the files changed")
		}
	})
}

func sameTree(a, b *node) bool {
	if a.path != b.path || a.folder != b.folder || a.id != b.id || !bytes.Equal(a.content, b.content) || len(a.children) != len(b.children) {
		return false
	}
	for i := range a.children {
		if !sameTree(a.children[i], b.children[i]) {
			return false
		}
	}
	return true
}
