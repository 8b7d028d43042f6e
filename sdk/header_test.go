package sdk_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write sdk/c/wasmill.h")

// TestHeader: users get one file to include and to copy, and its parts are small enough to be read.
func TestHeader(t *testing.T) {
	var want bytes.Buffer
	for _, part := range []string{"begin", "memory", "text", "columns", "calls", "rows", "keyed", "state", "process", "vectors", "abi"} {
		text, err := os.ReadFile(filepath.Join("c", "parts", part+".h"))
		if err != nil {
			t.Fatal(err)
		}
		want.Write(text)
	}
	header := filepath.Join("c", "wasmill.h")
	if *update {
		if err := os.WriteFile(header, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(header)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Error("sdk/c/wasmill.h is not what its parts make; run go test ./sdk -run Header -update")
	}
}
