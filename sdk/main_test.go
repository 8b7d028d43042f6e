package sdk_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/wasmill/wasmill/wasmhost"
)

// host is what all tests share; closing it closes what they loaded.
var host *wasmhost.Host

func TestMain(m *testing.M) {
	var err error
	if host, err = wasmhost.New(wasmhost.Options{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	for _, b := range loaded {
		b.Close(context.Background())
	}
	host.Close(context.Background())
	os.Exit(code)
}
