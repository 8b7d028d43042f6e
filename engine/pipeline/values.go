package pipeline

import (
	"bytes"
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// value converts a node of the YAML tree. After a fault it returns a null, so that the rest is checked as well.
func (r *reader) value(n ast.Node, depth int) *value {
	if n == nil {
		return &value{at: place{1, 1}}
	}
	v := &value{at: placeOf(n.GetToken())}
	faults := len(r.faults)
	if r.values++; r.values > maxValues {
		if r.values == maxValues+1 {
			r.add(v.at, "the pipeline has more than %d values", maxValues).Hint = "aliases may stand for too much"
		}
		v.faulty = true
		return v
	}
	if depth > maxDepth {
		r.add(v.at, "values nest more than %d deep", maxDepth)
		v.faulty = true
		return v
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		r.object(v, n.Values, depth)
		if n.IsFlowStyle {
			v.at = placeOf(n.Start)
		}
	case *ast.MappingValueNode:
		r.object(v, []*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		v.kind = list
		for _, item := range n.Values {
			v.items = append(v.items, r.value(item, depth+1))
		}
	case *ast.AnchorNode:
		name := n.Name.GetToken().Value
		r.anchors[name] = n.Value
		if n.Value == nil {
			return v
		}
		r.open[name] = true
		v = r.value(n.Value, depth+1)
		delete(r.open, name)
	case *ast.AliasNode:
		v = r.alias(v, n, depth)
	case *ast.TagNode:
		v = r.tagged(v, n, depth)
	case *ast.LiteralNode:
		v.kind, v.text = text, r.expand(v.at, n.Value.GetToken().Value, -1)
	case *ast.NullNode:
	default:
		r.scalar(v, n.GetToken())
	}
	if v.kind != object && v.kind != list && len(r.faults) > faults {
		v.faulty = true
	}
	return v
}

func (r *reader) alias(v *value, n *ast.AliasNode, depth int) *value {
	name := n.Value.GetToken().Value
	target, known := r.anchors[name]
	switch {
	case r.open[name]:
		r.add(v.at, "the alias `*%s` stands within what it stands for", show(name))
		return v
	case !known:
		r.add(v.at, "unknown alias `*%s`", show(name)).Hint = "an anchor `&" + show(name) + "` must stand before it"
		return v
	case target == nil:
		return v
	}
	r.open[name] = true
	defer delete(r.open, name)
	return r.value(target, depth+1)
}

func (r *reader) tagged(v *value, n *ast.TagNode, depth int) *value {
	if n.Value == nil {
		return v
	}
	inner := r.value(n.Value, depth+1)
	switch tag := n.GetToken().Value; tag {
	case "!!str":
		if inner.kind == boolean || inner.kind == number || inner.kind == null {
			inner.kind, inner.text = text, show(n.Value.GetToken().Value)
		}
	case "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq":
	default:
		r.add(v.at, "unknown tag `%s`", show(tag)).Hint = "leave it out"
	}
	return inner
}

// object fills v with the members of a mapping; those of merge keys come in where the mapping has none of the name.
func (r *reader) object(v *value, members []*ast.MappingValueNode, depth int) {
	v.kind = object
	first := make(map[string]place)
	var merged []*value
	for i, m := range members {
		at := placeOf(m.Key.GetToken())
		if i == 0 {
			v.at = at
		}
		if m.Key.IsMergeKey() {
			merged = append(merged, r.value(m.Value, depth+1))
			continue
		}
		name, ok := r.name(m.Key)
		if !ok {
			continue
		}
		if before, twice := first[name]; twice {
			r.add(at, "the key `%s` stands twice", name).Hint = "the first is at line " + strconv.Itoa(before.line)
			continue
		}
		first[name] = at
		v.members = append(v.members, member{name, at, r.value(m.Value, depth+1)})
	}
	for _, from := range merged {
		r.merge(v, from)
	}
}

func (r *reader) merge(v, from *value) {
	switch from.kind {
	case object:
		for _, m := range from.members {
			if v.get(m.name) == nil {
				v.members = append(v.members, m)
			}
		}
	case list:
		for _, item := range from.items {
			if item.kind == list {
				r.add(item.at, "expected a mapping to merge, got a list")
				continue
			}
			r.merge(v, item)
		}
	default:
		r.add(from.at, "expected a mapping to merge, got %s", from.describe())
	}
}

// name returns a key's text. Keys are strings: a number or true stands for its text.
func (r *reader) name(key ast.MapKeyNode) (string, bool) {
	var n ast.Node = key
	for {
		switch k := n.(type) {
		case *ast.MappingKeyNode:
			n = k.Value
			continue
		case *ast.AnchorNode:
			r.anchors[k.Name.GetToken().Value] = k.Value
			n = k.Value
			continue
		case *ast.TagNode:
			n = k.Value
			continue
		}
		break
	}
	switch n.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode, *ast.LiteralNode:
	default:
		r.add(placeOf(key.GetToken()), "expected a name as key")
		return "", false
	}
	t := n.GetToken()
	if l, ok := n.(*ast.LiteralNode); ok {
		t = l.Value.GetToken()
	}
	if hidden(t.Value) {
		r.add(placeOf(t), "variables are not replaced in keys: `%s`", show(t.Value))
		return "", false
	}
	return show(t.Value), true
}

// scalar fills v from a token. A plain scalar is a number or a boolean if its text is one, after variables are replaced: so
// `parallelism: ${N:2}` is a number, and what a variable holds can never become anything else than a scalar.
func (r *reader) scalar(v *value, t *token.Token) {
	switch t.Type {
	case token.SingleQuoteType, token.DoubleQuoteType:
		v.kind, v.text = text, r.expand(v.at, t.Value, 1)
		return
	}
	expanded := r.expand(v.at, t.Value, 0)
	kind := t.Type
	if hidden(t.Value) {
		kind = token.New(expanded, expanded, t.Position).Type
	}
	switch kind {
	case token.NullType, token.ImplicitNullType:
	case token.BoolType:
		v.kind, v.text = boolean, strings.ToLower(expanded)
	case token.IntegerType, token.BinaryIntegerType, token.OctetIntegerType, token.HexIntegerType, token.FloatType:
		v.kind, v.text = number, decimal(expanded)
		if v.text == "" {
			v.kind, v.text = text, expanded
		}
	case token.InfinityType, token.NanType:
		r.add(v.at, "expected a finite number, got %s", expanded)
	default:
		v.kind, v.text = text, expanded
		if jsonNumber.MatchString(expanded) { // too large for the YAML library
			v.kind = number
		}
	}
}

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// decimal returns a YAML number as JSON writes it, digit by digit where possible; "" when it is none.
func decimal(s string) string {
	if jsonNumber.MatchString(s) {
		return s
	}
	if n := token.ToNumber(s); n != nil {
		switch x := n.Value.(type) {
		case int64:
			return strconv.FormatInt(x, 10)
		case uint64:
			return strconv.FormatUint(x, 10)
		case float64:
			if b, err := json.Marshal(x); err == nil && !math.IsInf(x, 0) {
				return string(b)
			}
		}
	}
	return ""
}

// json appends a value as JSON.
func (v *value) json(dst []byte) []byte {
	switch v.kind {
	case null:
		return append(dst, "null"...)
	case boolean, number:
		return append(dst, v.text...)
	case text:
		return appendString(dst, v.text)
	case list:
		dst = append(dst, '[')
		for i, item := range v.items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = item.json(dst)
		}
		return append(dst, ']')
	}
	dst = append(dst, '{')
	for i, m := range v.members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, m.name), ':')
		dst = m.value.json(dst)
	}
	return append(dst, '}')
}

func appendString(dst []byte, s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // a string always encodes
	}
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte{'\n'})...)
}
