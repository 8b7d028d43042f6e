package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
)

// pieces gives one piece a read, then err; without err it blocks until released.
type pieces struct {
	list    []string
	err     error
	release chan struct{}
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.list) == 0 {
		if p.err == nil {
			<-p.release
			return 0, io.EOF
		}
		return 0, p.err
	}
	n := copy(b, p.list[0])
	if p.list[0] = p.list[0][n:]; p.list[0] == "" {
		p.list = p.list[1:]
	}
	return n, nil
}

func TestPeeking(t *testing.T) {
	for _, c := range []struct {
		name   string
		pieces []string
		end    error
		want   string
	}{
		{"all of a short input", []string{"a\n", "b\n", "c"}, io.EOF, "a\nb\nc"},
		{"no line end", []string{"a"}, io.EOF, "a"},
		{"whole lines of an input that goes on", []string{"a", "\nb\n", "c"}, nil, "a\nb\n"},
		{"nothing", nil, io.EOF, ""},
		{"the end with an error", []string{"a\nb"}, errors.New("gone"), "a\nb"},
		{"long", []string{strings.Repeat("x\n", peekBytes)}, io.EOF, strings.Repeat("x\n", peekBytes/2)},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				all := strings.Join(c.pieces, "")
				in := &pieces{list: append([]string{}, c.pieces...), err: c.end, release: make(chan struct{})}
				p := &peekable{in: in}
				for range 2 { // looking twice gives the same
					got, err := p.peek()
					if err != nil || string(got) != c.want {
						t.Fatalf("peeked %.50q, %v, want %.50q", got, err, c.want)
					}
				}
				close(in.release)
				rest, err := io.ReadAll(p)
				if string(rest) != all {
					t.Errorf("read %d bytes, want %d", len(rest), len(all))
				}
				if c.end != nil && c.end != io.EOF && err != c.end || (c.end == nil || c.end == io.EOF) && err != nil {
					t.Errorf("got %v, want %v", err, c.end)
				}
			})
		})
	}
	p := &peekable{in: iotest.ErrReader(errors.New("broken"))}
	if _, err := p.peek(); err == nil || err.Error() != "standard input cannot be read: broken" {
		t.Errorf("got %v", err)
	}
}
