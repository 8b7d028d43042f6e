// Functions over text: a filter, a flat_map, a scalar. examples/guests/c/text.c has the same in C.
package main

import (
	"fmt"
	"strings"
	"unicode"

	wasmill "github.com/wasmill/wasmill/sdk/go"
)

type line struct {
	Text string `wasmill:"text"`
}

type word struct {
	Word     string `wasmill:"word"`
	Position int32  `wasmill:"position"`
}

func words(in line, emit func(word)) error {
	for i, w := range strings.FieldsFunc(in.Text, func(r rune) bool { return !unicode.IsLetter(r) }) {
		emit(word{w, int32(i)})
	}
	return nil
}

func slug(in line) (string, error) {
	parts := strings.FieldsFunc(strings.ToLower(in.Text), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	if len(parts) == 0 {
		return "", fmt.Errorf("no letter or digit in %q", in.Text)
	}
	return strings.Join(parts, "-"), nil
}

func init() {
	wasmill.Filter("long_line", func(in line) (bool, error) { return len(in.Text) > 20, nil },
		wasmill.Doc("lines of more than 20 bytes"))
	wasmill.FlatMap("words", words, wasmill.Doc("the words of a line"))
	wasmill.Scalar("slug", slug, wasmill.Doc("a title as part of a URL"), wasmill.Result("slug"))
}

func main() {}
