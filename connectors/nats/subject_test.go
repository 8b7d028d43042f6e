package nats

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestOverlapAndCovers(t *testing.T) {
	for _, c := range []struct {
		a, b             string
		overlap, a2b, b2 bool // whether they overlap, a covers b, b covers a
	}{
		{"a", "a", true, true, true},
		{"a", "b", false, false, false},
		{"a", "a.b", false, false, false},
		{"a.>", "a", false, false, false},
		{"a.>", "a.b", true, true, false},
		{"a.>", "a.*", true, true, false},
		{">", "a.b.c", true, true, false},
		{">", ">", true, true, true},
		{"a.*.c", "a.b.*", true, false, false},
		{"*.b", "a.*.c", false, false, false},
		{"a.*.>", "a.b", false, false, false},
	} {
		if got := overlap(c.a, c.b); got != c.overlap {
			t.Errorf("overlap(%s, %s): %v", c.a, c.b, got)
		}
		if got := covers(c.a, c.b); got != c.a2b {
			t.Errorf("covers(%s, %s): %v", c.a, c.b, got)
		}
		if got := covers(c.b, c.a); got != c.b2 {
			t.Errorf("covers(%s, %s): %v", c.b, c.a, got)
		}
	}
}

// TestOverlapAgreesWithSubjects compares overlap and covers with what they say of single subjects, all up to four parts.
func TestOverlapAgreesWithSubjects(t *testing.T) {
	var all []string
	var grow func(s string, parts int)
	grow = func(s string, parts int) {
		for _, c := range []string{"a", "b"} {
			u := strings.TrimPrefix(s+"."+c, ".")
			all = append(all, u)
			if parts < 4 {
				grow(u, parts+1)
			}
		}
	}
	grow("", 1)
	filter := rapid.Custom(func(t *rapid.T) string {
		parts := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "*"}), 1, 3).Draw(t, "parts")
		if rapid.Bool().Draw(t, "rest") {
			parts[len(parts)-1] = ">"
		}
		return strings.Join(parts, ".")
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := filter.Draw(t, "a"), filter.Draw(t, "b")
		both, missed := false, false
		for _, s := range all {
			both = both || covers(a, s) && covers(b, s)
			missed = missed || covers(b, s) && !covers(a, s)
		}
		if overlap(a, b) != both {
			t.Fatalf("overlap(%s, %s) is %v", a, b, !both)
		}
		if covers(a, b) && missed {
			t.Fatalf("%s does not cover %s", a, b)
		}
	})
}

func FuzzTemplate(f *testing.F) {
	for _, s := range []string{"a.{b}", "{{a}}", "{", "}", "a.{ b }.c{d}e", "{a}{b}", "{{{a}}}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		tm, err := parseTemplate(s)
		if err != nil {
			return
		}
		var back strings.Builder
		for _, p := range tm.parts {
			if p.column {
				back.WriteString("{" + p.text + "}")
			} else {
				back.WriteString(strings.NewReplacer("{", "{{", "}", "}}").Replace(p.text))
			}
		}
		again, err := parseTemplate(back.String())
		if err != nil || len(again.parts) != len(tm.parts) {
			t.Fatalf("%q came back as %q: %v", s, back.String(), err)
		}
		for i := range tm.parts {
			if again.parts[i] != tm.parts[i] {
				t.Fatalf("part %d of %q came back as %+v", i, s, again.parts[i])
			}
		}
	})
}

func TestCanReset(t *testing.T) {
	for version, want := range map[string]bool{"2.15.2": true, "2.14.0": true, "2.13.9": false, "1.99.0": false, "3.0.0-dev": true, "": true} {
		if got := canReset(version); got != want {
			t.Errorf("%q: got %v", version, got)
		}
	}
}
