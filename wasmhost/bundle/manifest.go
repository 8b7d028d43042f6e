package bundle

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/wasmill/wasmill/engine/fault"
)

// ManifestName is the manifest's path in an archive.
const ManifestName = "wasmill.yaml"

// maxManifest bounds what is handed to the YAML parser, and maxNesting how deep its recursion goes.
const (
	maxManifest = 64 << 10
	maxNesting  = 64
)

// Manifest is what wasmill.yaml says.
type Manifest struct {
	// Name is the bundle's name: letters, digits, ".", "_" and "-", at most 128.
	Name string
	// Version is the author's version, as written; may be empty.
	Version string
	// Module is the path of the .wasm or .py in the archive.
	Module string
	// Description is the author's sentence; may be empty.
	Description string

	// Paths are folders in the archive, clean, that Python's imports are looked for in; "." is the root.
	Paths []ManifestPath

	modulePosition string // line:column
}

// ManifestPath is a folder that the manifest names.
type ManifestPath struct {
	Path string

	position string // line:column
}

var (
	namePattern    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$`)
	versionPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$`)
	manifestKeys   = []string{"name", "version", "module", "description", "paths"}
)

// ParseManifest reads wasmill.yaml strictly: unknown, repeated and missing members are faults. It returns all that it
// finds as a fault.List whose positions are "wasmill.yaml:line:column".
func ParseManifest(text []byte) (*Manifest, error) {
	at := func(p *token.Position) string {
		if p == nil {
			return ManifestName + ":1:1"
		}
		return fmt.Sprintf("%s:%d:%d", ManifestName, p.Line, p.Column)
	}
	root, err := parse(text)
	if err != nil {
		return nil, err
	}
	var faults fault.List
	mapping, ok := asMapping(root)
	if !ok {
		faults.Add(fault.Bundle, at(position(root)), "expected members such as `name: flights`, got %s", kindOf(root))
		return nil, faults.Err()
	}
	m := &Manifest{}
	seen := map[string]bool{}
	for _, v := range mapping {
		key := v.Key.GetToken().Value
		where := at(v.Key.GetToken().Position)
		if seen[key] {
			faults.Add(fault.Bundle, where, "`%s` is there twice", clip(key))
			continue
		}
		seen[key] = true
		if key == "paths" {
			m.paths(v.Value, where, at, &faults)
			continue
		}
		value, ok := scalar(v.Value)
		if !ok {
			faults.Add(fault.Bundle, where, "expected text for `%s`, got %s", clip(key), kindOf(v.Value))
			continue
		}
		switch key {
		case "name":
			m.Name = value
			if !namePattern.MatchString(value) {
				faults.Add(fault.Bundle, where, "the name %q is not allowed", clip(value)).Hint = "letters, digits, `.`, `_` and `-`, at most 128"
			}
		case "version":
			m.Version = value
			if !versionPattern.MatchString(value) {
				faults.Add(fault.Bundle, where, "the version %q is not allowed", clip(value)).Hint = "letters, digits, `.`, `_`, `+` and `-`, at most 64"
			}
		case "module":
			m.Module, m.modulePosition = path.Clean(value), strings.TrimPrefix(at(position(v.Value)), ManifestName+":")
			if why := badPath(value); why != "" {
				faults.Add(fault.Bundle, where, "the module's path %q %s", clip(value), why)
			}
		case "description":
			m.Description = value
		default:
			faults.Add(fault.Bundle, where, "unknown member `%s`", clip(key)).Hint = fault.DidYouMean(key, manifestKeys)
		}
	}
	for _, key := range []string{"name", "module"} {
		if !seen[key] {
			faults.Add(fault.Bundle, ManifestName+":1:1", "`%s` is missing", key)
		}
	}
	return m, faults.Err()
}

// maxPaths bounds the folders that a manifest names.
const maxPaths = 100

func (m *Manifest) paths(n ast.Node, where string, at func(*token.Position) string, faults *fault.List) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		faults.Add(fault.Bundle, where, "expected a list of folders for `paths`, got %s", kindOf(n)).Hint = "write `paths: [lib]`"
		return
	}
	if len(list.Values) > maxPaths {
		faults.Add(fault.Bundle, where, "expected at most %d folders in `paths`, got %d", maxPaths, len(list.Values))
		return
	}
	for _, item := range list.Values {
		value, ok := scalar(item)
		if !ok {
			faults.Add(fault.Bundle, at(position(item)), "expected a folder in `paths`, got %s", kindOf(item))
			continue
		}
		if why := badPath(value); why != "" {
			faults.Add(fault.Bundle, at(position(item)), "the folder %q %s", clip(value), why)
			continue
		}
		m.Paths = append(m.Paths, ManifestPath{Path: path.Clean(value), position: strings.TrimPrefix(at(position(item)), ManifestName+":")})
	}
}

// parse returns the document's root, nil when it is empty.
func parse(text []byte) (root ast.Node, err error) {
	bad := func(format string, args ...any) error {
		return fault.New(fault.Bundle, format, args...).At("%s:1:1", ManifestName)
	}
	if len(text) > maxManifest {
		return nil, bad("the manifest is larger than %d KiB", maxManifest>>10)
	}
	if !utf8.Valid(text) {
		return nil, bad("the manifest is not UTF-8")
	}
	if deep(text) {
		return nil, bad("the manifest nests too deep")
	}
	// The parser is a third party's and fed by strangers: what makes it panic is a faulty manifest, not a dead process.
	defer func() {
		if recover() != nil {
			root, err = nil, bad("the manifest cannot be parsed")
		}
	}()
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		var syntax *yaml.SyntaxError
		if errors.As(err, &syntax) && syntax.Token != nil && syntax.Token.Position != nil {
			p := syntax.Token.Position
			return nil, fault.New(fault.Bundle, "%s", syntax.Message).At("%s:%d:%d", ManifestName, p.Line, p.Column)
		}
		return nil, bad("%v", err)
	}
	switch len(file.Docs) {
	case 0:
		return nil, nil
	case 1:
		return file.Docs[0].Body, nil
	}
	return nil, bad("expected one document, got %d", len(file.Docs))
}

// deep says whether brackets or indentation could drive the parser's recursion far; a manifest is flat.
func deep(text []byte) bool {
	brackets := 0
	for _, c := range text {
		if c == '[' || c == '{' {
			if brackets++; brackets > maxNesting {
				return true
			}
		}
	}
	return false
}

func asMapping(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// scalar returns the text of a plain, quoted or block scalar. Anchors, aliases and tags are not followed.
func scalar(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode:
		return n.GetToken().Value, true // `version: 1.10` stays 1.10
	}
	return "", false
}

func position(n ast.Node) *token.Position {
	if n == nil || n.GetToken() == nil {
		return nil
	}
	return n.GetToken().Position
}

func kindOf(n ast.Node) string {
	switch n.(type) {
	case nil, *ast.NullNode:
		return "nothing"
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "members"
	case *ast.AnchorNode, *ast.AliasNode:
		return "an anchor or alias"
	case *ast.TagNode:
		return "a tag"
	case *ast.StringNode, *ast.LiteralNode:
		return "text"
	case *ast.BoolNode:
		return "a bool"
	}
	return "something else"
}
