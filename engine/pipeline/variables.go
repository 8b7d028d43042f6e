package pipeline

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Variables are written `${NAME}` or `${NAME:default}`; `$${NAME}` stands for the text `${NAME}`. A default is taken as it stands,
// up to the closing brace.
//
// YAML gives braces and colons a meaning of their own: `{stream: ${STREAM:FLIGHTS}}` is not what it seems to be. So each ASCII
// character of a variable is replaced by one from a private plane before the YAML is parsed, which keeps lines and columns as
// they are, and found again in the scalars.
const (
	plane    = 0xF0000
	planeEnd = plane + 0x80
	// maxVariables bounds the time that finding their columns takes.
	maxVariables = 1_000
	hiddenOpen   = string(rune(plane+'$')) + string(rune(plane+'{'))
)

var (
	variable   = regexp.MustCompile(`\$?\$\{([A-Za-z_][A-Za-z0-9_]*)(:[^}\n]*)?\}`)
	unfinished = regexp.MustCompile(`\$\{[A-Za-z0-9_]`)
)

// hide returns the file's text with variables out of the YAML parser's way, and whether it can be parsed.
func (r *reader) hide(data []byte) (string, bool) {
	if len(data) > maxBytes {
		r.add(place{1, 1}, "the pipeline has %d bytes, at most %d are allowed", len(data), maxBytes)
		return "", false
	}
	line, column := 1, 1
	for i := 0; i < len(data); {
		c, n := utf8.DecodeRune(data[i:])
		switch {
		case c == utf8.RuneError && n == 1:
			r.add(place{line, column}, "the file is not valid UTF-8")
			return "", false
		case c >= plane && c < planeEnd || c < ' ' && c != '\n' && c != '\r' && c != '\t':
			r.add(place{line, column}, "the character %U cannot stand in a pipeline", c)
			return "", false
		case c == '\n':
			line, column = line+1, 0
		}
		i, column = i+n, column+1
	}
	// A carriage return at a line's end moves nothing, and costs the parser much time.
	source := strings.ReplaceAll(string(data), "\r\n", "\n")
	if n := len(variable.FindAllStringIndex(source, maxVariables+1)); n > maxVariables {
		r.add(place{1, 1}, "the pipeline has more than %d variables", maxVariables)
		return "", false
	}
	return hideTypes(variable.ReplaceAllStringFunc(source, hideText)), true
}

// hideText moves ASCII characters to the private plane.
func hideText(s string) string {
	return strings.Map(func(c rune) rune {
		if c < utf8.RuneSelf {
			return c + plane
		}
		return c
	}, s)
}

// hidden reports whether a text of the parsed YAML holds a variable.
func hidden(s string) bool { return strings.Contains(s, hiddenOpen) }

// show brings a text back to how it was written.
func show(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= plane && c < planeEnd {
			return c - plane
		}
		return c
	}, s)
}

// expand returns a scalar's text with its variables replaced. Skip is the number of characters between the scalar's place and
// its text; negative when columns within it are not known.
func (r *reader) expand(at place, s string, skip int) string {
	if i := unfinished.FindStringIndex(s); i != nil {
		r.add(inside(at, s[:i[0]], skip), "`${` begins a variable that does not end").Hint = "write `${NAME}` or `${NAME:default}`, in one line"
	}
	if !hidden(s) {
		return show(s)
	}
	shown := show(s)
	var out strings.Builder
	last := 0
	for _, m := range variable.FindAllStringSubmatchIndex(shown, -1) {
		out.WriteString(shown[last:m[0]])
		last = m[1]
		if strings.HasPrefix(shown[m[0]:], "$$") {
			out.WriteString(shown[m[0]+1 : m[1]])
			continue
		}
		name := shown[m[2]:m[3]]
		switch held, ok := r.env(name); {
		case ok:
			out.WriteString(held)
		case m[4] >= 0:
			out.WriteString(shown[m[4]+1 : m[5]])
		default:
			f := r.add(inside(at, shown[:m[0]], skip), "the variable `%s` is not set", name)
			f.Hint = "set it in the environment, or give a default: `${" + name + ":default}`"
		}
	}
	out.WriteString(shown[last:])
	return out.String()
}

// inside returns the place behind some text of a scalar.
func inside(at place, before string, skip int) place {
	if skip < 0 || strings.Contains(before, "\n") {
		return at
	}
	return place{at.line, at.column + skip + utf8.RuneCountInString(before)}
}
