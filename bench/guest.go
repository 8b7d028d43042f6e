package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// guestWasm compiles bench.c.
func guestWasm() ([]byte, error) {
	dir, err := os.MkdirTemp("", "wasmill-bench-guest-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "guest.wasm")
	cmd := exec.Command("clang-19", "--target=wasm32", "-std=c11", "-O2", "-nostdlib", "-ffreestanding", "-Wl,--no-entry",
		"-Isdk/c", "-o", out, "bench/guest/bench.c")
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%v: %v (run it in the repository's root; script/setup installs the compiler)\n%s", cmd, err, text)
	}
	return os.ReadFile(out)
}
