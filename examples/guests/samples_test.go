package guests_test

import (
	stdjson "encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/engine/enginetest"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/internal/cbuild"
	"github.com/wasmill/wasmill/internal/gobuild"
	"github.com/wasmill/wasmill/internal/rustbuild"
	"github.com/wasmill/wasmill/wasmhost"
)

// eachSamples runs a test with the example samples in each language.
func eachSamples(t *testing.T, test func(t *testing.T, b udf.Bundle)) {
	host, err := wasmhost.New(wasmhost.Options{CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close(t.Context())
	flags := append(cbuild.Freestanding, "-I"+filepath.Join("..", "..", "sdk", "c"))
	for language, wasm := range map[string][]byte{
		"c":    cbuild.Build(t, []string{filepath.Join("c", "samples.c")}, flags...),
		"go":   gobuild.Build(t, filepath.Join("go", "samples"), "-ldflags=-s"),
		"rust": rustbuild.Build(t, filepath.Join("rust", "samples")),
	} {
		t.Run(language, func(t *testing.T) {
			b, err := host.Load(t.Context(), "samples.wasm", wasm)
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close(t.Context())
			test(t, b)
		})
	}
}

// TestSamples runs a script with the example in each language: row by row, with several tasks, and through crashes.
func TestSamples(t *testing.T) {
	eachSamples(t, func(t *testing.T, b udf.Bundle) { script(t, b, "samples.wasm", "samples.txt") })
}

// script runs a script that names a bundle in every variant.
func script(t *testing.T, b udf.Bundle, path, file string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range enginetest.Variants {
		v.Bundles = map[string]udf.Bundle{path: b}
		t.Run(name, func(t *testing.T) {
			if err := enginetest.Run(t.Context(), string(text), v); err != nil {
				t.Error(err)
			}
		})
	}
}

// shownItem is an item that the model remembers of a user.
type shownItem struct{ user, item string }

// model says what comes out of events and watermarks.
type model struct {
	shown     map[shownItem]int64
	out, away []string
}

const patience = 10 * 60 * 1000

func (m *model) line(to *[]string, row map[string]any) {
	b, _ := stdjson.Marshal(row)
	*to = append(*to, string(b))
}

func (m *model) event(user, item, kind string, at int64) {
	key := shownItem{user, item}
	since, shown := m.shown[key]
	switch {
	case kind == "show":
		m.shown[key] = at
	case shown:
		delete(m.shown, key)
		m.line(&m.out, map[string]any{"user": user, "item": item, "positive": true, "after": at - since})
	default:
		m.line(&m.away, map[string]any{"user": user, "what": item})
	}
}

func (m *model) watermark(to int64) {
	for key, since := range m.shown {
		if since+patience <= to {
			delete(m.shown, key)
			m.line(&m.out, map[string]any{"user": key.user, "item": key.item, "positive": false, "after": nil})
		}
	}
}

// TestSamplesAgainstAModel feeds events at random, and compares what comes out in every variant with a model in plain Go.
func TestSamplesAgainstAModel(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "samples.txt"))
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(text), "\n---\n")
	eachSamples(t, func(t *testing.T, b udf.Bundle) {
		for seed := range uint64(3) {
			script, m := random(head, seed)
			for name, v := range enginetest.Variants {
				v.Bundles = map[string]udf.Bundle{"samples.wasm": b}
				got, err := enginetest.Outputs(t.Context(), script, v)
				if err != nil {
					t.Fatalf("seed %d, %s: %v\n%s", seed, name, err, script)
				}
				for output, want := range map[string][]string{"out": m.out, "aside": m.away} {
					if lines := canonical(t, got[output]); !slices.Equal(lines, want) {
						t.Fatalf("seed %d, %s, %s:\n got %q\nwant %q", seed, name, output, lines, want)
					}
				}
			}
		}
	})
}

// random makes a script of steps at random, and what must come of it.
func random(head string, seed uint64) (string, *model) {
	rng := rand.New(rand.NewPCG(seed, 7))
	m := &model{shown: make(map[shownItem]int64)}
	var b strings.Builder
	b.WriteString(head + "\n---\n")
	watermark := int64(0)
	for range 12 {
		b.WriteString("feed\n")
		for range 1 + rng.IntN(12) {
			user, item := fmt.Sprintf("u%d", rng.IntN(5)), fmt.Sprintf("i%d", rng.IntN(4))
			kind := []string{"show", "click"}[rng.IntN(2)]
			at := watermark + 1 + rng.Int64N(patience)
			fmt.Fprintf(&b, "  {\"user\":%q,\"item\":%q,\"kind\":%q,\"at\":%d}\n", user, item, kind, at)
			m.event(user, item, kind, at)
		}
		switch rng.IntN(4) {
		case 0:
			b.WriteString("checkpoint\n")
		case 1:
			b.WriteString("checkpoint\ncrash\nrestore\n")
		default:
			watermark += rng.Int64N(patience)
			fmt.Fprintf(&b, "watermark %d\n", watermark)
			m.watermark(watermark)
		}
	}
	b.WriteString("end\n")
	m.watermark(1 << 62)
	slices.Sort(m.out)
	slices.Sort(m.away)
	return b.String(), m
}

// canonical returns lines of JSON with their members in order, sorted.
func canonical(t *testing.T, lines []string) []string {
	t.Helper()
	var all []string
	for _, line := range lines {
		var v any
		if err := stdjson.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		b, err := stdjson.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(b))
	}
	slices.Sort(all)
	return all
}
