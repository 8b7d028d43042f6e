package sdk_test

import (
	"fmt"
	"os"
	"testing"
)

// cacheDir holds machine code for the time of the tests: a Go guest takes seconds to compile.
var cacheDir string

func TestMain(m *testing.M) {
	var err error
	if cacheDir, err = os.MkdirTemp("", "wasmill-sdk-test-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(cacheDir)
	os.Exit(code)
}
