package wasmhost_test

import (
	"slices"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/internal/cbuild"
	"github.com/wasmill/wasmill/wasmhost"
	"github.com/wasmill/wasmill/wasmhost/bundle"
)

func readsFiles(t *testing.T) []byte {
	t.Helper()
	return cbuild.Build(t, []string{"testdata/files.c"}, append([]string{"-Itestdata", "-Wl,--export=__stack_pointer"}, cbuild.Freestanding...)...)
}

// opened starts a guest, opens its function, ends it, and returns what it logged.
func opened(t *testing.T, b udf.Bundle) []string {
	t.Helper()
	var seen []string
	g, err := b.Instantiate(t.Context(), udf.Options{Log: func(_ int, line string) { seen = append(seen, line) }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Bind(t.Context(), "f", udf.Map, arrow.NewSchema(nil, nil), nil, nil); err != nil {
		t.Error(err)
	}
	if err := g.Close(t.Context()); err != nil {
		t.Error(err)
	}
	return seen
}

func TestGuestsReadTheFilesOfTheirBundle(t *testing.T) {
	host, wasm := newHost(t, wasmhost.Options{}), readsFiles(t)
	for _, test := range []struct {
		files map[string][]byte
		want  string
	}{
		{map[string][]byte{"data.txt": []byte("of the bundle")}, "0 4 of the bundle"},
		{map[string][]byte{"other.txt": []byte("other")}, "9 9 "},
		{nil, "9 9 "},
	} {
		b, err := host.Open(t.Context(), &bundle.Bundle{Name: "files", Digest: "d", Wasm: wasm, Files: test.files})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if got := opened(t, b); !slices.Equal(got, []string{test.want}) {
				t.Errorf("with %v: got %q, want %q", test.files, got, test.want)
			}
		}
		if err := b.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestImagesHaveNoOpenFiles(t *testing.T) {
	template, err := newHost(t, wasmhost.Options{}).Template(t.Context(), "files", readsFiles(t), false)
	if err != nil {
		t.Fatal(err)
	}
	defer template.Close(t.Context())
	tree := func(text string) *wasmhost.Files {
		files, err := wasmhost.BundleFiles(map[string][]byte{"data.txt": []byte(text)}, map[string][]byte{"lib/x": nil})
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	seed, err := template.Seed(t.Context(), nil, tree("before"), udf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer seed.Close(t.Context())
	if err := seed.Run(t.Context(), "keep_open"); err != nil {
		t.Fatal(err)
	}
	const want = "the file `/bundle/data.txt` is open while an image is made, and guests of the image would share it (close it, or open it in open())"
	if _, err := seed.Image(t.Context(), true); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := seed.Run(t.Context(), "close_it"); err != nil {
		t.Fatal(err)
	}
	image, err := seed.Image(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	b, err := template.Bundle(t.Context(), "files", "d", image, true, tree("after"))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close(t.Context())
	// The second clone gets the first one's instance, in which a file was left open.
	for range 2 {
		if got := opened(t, b); !slices.Equal(got, []string{"0 4 after"}) {
			t.Errorf("a clone read %q", got)
		}
	}
}
