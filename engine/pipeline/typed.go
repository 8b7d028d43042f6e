package pipeline

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/wasmill/wasmill/connectors/config"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/plan"
)

// expected adds a fault, unless there is one of the value already.
func (b *builder) expected(v *value, what string) *fault.Fault {
	if v.faulty {
		return &fault.Fault{}
	}
	return b.add(v.at, "expected %s, got %s", what, v.describe())
}

// mapping reports whether v is a mapping, and adds a fault if not.
func (b *builder) mapping(v *value, what string) bool {
	if v.kind == object {
		return true
	}
	b.expected(v, "a mapping for "+what)
	return false
}

// unknown adds a fault for each member that is none of keys, unless other takes it.
func (b *builder) unknown(v *value, of string, keys []string, other func(string) bool) {
	for _, m := range v.members {
		if slices.Contains(keys, m.name) || other != nil && other(m.name) {
			continue
		}
		f := b.add(m.at, "unknown key `%s`", m.name)
		if of != "" {
			f.What += " in `" + of + "`"
		}
		f.Hint = fault.DidYouMean(m.name, keys)
	}
}

// text returns a scalar's text, "" after a fault.
func (b *builder) text(v *value, what string) string {
	switch {
	case v.kind == list || v.kind == object || v.kind == null:
		b.expected(v, what)
		return ""
	case v.text == "" && !v.faulty:
		b.add(v.at, "expected %s, got an empty text", what)
	}
	return v.text
}

// texts returns a list of scalars; a single one is a list of one.
func (b *builder) texts(v *value, what string) []string {
	if v.kind != list {
		if t := b.text(v, what+" or a list of them"); t != "" {
			return []string{t}
		}
		return nil
	}
	if len(v.items) == 0 {
		b.add(v.at, "expected %s or a list of them, got an empty list", what)
	}
	var all []string
	for _, item := range v.items {
		all = append(all, b.text(item, what))
	}
	return all
}

func (b *builder) integer(v *value, least, most int) int {
	if v.kind == number {
		if n, err := strconv.Atoi(v.text); err == nil && n >= least && n <= most {
			return n
		}
	}
	b.expected(v, fmt.Sprintf("an integer from %d to %d", least, most))
	return 0
}

// count returns the number of a member, 0 when there is none.
func (b *builder) count(v *value, name string, most int) int {
	m := v.get(name)
	if m == nil {
		return 0
	}
	return b.integer(m, 1, most)
}

// duration returns the length of time of a member, 0 when there is none.
func (b *builder) duration(v *value, name string) plan.Duration {
	m := v.get(name)
	if m == nil {
		return 0
	}
	var d plan.Duration
	if m.kind != text || d.UnmarshalText([]byte(m.text)) != nil {
		f := b.expected(m, "a duration such as 200ms, 5s or 1h")
		if m.kind == number && d.UnmarshalText([]byte(m.text+"s")) == nil {
			f.Hint = "add a unit: `" + m.text + "s`?"
		}
		return 0
	}
	return d
}

func (b *builder) size(v *value) uint64 {
	var n config.Bytes
	if v.kind != number && v.kind != text || json.Unmarshal(v.json(nil), &n) != nil {
		b.expected(v, "a size such as 64MiB")
	}
	return uint64(n)
}

var policies = []string{string(plan.Fail), string(plan.Skip), string(plan.SetAway)}

// policy returns the `on_error` of a mapping, "" when there is none.
func (b *builder) policy(v *value) plan.Policy {
	m := v.get("on_error")
	if m == nil {
		return ""
	}
	p := b.text(m, "fail, skip or dead_letter")
	if p != "" && !slices.Contains(policies, p) {
		b.add(m.at, "unknown policy `%s`", p).Hint = fault.DidYouMean(p, policies)
		return ""
	}
	return plan.Policy(p)
}

// set notes a place.
func (b *builder) set(to map[string]string, path string, at place) { to[path] = at.String() }

// positions notes the places of some members of a mapping, and of all that is in them, by their path below base.
func (b *builder) positions(to map[string]string, base string, v *value, names ...string) {
	for _, m := range v.members {
		if slices.Contains(names, m.name) {
			b.deep(to, under(base, m.name), m.place(), m.value)
		}
	}
}

func under(base, name string) string {
	if base == "" {
		return name
	}
	return base + "." + name
}

// deep notes the place of a value and of everything in it.
func (b *builder) deep(to map[string]string, path string, at place, v *value) {
	b.set(to, path, at)
	for _, m := range v.members {
		if m.place() != m.at {
			b.set(to, under(path, m.name)+":", m.at)
		}
		b.deep(to, under(path, m.name), m.place(), m.value)
	}
	for i, item := range v.items {
		b.deep(to, fmt.Sprintf("%s[%d]", path, i), item.at, item)
	}
}

// place is where a member is pointed at: its value if it stands in the line of the name, else the name.
func (m member) place() place {
	if m.value.kind == null || m.value.at.line != m.at.line {
		return m.at
	}
	return m.value.at
}
