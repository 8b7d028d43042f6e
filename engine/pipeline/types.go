package pipeline

import "strings"

// Types such as `timestamp[ms, UTC]` and `struct<a: int64, b: utf8>` hold signs that end a plain text within braces:
// `schema: {at: timestamp[ms, UTC]}` would not be YAML. They are kept from the parser in the way of variables.

// typeBrackets are the words that a bracket follows in the grammar of types (engine/schema), and that bracket.
var typeBrackets = map[string]byte{
	"timestamp": '[', "time32": '[', "time64": '[', "duration": '[', "fixed_size_binary": '[', "decimal128": '(',
	"list": '<', "struct": '<', "map": '<', "dictionary": '<',
}

// hideTypes returns source with the brackets of types, and what is in them, moved to the private plane. Brackets that hold a
// sign which no type has, such as a quote, stay as they are: it may mean something to YAML.
func hideTypes(source string) string {
	var out strings.Builder
	last := 0
	for i := 0; i < len(source); {
		if !wordByte(source[i]) {
			i++
			continue
		}
		end := i
		for end < len(source) && wordByte(source[end]) {
			end++
		}
		open, is := typeBrackets[source[i:end]]
		if i = end; !is || end == len(source) || source[end] != open {
			continue
		}
		if n := bracketed(source[end:]); n > 0 {
			out.WriteString(source[last:end])
			out.WriteString(hideText(source[end : end+n]))
			i, last = end+n, end+n
		}
	}
	out.WriteString(source[last:])
	return out.String()
}

// bracketed returns the length of a bracket with all that is in it, 0 when it does not end in its line or holds other signs.
func bracketed(s string) int {
	var closing []byte
	for i := range len(s) {
		switch c := s[i]; c {
		case '[':
			closing = append(closing, ']')
		case '(':
			closing = append(closing, ')')
		case '<':
			closing = append(closing, '>')
		case ']', ')', '>':
			if closing[len(closing)-1] != c {
				return 0
			}
			if closing = closing[:len(closing)-1]; len(closing) == 0 {
				return i + 1
			}
		case ' ', ',', ':', '!', '/', '+', '-':
		default:
			if !wordByte(c) {
				return 0
			}
		}
	}
	return 0
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}
