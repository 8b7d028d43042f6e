package wasmhost

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/wasmhost/admit"
)

// Limits of a guest's texts in faults.
const (
	maxErrorText   = 64 << 10
	maxSummary     = 1000
	maxStackFrames = 32
)

// splitTrap divides wazero's message into what happened and the guest's stack, whose names are the guest's and therefore made plain.
func splitTrap(message string) (what, stack string) {
	what, stack, _ = strings.Cut(message, "\nwasm stack trace:\n")
	what = strings.TrimSuffix(what, " (recovered by wazero)")
	if _, reason, ok := strings.Cut(what, "wasm error: "); ok { // in front of it is which start function it was
		what = reason
	}
	what = clipText(what)
	if stack == "" {
		return what, ""
	}
	lines := strings.Split(strings.TrimRight(stack, "\n"), "\n")
	lines = slices.DeleteFunc(lines, func(line string) bool { // metering is no business of the author's
		return strings.HasPrefix(frame(line), admit.ImportModule+".")
	})
	if !slices.ContainsFunc(lines, named) {
		return what, "" // numbers of functions say nothing to anybody
	}
	var b strings.Builder
	for i, line := range lines {
		if i == maxStackFrames {
			fmt.Fprintf(&b, "... %d more\n", len(lines)-i)
			break
		}
		fmt.Fprintf(&b, "at %s\n", clipText(frame(line)))
	}
	return what, b.String()
}

// named reports whether a line of a stack has a function's name, and not just its number. What the host offers has one always.
func named(line string) bool {
	name := frame(line)
	return !strings.HasPrefix(name, "$") && !strings.HasPrefix(name, "...") && !strings.HasPrefix(name, wasiModule+".") && !strings.HasPrefix(name, hostModule+".")
}

// frame names a function of a stack. Modules have no names here, which leaves a dot in front.
func frame(line string) string {
	line = strings.TrimSpace(line)
	if strings.HasPrefix(line, "...") {
		return line
	}
	return strings.TrimPrefix(line, ".")
}

// failure asks the guest for the text of the error that it returned. The fault has no position.
func (g *guest) failure(ctx context.Context) *fault.Fault {
	where, err := g.enter(ctx, exportError, g.mod.ExportedFunction(exportError))
	if err != nil {
		return fault.From(err)
	}
	ptr, length := uint32(where>>32), uint32(where)
	text, ok := g.view(ptr, min(length, maxErrorText))
	if !ok {
		return g.breaks("the error's text of %d bytes at %#x lies outside of the memory of %d bytes", length, ptr, len(g.memory.Bytes()))
	}
	if g.clock.softened != nil { // it tells where it was
		return g.clock.softened.WithDetail(strings.TrimRight(plain(string(text), true), "\n"))
	}
	return spoken(string(text))
}

// spoken makes a fault of the text of a guest's error: the first line says what happened, a second one that begins with "hint: "
// what to do, and all else is shown as it is.
func spoken(text string) *fault.Fault {
	summary, detail, _ := strings.Cut(strings.TrimRight(plain(text, true), "\n"), "\n")
	hint := ""
	if rest, ok := strings.CutPrefix(detail, "hint: "); ok {
		hint, detail, _ = strings.Cut(rest, "\n")
		hint = clipped(hint)
	}
	if summary = clipped(summary); summary == "" {
		summary = "the function failed without saying why"
	}
	return fault.New(fault.Guest, "%s", summary).WithHint("%s", hint).WithDetail(detail)
}

func clipped(line string) string {
	if len(line) > maxSummary {
		return plain(line[:maxSummary], false) + "..."
	}
	return line
}

// breaks marks the guest as broken and returns the fault: it did what the ABI does not allow.
func (g *guest) breaks(format string, args ...any) *fault.Fault {
	f := fault.New(fault.Guest, format, args...)
	g.broken = f
	return f
}

// size writes a number of bytes for people.
func size(n uint64) string {
	if n >= 1<<20 && n%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}
