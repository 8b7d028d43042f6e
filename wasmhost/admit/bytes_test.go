package admit

import (
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// The notation of testdata/*.txt: a module in bytes, small enough to read, whatever it unfolds to.
//
//	0a        a byte
//	u:300     a number in unsigned LEB128; u:i and u:i+1 are the count of the innermost repetition
//	s:-1      a number in signed LEB128
//	"name"    the bytes of a text
//	{ ... }   the bytes within, with their length before them
//	9*( ... ) the bytes within, nine times
//	# ...     a comment, to the end of the line
//
// The comments at the top say what the file is and "expect: ..." what must become of it.

// source is one file.
type source struct {
	name   string
	expect string // what follows "expect: "
	module []byte
}

func readSource(t testing.TB, file string) source {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := source{name: file}
	var tokens []string
	for line := range strings.Lines(string(text)) {
		code, comment, _ := strings.Cut(line, "#")
		if e, ok := strings.CutPrefix(strings.TrimSpace(comment), "expect: "); ok {
			s.expect = e
		}
		tokens = append(tokens, strings.Fields(code)...)
	}
	p := &notation{tokens: tokens}
	s.module = p.until("", 0)
	if p.err != nil {
		t.Fatalf("%s: %v", file, p.err)
	}
	return s
}

type notation struct {
	tokens []string
	err    error
}

func (p *notation) until(end string, i int) []byte {
	var out []byte
	for p.err == nil {
		if len(p.tokens) == 0 {
			if end != "" {
				p.err = fmt.Errorf("no %s", end)
			}
			return out
		}
		tok := p.tokens[0]
		p.tokens = p.tokens[1:]
		if tok == end {
			return out
		}
		out = append(out, p.token(tok, i)...)
	}
	return out
}

func (p *notation) token(tok string, i int) []byte {
	if tok == "{" {
		b := p.until("}", i)
		return append(appendU(nil, uint64(len(b))), b...)
	}
	if times, ok := strings.CutSuffix(tok, "*("); ok {
		n, err := strconv.Atoi(times)
		if err != nil {
			p.err = err
		}
		rest := p.tokens
		var out []byte
		for k := range n {
			p.tokens = rest
			out = append(out, p.until(")", k)...)
		}
		return out
	}
	if s, ok := strings.CutPrefix(tok, "u:"); ok {
		if off, ok := strings.CutPrefix(s, "i"); ok {
			n, _ := strconv.Atoi(strings.TrimPrefix(off, "+"))
			return appendU(nil, uint64(i+n))
		}
		n, err := strconv.ParseUint(s, 10, 64)
		p.err = err
		return appendU(nil, n)
	}
	if s, ok := strings.CutPrefix(tok, "s:"); ok {
		n, err := strconv.ParseInt(s, 10, 64)
		p.err = err
		return appendS(nil, n)
	}
	if strings.HasPrefix(tok, `"`) {
		s, err := strconv.Unquote(tok)
		p.err = err
		return []byte(s)
	}
	b, err := hex.DecodeString(tok)
	p.err = err
	return b
}
