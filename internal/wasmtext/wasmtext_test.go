package wasmtext

import (
	"fmt"
	"testing"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"# a comment\n# expect: this and that\n00 61": "this and that 0061",
		`u:300 s:-1 s:64 s:-65 "\u00e9"`:              " ac027fc000bf7fc3a9",
		"{ 01 { 02 03 } }":                            " 0401020203",
		"2*( u:i u:i+5 3*( u:i ) )":                   " 00050001020106000102",
		"{ 01":                                        "error: {: there is no }",
		"zz":                                          "error: zz: encoding/hex: invalid byte: U+007A 'z'",
		"x*( 00 )":                                    "error: x*(: expected a number of times, got \"x\"",
		"u:-1":                                        "error: u:-1: strconv.ParseUint: parsing \"-1\": invalid syntax",
	} {
		s, err := Parse(text)
		got := fmt.Sprintf("%s %x", s.Expect, s.Module)
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", text, got, want)
		}
	}
}
