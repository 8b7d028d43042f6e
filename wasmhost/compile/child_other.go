//go:build !linux

package compile

import (
	"context"
	"sync/atomic"

	"github.com/wasmill/wasmill/engine/fault"
)

// ready stays false: only Linux has the limits that a child needs.
var ready atomic.Bool

// Child reports that this is no child process: here modules are compiled in the program's own.
func Child() bool { return false }

func (c *Compiler) run(context.Context, []byte, Limits) (string, []byte, error) {
	return "", nil, fault.New(fault.Internal, "there are no child processes here")
}
