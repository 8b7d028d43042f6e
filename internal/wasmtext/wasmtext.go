// Package wasmtext reads WebAssembly modules that are written down byte by byte, for tests: files that are small enough to read,
// whatever they unfold to. Between spaces and line ends stand
//
//	0a        a byte
//	u:300     a number in unsigned LEB128; u:i and u:i+1 are the count of the innermost repetition
//	s:-1      a number in signed LEB128
//	"name"    the bytes of a text
//	{ ... }   the bytes within, with their length before them
//	9*( ... ) the bytes within, nine times
//	# ...     a comment, to the end of the line
package wasmtext

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Source is one file.
type Source struct {
	Expect string // what follows "# expect: "
	Module []byte
}

// Read reads a file.
func Read(path string) (Source, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Source{}, err
	}
	s, err := Parse(string(text))
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return s, err
}

// Parse reads a file's text.
func Parse(text string) (Source, error) {
	var s Source
	p := &parser{}
	for line := range strings.Lines(text) {
		code, comment, _ := strings.Cut(line, "#")
		if expect, ok := strings.CutPrefix(strings.TrimSpace(comment), "expect: "); ok {
			s.Expect = expect
		}
		p.words = append(p.words, strings.Fields(code)...)
	}
	var err error
	s.Module, err = p.until("", 0)
	return s, err
}

type parser struct{ words []string }

// until reads up to the word end, "" for the file's; count is the innermost repetition's.
func (p *parser) until(end string, count int) ([]byte, error) {
	var out []byte
	for len(p.words) > 0 {
		word := p.words[0]
		p.words = p.words[1:]
		if word == end {
			return out, nil
		}
		b, err := p.word(word, count)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", word, err)
		}
		out = append(out, b...)
	}
	if end != "" {
		return nil, fmt.Errorf("there is no %s", end)
	}
	return out, nil
}

func (p *parser) word(word string, count int) ([]byte, error) {
	switch {
	case word == "{":
		b, err := p.until("}", count)
		return append(binary.AppendUvarint(nil, uint64(len(b))), b...), err
	case strings.HasSuffix(word, "*("):
		return p.repeat(strings.TrimSuffix(word, "*("))
	case strings.HasPrefix(word, "u:i"):
		n, err := strconv.Atoi("0" + strings.TrimPrefix(word[3:], "+"))
		return binary.AppendUvarint(nil, uint64(count+n)), err
	case strings.HasPrefix(word, "u:"):
		n, err := strconv.ParseUint(word[2:], 10, 64)
		return binary.AppendUvarint(nil, n), err
	case strings.HasPrefix(word, "s:"):
		n, err := strconv.ParseInt(word[2:], 10, 64)
		return signed(n), err
	case strings.HasPrefix(word, `"`):
		text, err := strconv.Unquote(word)
		return []byte(text), err
	}
	return hex.DecodeString(word)
}

func (p *parser) repeat(times string) ([]byte, error) {
	n, err := strconv.Atoi(times)
	if err != nil || n < 1 {
		return nil, fmt.Errorf("expected a number of times, got %q", times)
	}
	var out []byte
	rest := p.words
	for i := range n {
		p.words = rest
		b, err := p.until(")", i)
		if err != nil {
			return nil, err
		}
		out = append(out, b...)
	}
	return out, nil
}

// signed writes a number in signed LEB128.
func signed(n int64) []byte {
	var out []byte
	for n < -64 || n > 63 {
		out = append(out, byte(n)|0x80)
		n >>= 7
	}
	return append(out, byte(n)&0x7f)
}
