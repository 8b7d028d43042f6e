//go:build wasmilldebug

package linmem

// poison overwrites what was freed, so that whoever still reads it sees it.
func poison(b []byte) {
	for i := range b {
		b[i] = 0xdb
	}
}

func misuse(what string) { panic(what) }
