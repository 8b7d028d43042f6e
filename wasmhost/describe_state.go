package wasmhost

import (
	"slices"
	"strings"
	"time"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/state"
)

// maxSides is the most side outputs of a function.
const maxSides = 64

// states checks the states that a function declares.
func (f *functionDecl) states(kind udf.Kind, bad report) []udf.StateDecl {
	if len(f.State) > 0 && !kind.Keyed() {
		bad("", "only a keyed_map and a process have state")
	}
	if len(f.State) > maxStates {
		bad("", "expected at most %d states, got %d", maxStates, len(f.State))
		return nil
	}
	var states []udf.StateDecl
	seen := map[string]bool{}
	for _, d := range f.State {
		switch {
		case !label(d.Name) || len(d.Type) > maxStateName || plain(d.Type, false) != d.Type:
			bad("", "a state needs a name and a type of printable text, at most %d bytes", maxStateName)
		case seen[d.Name]:
			bad("", "the state `%s` is there twice", d.Name)
		}
		seen[d.Name] = true
		declared := udf.StateDecl{Name: d.Name, Type: d.Type, Kind: state.Kind(d.Kind)}
		where := "state " + clipText(d.Name)
		switch declared.Kind {
		case "", state.KindValue, state.KindList, state.KindMap:
		default:
			bad(where, "unknown kind `%s`", clipText(d.Kind)).Hint = fault.DidYouMean(d.Kind, []string{"value", "list", "map"})
		}
		if d.TTL != "" {
			var err error
			if declared.TTL, err = parseTTL(d.TTL); err != nil {
				f := fault.From(err)
				bad(where, "%s", f.What).Hint = f.Hint
			}
		}
		if kind != udf.Process && (declared.TTL != nil || d.Kind != "" && declared.Kind != state.KindValue) {
			bad(where, "only a process has state other than values that do not expire")
		}
		states = append(states, declared)
	}
	return states
}

// label says whether a name is fit to be shown and stored.
func label(name string) bool {
	return name != "" && len(name) <= maxStateName && plain(name, false) == name
}

var (
	ttlUpdates      = []string{string(state.OnCreateAndWrite), string(state.OnReadAndWrite)}
	ttlVisibilities = []string{string(state.NeverReturnExpired), string(state.ReturnExpiredIfNotCleanedUp)}
)

// parseTTL reads a duration, and after it an update type and a visibility, where they are not the usual ones.
func parseTTL(text string) (*state.TTL, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		words = []string{""}
	}
	after, err := time.ParseDuration(words[0])
	if err != nil || after < time.Millisecond {
		return nil, fault.New(fault.Guest, "expected a ttl that begins with a duration of 1ms or more, got %q", clipText(text)).
			WithHint("such as `1h` or `30m OnReadAndWrite`")
	}
	ttl := &state.TTL{After: after, Update: state.OnCreateAndWrite, Visible: state.NeverReturnExpired}
	for _, w := range words[1:] {
		switch {
		case slices.Contains(ttlUpdates, w):
			ttl.Update = state.TTLUpdate(w)
		case slices.Contains(ttlVisibilities, w):
			ttl.Visible = state.TTLVisibility(w)
		default:
			return nil, fault.New(fault.Guest, "unknown word %q in a ttl", clipText(w)).
				WithHint("%s", fault.DidYouMean(w, append(slices.Clone(ttlUpdates), ttlVisibilities...)))
		}
	}
	return ttl, nil
}

// sides checks the side outputs that a function declares.
func (f *functionDecl) sides(kind udf.Kind, bad report) []udf.SideDecl {
	if len(f.Sides) > 0 && kind != udf.Process {
		bad("", "only a process has side outputs")
	}
	if len(f.Sides) > maxSides {
		bad("", "expected at most %d side outputs, got %d", maxSides, len(f.Sides))
		return nil
	}
	var sides []udf.SideDecl
	seen := map[string]bool{}
	for _, d := range f.Sides {
		where := "side output " + clipText(d.Tag)
		switch {
		case !label(d.Tag):
			bad("", "a side output needs a tag of printable text, at most %d bytes", maxStateName)
		case seen[d.Tag]:
			bad(where, "the tag is there twice")
		case d.Out == nil || len(*d.Out) == 0:
			bad(where, "it has no columns in `out`")
		}
		seen[d.Tag] = true
		sides = append(sides, udf.SideDecl{Tag: d.Tag, Out: columns(d.Out, "out", func(column, format string, args ...any) *fault.Fault {
			return bad(where+", "+column, format, args...)
		})})
	}
	return sides
}
