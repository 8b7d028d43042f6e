package bundle_test

import (
	"strings"
	"testing"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/wasmhost/bundle"
)

func TestManifestFaults(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "wasmill.yaml:1:1: expected members such as `name: flights`, got nothing",
		"- a":                                "wasmill.yaml:1:1: expected members such as `name: flights`, got a list",
		"name: a\n":                          "wasmill.yaml:1:1: `module` is missing",
		"name: a\nmodul: b.wasm\n":           "wasmill.yaml:2:1: unknown member `modul` (did you mean `module`?)\nwasmill.yaml:1:1: `module` is missing",
		"name: a\nmodule: [b]\n":             "wasmill.yaml:2:1: expected text for `module`, got a list",
		"name: a\nmodule: ../b.wasm\n":       "wasmill.yaml:2:1: the module's path \"../b.wasm\" leads out of the archive",
		"name: a b\nmodule: b.wasm\n":        "wasmill.yaml:1:1: the name \"a b\" is not allowed (letters, digits, `.`, `_` and `-`, at most 128)",
		"name: a\nmodule: b\nversion: 1/2\n": "wasmill.yaml:3:1: the version \"1/2\" is not allowed (letters, digits, `.`, `_`, `+` and `-`, at most 64)",
		"name: &x a\nmodule: *x\n":           "wasmill.yaml:1:1: expected text for `name`, got an anchor or alias\nwasmill.yaml:2:1: expected text for `module`, got an anchor or alias",
		"name: a\n---\nname: b\n":            "wasmill.yaml:1:1: expected one document, got 2",
		strings.Repeat("[", 100):             "wasmill.yaml:1:1: the manifest nests too deep",
		"name: \xff":                         "wasmill.yaml:1:1: the manifest is not UTF-8",
		strings.Repeat("#", 65<<10):          "wasmill.yaml:1:1: the manifest is larger than 64 KiB",
	} {
		if _, err := bundle.ParseManifest([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%.40q:\n got %v\nwant %s", text, err, want)
		}
	}
}

func TestManifestSyntaxFaultHasAPosition(t *testing.T) {
	_, err := bundle.ParseManifest([]byte("name: a\nmodule: \"b"))
	if f := fault.From(err); f == nil || f.Where != "wasmill.yaml:2:9" || f.Code != fault.Bundle {
		t.Errorf("got %#v", f)
	}
	_, err = bundle.ParseManifest([]byte("name: a\nname: b\nmodule: c\n"))
	if f := fault.From(err); f == nil || !strings.HasPrefix(f.Where, "wasmill.yaml:2:1") {
		t.Errorf("a repeated member: got %v", err)
	}
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(manifest))
	f.Add([]byte("name: &x a\nmodule: *x\n? - - - -\n"))
	f.Add([]byte(strings.Repeat("- ", 1000)))
	f.Add([]byte(strings.Repeat("? ", 1000)))
	f.Add([]byte(strings.Repeat("a: ", 1000)))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := bundle.ParseManifest(text)
		if err == nil && (m.Name == "" || m.Module == "") {
			t.Fatalf("got %+v", m)
		}
		if err != nil && fault.CodeOf(err) == fault.Internal {
			t.Fatalf("no fault: %v", err)
		}
	})
}
