package json

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

func appendString(dst []byte, s string) []byte {
	dst, _ = appendText(dst, []byte(s))
	return dst
}

// appendText appends s in quotes, escaping what RFC 8259 wants escaped and nothing else; false if s is not UTF-8.
func appendText(dst, s []byte) ([]byte, bool) {
	dst = append(dst, '"')
	i, start, wide := 0, 0, false
	for i < len(s) {
		if i+8 <= len(s) { // see scanner.str
			w := binary.LittleEndian.Uint64(s[i:])
			quote, escape := w^ones*'"', w^ones*'\\'
			special := ((quote-ones)&^quote | (escape-ones)&^escape | (w-ones*0x20)&^w) & highs
			wide = wide || w&highs != 0
			if special == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(special) >> 3
		}
		c := s[i]
		i++
		if c >= 0x20 && c != '"' && c != '\\' {
			wide = wide || c >= utf8.RuneSelf
			continue
		}
		dst = append(dst, s[start:i-1]...)
		start = i
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		}
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"'), !wide || utf8.Valid(s)
}
