//go:build !wasmilldebug

package linmem

// poison and misuse find mistakes of the host's own in builds with the tag wasmilldebug, and do nothing otherwise.
func poison([]byte) {}

func misuse(string) {}
