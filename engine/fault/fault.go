// Package fault defines the errors that a user of wasmill can meet.
//
// A [Fault] says what is wrong, where (file, line and column, function, column of data, row) and what to do about it.
// It is a plain value: packages build it at the place that knows most, and callers add what they know with
// [Fault.At] or [Fault.In] instead of wrapping it in prose.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Code names a kind of fault. Codes are stable: scripts and dashboards may match on them.
type Code string

// The codes. A code is added here, with its meaning, before it is used.
const (
	Usage       Code = "usage"       // the command line or a file of the user's is wrong: exit code 2
	Schema      Code = "schema"      // columns or types do not fit
	Decode      Code = "decode"      // bytes of an input record do not decode
	Encode      Code = "encode"      // a row cannot be written in the output's format
	Guest       Code = "guest"       // a function returned an error, trapped, or broke the ABI
	BadArray    Code = "bad-array"   // a guest handed out an Arrow array that is not sound
	Bundle      Code = "bundle"      // a bundle cannot be read or is refused
	Limit       Code = "limit"       // a limit was reached: memory, time, size
	Admission   Code = "admission"   // a module was refused before it ran
	Connect     Code = "connect"     // a server or file cannot be reached; usually worth another try
	State       Code = "state"       // stored state cannot be read, written, or does not match
	Unsupported Code = "unsupported" // a type or setting that wasmill does not have, refused by name
	Internal    Code = "internal"    // a mistake of wasmill's own
)

// Fault is an error that a user can act on.
//
// What is one lower-case sentence without a final stop, with both sides where two things differ
// ("expected int64, got utf8"). Where is a position: "pipeline.yaml:12:7", "function clean, column carrier, row 3".
// Hint says what to do. Where and Hint may be empty.
type Fault struct {
	Code  Code
	What  string
	Where string
	Hint  string
	// Detail is text to show as it is below the message, such as a traceback; may hold many lines.
	Detail string
	// Cause is what errors.Is and errors.As look at; its text is part of What if the user should see it.
	Cause error
}

// New returns a fault with What formatted from format and args. If an argument is an error it becomes the Cause.
func New(code Code, format string, args ...any) *Fault {
	f := &Fault{Code: code, What: fmt.Sprintf(format, args...)}
	for _, a := range args {
		if err, ok := a.(error); ok {
			f.Cause = err
		}
	}
	return f
}

// At returns a copy of f at the position given, unless f has one already: the innermost place knows best.
func (f *Fault) At(format string, args ...any) *Fault {
	c := *f
	if c.Where == "" {
		c.Where = fmt.Sprintf(format, args...)
	}
	return &c
}

// In returns a copy of f whose position is prefixed by an outer one: "pipeline.yaml:12:7, function clean".
func (f *Fault) In(format string, args ...any) *Fault {
	c := *f
	outer := fmt.Sprintf(format, args...)
	if c.Where == "" {
		c.Where = outer
	} else {
		c.Where = outer + ", " + c.Where
	}
	return &c
}

// WithHint returns a copy of f with the hint given.
func (f *Fault) WithHint(format string, args ...any) *Fault {
	c := *f
	c.Hint = fmt.Sprintf(format, args...)
	return &c
}

// WithDetail returns a copy of f with the detail given.
func (f *Fault) WithDetail(detail string) *Fault {
	c := *f
	c.Detail = detail
	return &c
}

// Error returns "where: what (hint)" on one line.
func (f *Fault) Error() string {
	var b strings.Builder
	if f.Where != "" {
		b.WriteString(f.Where)
		b.WriteString(": ")
	}
	b.WriteString(f.What)
	if f.Hint != "" {
		b.WriteString(" (")
		b.WriteString(f.Hint)
		b.WriteString(")")
	}
	return b.String()
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Cause }

// From returns the first fault in err's tree, or err as an [Internal] fault, or nil for nil.
func From(err error) *Fault {
	if err == nil {
		return nil
	}
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	return &Fault{Code: Internal, What: err.Error(), Cause: err}
}

// CodeOf returns the code of the first fault in err's tree, [Internal] for any other error and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	return From(err).Code
}

// List collects faults, so that a check reports all that it finds.
type List []*Fault

// Add appends a fault built from code, position and text, and returns it so that a hint can be set on it in place.
func (l *List) Add(code Code, where, format string, args ...any) *Fault {
	f := New(code, format, args...)
	f.Where = where
	*l = append(*l, f)
	return f
}

// Append adds the faults in err: those of a List one by one, anything else through [From].
func (l *List) Append(err error) {
	if err == nil {
		return
	}
	var m List
	if errors.As(err, &m) {
		*l = append(*l, m...)
		return
	}
	*l = append(*l, From(err))
}

// Err returns nil for an empty list, and the list otherwise.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	return l
}

// Error returns the faults, a line each.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, f := range l {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.Is and errors.As look into the faults.
func (l List) Unwrap() []error {
	errs := make([]error, len(l))
	for i, f := range l {
		errs[i] = f
	}
	return errs
}
