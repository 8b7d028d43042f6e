package admit

import (
	"fmt"

	"github.com/wasmill/wasmill/engine/fault"
)

// Refusal is the Cause of every fault of this package: the same as its text, for programs.
type Refusal struct {
	What     string // what is wrong, with both sides
	Offset   int    // byte offset in the module
	Function int    // index of the function in whose body it is, imports first; -1 elsewhere
	Name     string // that function's name by the name section, else its first export's, else ""

	// Limit and Value are the cap of the [Policy] and what the module has; both 0 where no cap was exceeded.
	Limit, Value uint64
	capped       bool
}

// Error returns What.
func (r *Refusal) Error() string { return r.What }

// Where returns the position: "byte 0x1f, function 3 \"main\"".
func (r *Refusal) Where() string {
	s := fmt.Sprintf("byte %#x", r.Offset)
	if r.Function < 0 {
		return s
	}
	s += fmt.Sprintf(", function %d", r.Function)
	if r.Name != "" {
		s += " " + quote(r.Name)
	}
	return s
}

func (r *Refusal) fault() *fault.Fault {
	f := &fault.Fault{Code: fault.Admission, What: r.What, Where: r.Where(), Cause: r}
	if r.capped {
		f.Hint = "caps keep a module from exhausting the host; split it, or ask the operator to raise the cap"
	}
	return f
}

// quote renders a name out of a module for a message: escaped, and cut to a length that fits a line.
func quote(s string) string {
	const most = 80
	if len(s) > most {
		return fmt.Sprintf("%q...", s[:most])
	}
	return fmt.Sprintf("%q", s)
}
