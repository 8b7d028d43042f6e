package main

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	pyodide "github.com/wasmill/wasmill/pyodide-build"
	"github.com/wasmill/wasmill/wasmhost"
	"github.com/wasmill/wasmill/wasmhost/python"
)

func TestMain(m *testing.M) {
	if wasmhost.CompileChild() {
		return
	}
	m.Run()
}

// short are modules of modules.txt that take a second or less each: the language, the types and the parts of the library that functions use most.
var short = strings.Fields(`
	test_abc test_bisect test_bool test_class test_collections test_contextlib test_copy test_csv test_dataclasses test_defaultdict test_dict test_dictcomps
	test_exception_group test_exceptions test_float test_frame test_generators test_hash test_heapq test_json test_list test_listcomps
	test_math test_operator test_patma test_scope test_string test_struct test_textwrap test_types test_zlib`)

// TestShort runs modules of CPython's own tests: no failure but those that known.txt explains.
func TestShort(t *testing.T) {
	pyodide.ForTest(t)
	recipe := exec.Command("go", "run", "./pyodide-build/recipe", "tests")
	recipe.Dir = filepath.Join("..", "..")
	folder, err := recipe.Output()
	if err != nil {
		t.Fatal(err)
	}
	listed := " " + strings.Join(modules(moduleList), " ") + " "
	for _, name := range short {
		if !strings.Contains(listed, " "+name+" ") {
			t.Errorf("%s is not in modules.txt", name)
		}
	}
	known, err := parseKnown(knownList)
	if err != nil {
		t.Fatal(err)
	}
	err = within(t.Context(), func(ctx context.Context, runtime *python.Runtime) error {
		for _, name := range short {
			out, err := module(ctx, runtime, filepath.Join(strings.TrimSpace(string(folder)), "bundle"), name)
			if err != nil {
				return err
			}
			if out.Passed == 0 {
				t.Errorf("%s: no test passed: %s", name, out.Reason)
			}
			for test, trace := range out.Failed {
				if explain(known, test, trace) < 0 {
					t.Errorf("%s is not explained in known.txt:\n%s", test, trace)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
