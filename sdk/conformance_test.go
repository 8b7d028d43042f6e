package sdk_test

import (
	"testing"

	"github.com/wasmill/wasmill/wasmhost/conformance"
)

func TestConformance(t *testing.T) {
	t.Run("c", func(t *testing.T) { conformance.Run(t, load(t, buildC(t, "conformance.c"))) })
	t.Run("go", func(t *testing.T) { conformance.Run(t, load(t, buildGo(t, "conformance"))) })
}
