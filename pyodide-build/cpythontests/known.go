package main

import (
	"fmt"
	"strings"
)

// explanation is why some tests fail: a paragraph of known.txt.
type explanation struct {
	reason   string
	patterns []pattern
}

// pattern fits a failure by its test's name and the last line of its traceback; "*" in either stands for any text.
type pattern struct{ test, line string }

// parseKnown reads known.txt: paragraphs of a reason, in comments, and the failures that it explains, as lines
// "TEST | LAST LINE OF THE TRACEBACK". A paragraph of comments alone explains nothing.
func parseKnown(text string) ([]explanation, error) {
	var known []explanation
	var now explanation
	end := func() {
		if len(now.patterns) > 0 {
			known = append(known, now)
		}
		now = explanation{}
	}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		comment, isComment := strings.CutPrefix(line, "#")
		test, last, isPattern := strings.Cut(line, " | ")
		switch {
		case line == "":
			end()
		case isComment && len(now.patterns) > 0:
			return nil, fmt.Errorf("known.txt:%d: a reason stands above the failures that it explains, after an empty line", i+1)
		case isComment:
			now.reason = strings.TrimSpace(now.reason + " " + strings.TrimSpace(comment))
		case !isPattern:
			return nil, fmt.Errorf("known.txt:%d: expected `TEST | LAST LINE`, got %q", i+1, line)
		case now.reason == "":
			return nil, fmt.Errorf("known.txt:%d: there is no reason above %q", i+1, line)
		default:
			now.patterns = append(now.patterns, pattern{strings.TrimSpace(test), strings.TrimSpace(last)})
		}
	}
	end()
	return known, nil
}

// explain returns the index of the explanation for a failure, -1 if there is none.
func explain(known []explanation, test, trace string) int {
	last := lastLine(trace)
	for i, e := range known {
		for _, p := range e.patterns {
			if fits(p.test, test) && fits(p.line, last) {
				return i
			}
		}
	}
	return -1
}

func lastLine(trace string) string {
	trace = strings.TrimSpace(trace)
	return strings.TrimSpace(trace[strings.LastIndexByte(trace, '\n')+1:])
}

// fits reports whether a text is the pattern with each "*" replaced by some text.
func fits(pattern, text string) bool {
	head, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, head)
	if !ok {
		return false
	}
	for i := 0; i <= len(text); i++ {
		if fits(rest, text[i:]) {
			return true
		}
	}
	return false
}
