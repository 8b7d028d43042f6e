package pipeline

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/wasmill/wasmill/engine/fault"
)

// The bounds of a file. Nesting and expansion are bounded because a few bytes of YAML can stand for a great many values.
const (
	maxBytes  = 1 << 20
	maxDepth  = 64
	maxKeys   = 5_000 // as written; the parser's time grows with their square
	maxValues = 100_000
	maxFaults = 100
)

// value is a YAML value with its place: aliases followed, merge keys merged, variables replaced.
type value struct {
	kind    kind
	text    string // of a scalar: its JSON for numbers and booleans, else the text itself
	items   []*value
	members []member
	at      place
	// faulty says that a fault is reported already, so that what is made of the value is not one too.
	faulty bool
}

type member struct {
	name  string
	at    place // of the name
	value *value
}

// place is a line and a column, in characters, from 1.
type place struct{ line, column int }

func (p place) String() string { return fmt.Sprintf("%d:%d", p.line, p.column) }

type kind int

const (
	null kind = iota
	boolean
	number
	text
	list
	object
)

// get returns a member's value, or nil.
func (v *value) get(name string) *value {
	for _, m := range v.members {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// describe says what a value is, for faults.
func (v *value) describe() string {
	switch v.kind {
	case null:
		return "nothing"
	case list:
		return "a list"
	case object:
		return "a mapping"
	case text:
		if r := []rune(v.text); len(r) > 40 {
			return fmt.Sprintf("%q...", string(r[:40]))
		}
		return fmt.Sprintf("%q", v.text)
	}
	return v.text
}

// reader turns YAML into values.
type reader struct {
	file    string
	env     func(string) (string, bool)
	anchors map[string]ast.Node
	open    map[string]bool // anchors that are being expanded
	values  int
	faults  fault.List
}

// add adds a fault of code Usage at a place. Of very many only the first are kept.
func (r *reader) add(at place, format string, args ...any) *fault.Fault {
	if len(r.faults) >= maxFaults {
		return &fault.Fault{}
	}
	return r.faults.Add(fault.Usage, fmt.Sprintf("%s:%v", r.file, at), format, args...)
}

// read returns the root of the document, or nil after a fault.
func (r *reader) read(data []byte) *value {
	source, ok := r.hide(data)
	if !ok {
		return nil
	}
	body, err := parse(source)
	if err != nil {
		r.syntax(err)
		return nil
	}
	if body == nil {
		r.add(place{1, 1}, "the pipeline is empty").Hint = "it needs an `input` and an `output`"
		return nil
	}
	r.anchors, r.open = make(map[string]ast.Node), make(map[string]bool)
	return r.value(body, 0)
}

// syntaxError is what the YAML parser says about a place.
type syntaxError struct {
	at   place
	text string
}

func (e *syntaxError) Error() string { return e.text }

// parse returns the body of the only document in source; nil when there is none.
func parse(source string) (body ast.Node, err error) {
	defer func() {
		// The parser is not ours, and the bytes may be anyone's.
		if p := recover(); p != nil {
			err = &syntaxError{place{1, 1}, "the file is not valid YAML"}
		}
	}()
	tokens := lexer.Tokenize(source)
	if err := bounded(tokens); err != nil {
		return nil, err
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		var said interface {
			GetMessage() string
			GetToken() *token.Token
		}
		if errors.As(err, &said) && said.GetToken() != nil {
			return nil, &syntaxError{placeOf(said.GetToken()), "not valid YAML: " + said.GetMessage()}
		}
		return nil, &syntaxError{place{1, 1}, "not valid YAML: " + err.Error()}
	}
	for _, d := range file.Docs {
		switch {
		case d.Body == nil || d.Body.Type() == ast.DirectiveType || d.Body.Type() == ast.CommentGroupType:
		case body != nil:
			return nil, &syntaxError{placeOf(d.Body.GetToken()), "a file holds one pipeline, here a second document begins"}
		default:
			body = d.Body
		}
	}
	return body, nil
}

// bounded refuses what the parser, which is recursive and not made for much, should not meet.
func bounded(tokens token.Tokens) error {
	flow, run, keys := 0, 0, 0
	for i, t := range tokens {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow = max(flow-1, 0)
		case token.MappingValueType, token.MappingKeyType:
			keys++
		}
		switch t.Type {
		case token.SequenceEntryType, token.MappingKeyType, token.TagType, token.AnchorType, token.MappingValueType:
			run++
		default:
			run = 0
		}
		switch {
		case flow > maxDepth || run > maxDepth:
			return &syntaxError{placeOf(t), fmt.Sprintf("values nest more than %d deep", maxDepth)}
		case i == maxValues:
			return &syntaxError{placeOf(t), fmt.Sprintf("the pipeline has more than %d words and signs", maxValues)}
		case keys > maxKeys:
			return &syntaxError{placeOf(t), fmt.Sprintf("the pipeline has more than %d keys", maxKeys)}
		}
	}
	return nil
}

func placeOf(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{1, 1}
	}
	return place{max(t.Position.Line, 1), max(t.Position.Column, 1)}
}

func (r *reader) syntax(err error) {
	var s *syntaxError
	if !errors.As(err, &s) {
		s = &syntaxError{place{1, 1}, err.Error()}
	}
	f := r.add(s.at, "%s", strings.ReplaceAll(show(s.text), "\t", `\t`))
	switch {
	case strings.Contains(s.text, "tab character"), strings.Contains(s.text, "\t"):
		f.Hint = "indent with spaces"
	case strings.Contains(s.text, "mapping value is not allowed"):
		f.Hint = "quote a text that holds a colon"
	}
}
