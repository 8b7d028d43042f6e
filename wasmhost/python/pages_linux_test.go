package python_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost/python"
)

// ownPages returns how many pages all guests that started from images have written to, of 4 KiB.
func ownPages(t *testing.T) int {
	text, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	pages, ours := 0, false
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); strings.Contains(f[0], "-") {
			ours = strings.Contains(line, "wasmill-image")
		} else if ours && f[0] == "Anonymous:" {
			kib, err := strconv.Atoi(f[1])
			if err != nil {
				t.Fatal(err)
			}
			pages += kib / 4
		}
	}
	return pages
}

// TestPagesOfAClone counts the pages that a guest has of its own, which bound how many of them a machine holds: free memory is packed before an image is
// made, also that of a file which has left holes all over.
func TestPagesOfAClone(t *testing.T) {
	for _, source := range []string{
		hello,
		"kept = [bytes(n * 7 % 2000) for n in range(3000)]\ndel kept[::2]\n" + hello,
	} {
		b := openFile(t, newRuntime(t, python.Options{}), upload(t, "user.py", source))
		before := ownPages(t)
		g, err := b.Instantiate(t.Context(), udf.Options{})
		if err != nil {
			t.Fatal(err)
		}
		f, err := g.Bind(t.Context(), "map", udf.Map, schema.Document(), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if said := answer(t, g, f, `{"n": 1}`, 64); said != `{"n":2}` {
			t.Errorf("got %s", said)
		}
		if n := ownPages(t) - before; n < 1 || n > 64 {
			t.Errorf("a guest has %d pages of its own after 64 rows, at most 64 are expected", n)
		}
		if err := g.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// TestPackedMemoryIsThere fills what a file has freed again, in the script itself and in a guest that may have little more.
func TestPackedMemoryIsThere(t *testing.T) {
	b := openFile(t, newRuntime(t, python.Options{}), upload(t, "user.py", `
def fill():
    return [bytes(n * 7 % 2000) for n in range(60_000)]

kept = fill()
del kept[:]

def map(event):
    kept[:] = fill()
    return len(kept)
`))
	for range 2 {
		if said := ask(t, b, "null", udf.Options{MaxMemory: 96 << 20}); said != "60000" {
			t.Errorf("got %s", said)
		}
	}
}
