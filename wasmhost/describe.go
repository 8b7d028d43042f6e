package wasmhost

import (
	"fmt"
	"regexp"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/go-json-experiment/json"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/udf"
)

// Limits of a description. Its size bounds what the JSON can make the host allocate.
const (
	maxDescription = 1 << 20
	maxFunctions   = 1000
	maxColumns     = 4096
	maxStates      = 256
	maxStateName   = 128
)

// description is the JSON behind wasmill_describe. Unknown members are ignored, so that later versions can add some.
type description struct {
	ABI       *int64         `json:"abi"`
	Minor     int64          `json:"minor"`
	Name      string         `json:"name"`
	Functions []functionDecl `json:"functions"`
}

// refused is the part of a description that tells of what looks like a function and is none.
type refused struct {
	Refused []struct {
		Name string `json:"name"`
		Why  string `json:"why"`
	} `json:"refused"`
}

var _ udf.Refuser = (*loaded)(nil)

// Refused implements [udf.Refuser]. It is asked when a function is missed, so that the description is read anew.
func (b *loaded) Refused(name string) string {
	var r refused
	if json.Unmarshal(b.describes, &r) != nil {
		return ""
	}
	for _, f := range r.Refused {
		if f.Name == name {
			return clipText(f.Why)
		}
	}
	return ""
}

type functionDecl struct {
	Name  string      `json:"name"`
	Kind  string      `json:"kind"`
	Doc   string      `json:"doc"`
	In    *[]typeDecl `json:"in"`
	Out   *[]typeDecl `json:"out"`
	State []stateDecl `json:"state"`
	Sides []sideDecl  `json:"sides"`
}

type stateDecl struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Kind string `json:"kind"`
	TTL  string `json:"ttl"`
}

type sideDecl struct {
	Tag string      `json:"tag"`
	Out *[]typeDecl `json:"out"`
}

type typeDecl struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

var functionName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,127}$`)

// filtered is what every filter returns.
var filtered = arrow.NewSchema([]arrow.Field{{Name: "keep", Type: arrow.FixedWidthTypes.Boolean, Nullable: true}}, nil)

// parseDescription reads and checks a description. It returns all faults that it finds, of code Guest.
func parseDescription(text []byte) ([]udf.Signature, error) {
	var d description
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, fault.New(fault.Guest, "the description is not the JSON expected: %s", plain(err.Error(), false)).At("wasmill_describe")
	}
	var faults fault.List
	bad := func(where, format string, args ...any) *fault.Fault {
		if where != "" {
			where = ", " + where
		}
		return faults.Add(fault.Guest, "wasmill_describe"+where, format, args...)
	}
	switch {
	case d.ABI == nil:
		bad("", "`abi` is missing")
	case *d.ABI != abiVersion:
		bad("", "expected abi %d, got %d", abiVersion, *d.ABI)
	case d.Minor < 0 || d.Minor > abiMinor:
		bad("", "expected abi %d.0 to %d.%d, got %d.%d", abiVersion, abiVersion, abiMinor, *d.ABI, d.Minor).Hint = "use a newer wasmill"
	}
	if n := len(d.Functions); n == 0 || n > maxFunctions {
		bad("", "expected 1 to %d functions, got %d", maxFunctions, n)
		return nil, faults.Err()
	}
	signatures := make([]udf.Signature, 0, len(d.Functions))
	// One name may stand for several functions, each of another kind.
	type key struct{ name, kind string }
	seen := map[key]bool{}
	for i, f := range d.Functions {
		where := "function " + f.Name
		switch {
		case !functionName.MatchString(f.Name):
			where = fmt.Sprintf("function %d", i)
			bad(where, "the name %q is not allowed", clipText(f.Name)).Hint = "a letter or `_`, then letters, digits, `_`, `.`, `-`, at most 128"
		case seen[key{f.Name, f.Kind}]:
			bad(where, "the name is there twice with the kind `%s`", clipText(f.Kind))
		}
		seen[key{f.Name, f.Kind}] = true
		signatures = append(signatures, f.signature(func(column, format string, args ...any) *fault.Fault {
			if column != "" {
				column = ", " + column
			}
			return bad(where+column, format, args...)
		}))
	}
	return signatures, faults.Err()
}

type report func(where, format string, args ...any) *fault.Fault

func (f *functionDecl) signature(bad report) udf.Signature {
	s := udf.Signature{Name: f.Name, Kind: udf.Kind(f.Kind), Doc: plain(f.Doc, true)}
	s.In = columns(f.In, "in", bad)
	s.Out = columns(f.Out, "out", bad)
	switch s.Kind {
	case udf.Map, udf.FlatMap, udf.KeyedMap, udf.Process:
	case udf.Filter:
		if f.Out != nil {
			bad("", "a filter has no `out`: it returns one bool column")
		}
		s.Out = filtered
	case udf.Scalar:
		if s.Out == nil || len(s.Out.Fields()) != 1 {
			bad("", "a scalar has one column in `out`")
		}
	default:
		kinds := make([]string, len(udf.Kinds))
		for i, k := range udf.Kinds {
			kinds[i] = string(k)
		}
		bad("", "unknown kind `%s`", clipText(f.Kind)).Hint = fault.DidYouMean(f.Kind, kinds)
	}
	s.State = f.states(s.Kind, bad)
	s.Sides = f.sides(s.Kind, bad)
	return s
}

// columns makes a schema of declarations, nil for none.
func columns(decls *[]typeDecl, member string, bad report) *arrow.Schema {
	if decls == nil {
		return nil
	}
	if len(*decls) > maxColumns {
		bad("", "expected at most %d columns in `%s`, got %d", maxColumns, member, len(*decls))
		return nil
	}
	fields := make([]arrow.Field, 0, len(*decls))
	seen := map[string]bool{}
	for i, c := range *decls {
		where := member + " column " + clipText(c.Name)
		switch {
		case c.Name == "" || plain(c.Name, false) != c.Name:
			where = fmt.Sprintf("%s column %d", member, i)
			bad(where, "expected a name of printable text, got %q", clipText(c.Name))
		case seen[c.Name]:
			bad(where, "the name is there twice")
		}
		seen[c.Name] = true
		field, err := schema.ParseField(c.Name, c.Type)
		if err != nil {
			f := fault.From(err)
			bad(where, "%s", clipText(f.What)).Hint = f.Hint
			continue
		}
		fields = append(fields, field)
	}
	return arrow.NewSchema(fields, nil)
}

// clipText keeps a guest's text from filling the screen.
func clipText(s string) string {
	const most = 200
	s = plain(s, false)
	if len(s) > most {
		return plain(s[:most], false) + "..."
	}
	return s
}
