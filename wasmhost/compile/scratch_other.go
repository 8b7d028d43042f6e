//go:build !linux

package compile

import "os"

// claim opens the folder. Elsewhere than on Linux nobody removes another process's.
func claim(dir string) (*os.File, error) { return os.Open(dir) }

func sweep() {}
