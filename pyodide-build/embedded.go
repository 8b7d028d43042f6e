//go:build embed_python

package pyodide

import (
	"embed"
	"io/fs"
	"os"
)

// The files are not compressed once more: the zips are already, and a binary's pages that nobody touches cost nothing.
//
//go:embed embedded
var embedded embed.FS

func load() (*Runtime, error) {
	if dir := os.Getenv("WASMILL_PYTHON"); dir != "" {
		return read(os.DirFS(dir), dir, true)
	}
	dir, err := fs.Sub(embedded, "embedded")
	if err != nil {
		return nil, err
	}
	return read(dir, "this binary", false)
}

// prepare has nothing to do: what is embedded is there.
func prepare() error { return nil }
