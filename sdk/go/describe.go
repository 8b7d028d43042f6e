package wasmill

import "strings"

// describe returns the description of what is registered, as JSON.
func describe() []byte {
	var b strings.Builder
	b.WriteString(`{"abi": 1, `)
	for _, f := range functions {
		if f.kind == "process" {
			b.WriteString(`"minor": 1, `)
			break
		}
	}
	b.WriteString(`"functions": [`)
	for i, f := range functions {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n" + `{"name": ` + quote(f.name) + `, "kind": ` + quote(f.kind))
		if f.doc != "" {
			b.WriteString(`, "doc": ` + quote(f.doc))
		}
		describeRow(&b, "in", f.in, func(k *codec) string { return k.text })
		if f.kind != "filter" { // whose column goes without saying
			describeRow(&b, "out", f.out, (*codec).declared)
		}
		if f.kind == "process" {
			describeStates(&b, f)
		} else {
			describeRow(&b, "state", f.state, func(k *codec) string { return k.text })
		}
		b.WriteString("}")
	}
	b.WriteString("\n]}")
	return []byte(b.String())
}

func describeStates(b *strings.Builder, f *function) {
	b.WriteString(`, "state": [`)
	for i, s := range f.states {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(`{"name": ` + quote(s.name) + `, "kind": ` + quote(s.kind) + `, "type": ` + quote(s.text))
		if s.ttl != "" {
			b.WriteString(`, "ttl": ` + quote(s.ttl))
		}
		b.WriteString("}")
	}
	b.WriteString(`], "sides": [`)
	for i, s := range f.sideFunctions {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(`{"tag": ` + quote(s.name))
		describeRow(b, "out", s.out, (*codec).declared)
		b.WriteString("}")
	}
	b.WriteString("]")
}

func describeRow(b *strings.Builder, member string, r *row, text func(*codec) string) {
	if r == nil {
		return
	}
	b.WriteString(`, "` + member + `": [`)
	for i, f := range r.fields {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(`{"name": ` + quote(f.name) + `, "type": ` + quote(text(f.codec)) + "}")
	}
	b.WriteString("]")
}

// quote writes a JSON string.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ':
			b.WriteString(`\u00`)
			b.WriteByte("01"[r>>4])
			b.WriteByte("0123456789abcdef"[r&15])
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
