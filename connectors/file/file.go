// Package file reads events from files and writes them to files.
package file

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/wasmill/wasmill/connectors"
)

// Connector returns the connector `file`.
func Connector() connectors.Connector {
	return connectors.Connector{
		Name:      "file",
		Doc:       "Files of NDJSON, CSV, Arrow IPC, Parquet or raw lines, .gz as well.",
		NewSource: newSource,
		NewSink:   newSink,
		NewLookup: newLookup,
	}
}

// formatOf tells a format by a file's ending.
func formatOf(path string) string {
	switch filepath.Ext(strings.TrimSuffix(strings.ToLower(path), ".gz")) {
	case ".csv":
		return "csv"
	case ".arrow", ".arrows", ".ipc", ".feather":
		return "arrow"
	case ".txt", ".log", ".bin":
		return "raw"
	case ".parquet":
		return "parquet"
	}
	return "json"
}

// in returns a path as the process sees it.
func in(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// unwrapPath leaves the operation and the path out of an error's text: faults name the path themselves.
func unwrapPath(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
