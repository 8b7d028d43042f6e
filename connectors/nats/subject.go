package nats

import (
	"fmt"
	"strings"
)

// checkFilter returns nil if s is a subject that may have wildcards: tokens of printable characters between dots,
// `*` for any one token, `>` at the end for one or more.
func checkFilter(s string) error {
	if s == "" {
		return fmt.Errorf("a subject is not empty")
	}
	tokens := strings.Split(s, ".")
	for i, t := range tokens {
		switch {
		case t == "":
			return fmt.Errorf("`%s` has an empty part between dots", s)
		case t == "*", t == ">" && i == len(tokens)-1:
		case t == ">":
			return fmt.Errorf("`>` in `%s` is not at the end", s)
		case strings.ContainsAny(t, "*>"):
			return fmt.Errorf("`%s` has a wildcard that is not a whole part", s)
		}
		if bad := strings.IndexFunc(t, notInSubject); bad >= 0 {
			return fmt.Errorf("`%s` has a space or control character", s)
		}
	}
	return nil
}

// notInSubject says that a character cannot be in a subject, dots and wildcards aside.
func notInSubject(r rune) bool { return r <= ' ' || r == 0x7f }

// overlap says whether a message could match both filters.
func overlap(a, b string) bool {
	s, t := strings.Split(a, "."), strings.Split(b, ".")
	for i := 0; i < len(s) && i < len(t); i++ {
		if s[i] == ">" || t[i] == ">" {
			return true
		}
		if s[i] != t[i] && s[i] != "*" && t[i] != "*" {
			return false
		}
	}
	return len(s) == len(t)
}

// covers says whether each subject that matches inner matches outer.
func covers(outer, inner string) bool {
	s, t := strings.Split(outer, "."), strings.Split(inner, ".")
	for i := range s {
		if s[i] == ">" {
			return len(t) > i
		}
		if i >= len(t) || t[i] == ">" || s[i] != "*" && s[i] != t[i] {
			return false
		}
	}
	return len(s) == len(t)
}

// safeName returns s with all that a consumer's name cannot have replaced.
func safeName(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, s)
}
