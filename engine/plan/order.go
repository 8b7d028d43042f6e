package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/engine/fault"
)

// SortFaults brings faults into the order of their places in a file; those without a place in it stand first.
func SortFaults(file string, faults fault.List) {
	place := func(f *fault.Fault) (line, column int) {
		rest, in := strings.CutPrefix(f.Where, file)
		if !in {
			return 0, 0
		}
		if _, err := fmt.Sscanf(rest, ":%d:%d", &line, &column); err != nil {
			return 0, 0
		}
		return line, column
	}
	slices.SortStableFunc(faults, func(a, b *fault.Fault) int {
		aLine, aColumn := place(a)
		bLine, bColumn := place(b)
		if aLine != bLine {
			return aLine - bLine
		}
		return aColumn - bColumn
	})
}
