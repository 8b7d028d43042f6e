package admit

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wasmill/wasmill/engine/fault"
)

// The core specification's tests, as wazero's module carries them: scripts in JSON (the format of WABT's wast2json)
// beside modules in binary. Every module goes through Instrument before wazero sees it.

// script is one JSON file.
type script struct {
	Commands []command `json:"commands"`
}

type command struct {
	Type       string     `json:"type"`
	Line       int        `json:"line"`
	Name       string     `json:"name"`
	Filename   string     `json:"filename"`
	As         string     `json:"as"`
	ModuleType string     `json:"module_type"`
	Text       string     `json:"text"`
	Action     action     `json:"action"`
	Expected   []constant `json:"expected"`
}

type action struct {
	Type   string     `json:"type"`
	Field  string     `json:"field"`
	Module string     `json:"module"`
	Args   []constant `json:"args"`
}

type constant struct {
	Type  string `json:"type"`
	Lane  string `json:"lane_type"`
	Value any    `json:"value"`
}

// words returns a value as wazero passes it, with the expected NaN patterns left to matches.
func (c constant) words() []uint64 {
	lanes, ok := c.Value.([]any)
	if !ok {
		return []uint64{scalar(c.Type, c.Value)}
	}
	width := 128 / len(lanes)
	w := make([]uint64, 2)
	for i, l := range lanes {
		w[i*width/64] |= scalar(c.Lane, l) << (i * width % 64)
	}
	return w
}

func scalar(t string, value any) uint64 {
	s, _ := value.(string)
	if s == "" || s == "null" || strings.HasPrefix(s, "nan:") {
		return 0
	}
	if t == "externref" {
		n, _ := strconv.ParseUint(s, 10, 64)
		return n + 1 // wazero holds 0 to be null
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		signed, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			panic(err)
		}
		n = uint64(signed)
	}
	switch t {
	case "i8":
		n &= 0xff
	case "i16":
		n &= 0xffff
	case "i32", "f32":
		n &= 0xffffffff
	}
	return n
}

// matches compares one number with what is expected, which may be a class of NaNs.
func matches(t string, value any, got uint64) bool {
	s, _ := value.(string)
	quiet, sign := uint64(0x7ff8<<48), uint64(1<<63)
	if t == "f32" || t == "i32" {
		got &= 0xffffffff
	}
	if t == "f32" {
		quiet, sign = 0x7fc00000, 1<<31
	}
	switch s {
	case "nan:canonical":
		return got&^sign == quiet
	case "nan:arithmetic":
		return got&quiet == quiet
	}
	want := scalar(t, value)
	if t == "f64" && math.IsNaN(math.Float64frombits(want)) {
		return math.IsNaN(math.Float64frombits(got))
	}
	if t == "f32" && math.IsNaN(float64(math.Float32frombits(uint32(want)))) {
		return math.IsNaN(float64(math.Float32frombits(uint32(got))))
	}
	return got == want
}

// match compares a result, taking its words off got.
func (c constant) match(got []uint64) (rest []uint64, ok bool) {
	if c.Value == nil {
		return got[1:], true
	}
	lanes, vector := c.Value.([]any)
	if !vector {
		return got[1:], matches(c.Type, c.Value, got[0])
	}
	width := 128 / len(lanes)
	for i, l := range lanes {
		w := got[i*width/64] >> (i * width % 64)
		if width < 64 {
			w &= 1<<width - 1
		}
		if !matches(c.Lane, l, w) {
			return nil, false
		}
	}
	return got[2:], true
}

// traps maps the texts of the specification's tests to wazero's.
var traps = []struct{ spec, wazero string }{
	{"out of bounds memory access", "out of bounds memory access"},
	{"indirect call", "indirect call type mismatch"},
	{"undefined", "invalid table access"},
	{"uninitialized", "invalid table access"},
	{"out of bounds table access", "invalid table access"},
	{"integer overflow", "integer overflow"},
	{"invalid conversion to integer", "invalid conversion to integer"},
	{"integer divide by zero", "integer divide by zero"},
	{"unreachable", "unreachable"},
}

// refusals are the modules that are valid by the specification and refused by design, by script: the text that every
// refused module of the script must bear, and how many there are.
var refusals = map[string]struct {
	what  string
	count int
}{
	"v2/table_grow": {"table.grow is refused", 8}, // the last imports from the one before
	"v2/table_size": {"table.grow is refused", 1},
}

// version1 are the modules that version 1 of the specification refuses and version 2, which admit implements, does
// not, by script: why, and how many.
var version1 = map[string]struct {
	why   string
	count int
}{
	"v1/func":              {"several results", 2},
	"v1/imports":           {"several tables", 1},
	"v1/type":              {"several results", 2},
	"v1/unreached-invalid": {"br_table in dead code to labels of different types", 1},
}

// specRun runs one script.
type specRun struct {
	t       *testing.T
	dir     string
	script  string
	runtime wazero.Runtime
	policy  Policy
	modules map[string]api.Module
	last    api.Module // nil after a module that is refused by design
	refused int
	newer   int
	ran     int
}

func TestSpecification(t *testing.T) {
	dir := specDir(t)
	spectest, err := os.ReadFile(filepath.Join(dir, "testdata", "spectest.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, version := range []string{"v1", "v2"} {
		scripts, err := filepath.Glob(filepath.Join(dir, version, "testdata", "*.json"))
		if err != nil || len(scripts) < 70 {
			t.Fatalf("found %d scripts in %s: %v", len(scripts), dir, err)
		}
		for _, file := range scripts {
			name := version + "/" + strings.TrimSuffix(filepath.Base(file), ".json")
			t.Run(name, func(t *testing.T) {
				r := &specRun{t: t, dir: filepath.Dir(file), script: name, modules: map[string]api.Module{}}
				total += r.run(file, spectest)
			})
		}
	}
	t.Logf("%d assertions on instrumented modules", total)
}

// specDir finds the tests in the module cache.
func specDir(t testing.TB) string {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "internal", "integration_test", "spectest")
}

func (r *specRun) run(file string, spectest []byte) int {
	ctx := context.Background()
	features := api.CoreFeaturesV2
	if strings.HasPrefix(r.script, "v1/") {
		features = api.CoreFeaturesV1 // segments out of bounds fail before anything is written
	}
	r.runtime = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCoreFeatures(features))
	defer r.runtime.Close(ctx)
	host(r.t, r.runtime, func(left int64) int64 { return 1 << 40 })
	if _, err := r.runtime.Instantiate(ctx, spectest); err != nil {
		r.t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		r.t.Fatal(err)
	}
	var s script
	if err := json.Unmarshal(text, &s); err != nil {
		r.t.Fatal(err)
	}
	r.policy = specPolicy(s)
	for i, c := range s.Commands {
		as := ""
		if i+1 < len(s.Commands) && s.Commands[i+1].Type == "register" {
			as = s.Commands[i+1].As
		}
		r.command(c, as)
	}
	if want := refusals[r.script]; r.refused != want.count {
		r.t.Errorf("%d modules refused by design, expected %d", r.refused, want.count)
	}
	if want := version1[r.script]; r.newer != want.count {
		r.t.Errorf("%d modules newer than version 1, expected %d", r.newer, want.count)
	}
	return r.ran
}

// specPolicy is the default, opened for what the tests themselves need.
func specPolicy(s script) Policy {
	p := Default()
	p.StartFunction = true
	p.MemoryPages = 65536
	p.TableElements = math.MaxUint32
	p.BrTable = 30_000 // br_table.wast has one of 24,615
	modules := []string{"spectest"}
	for _, c := range s.Commands {
		if c.As != "" {
			modules = append(modules, c.As)
		}
	}
	for _, m := range modules {
		for k := range Global + 1 {
			p.Allowed = append(p.Allowed, Import{Kind: k, Module: m, Name: "*"})
		}
	}
	return p
}

func (r *specRun) read(name string) []byte {
	b, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil {
		r.t.Fatal(err)
	}
	return b
}

func (r *specRun) command(c command, as string) {
	ctx := context.Background()
	switch c.Type {
	case "module":
		out, _, err := Instrument(r.read(c.Filename), r.policy)
		r.last = nil
		if err != nil {
			if want := refusals[r.script]; want.what != "" && strings.Contains(err.Error(), want.what) {
				r.refused++
				return
			}
			r.t.Errorf("line %d: refused: %v", c.Line, err)
			return
		}
		r.last, err = r.runtime.InstantiateWithConfig(ctx, out, wazero.NewModuleConfig().WithName(as))
		if err != nil && r.refused > 0 && strings.Contains(err.Error(), "not instantiated") {
			r.refused++
			r.last = nil
			return
		}
		if err != nil {
			r.t.Errorf("line %d: %v", c.Line, err)
			return
		}
		if c.Name != "" {
			r.modules[c.Name] = r.last
		}
	case "assert_invalid", "assert_malformed":
		if c.ModuleType != "text" {
			r.invalid(c)
		}
	case "assert_unlinkable", "assert_uninstantiable":
		out, _, err := Instrument(r.read(c.Filename), r.policy)
		if err == nil {
			_, err = r.runtime.InstantiateWithConfig(ctx, out, wazero.NewModuleConfig())
		}
		// wazero holds on to a module whose element segments are out of bounds, as its own tests say.
		if want := c.Text != "out of bounds table access"; (err != nil) != want {
			r.t.Errorf("line %d: %s gave %v", c.Line, c.Type, err)
		}
		r.ran++
	case "assert_return", "action", "assert_trap", "assert_exhaustion":
		r.act(c)
	case "register":
	default:
		r.t.Errorf("line %d: unknown command %q", c.Line, c.Type)
	}
}

func (r *specRun) invalid(c command) {
	r.ran++
	err := Validate(r.read(c.Filename), r.policy)
	var f *fault.Fault
	switch {
	case err == nil && strings.HasPrefix(r.script, "v1/") && version1[r.script].count > 0:
		r.newer++
	case err == nil:
		r.t.Errorf("line %d: accepted, but %s", c.Line, c.Text)
	case !errors.As(err, &f) || f.Code != fault.Admission:
		r.t.Errorf("line %d: not an admission fault: %v", c.Line, err)
	}
}

func (r *specRun) act(c command) {
	m := r.last
	if c.Action.Module != "" {
		m = r.modules[c.Action.Module]
	}
	if m == nil && refusals[r.script].count > 0 {
		return
	}
	r.ran++
	if m == nil {
		r.t.Errorf("line %d: no module", c.Line)
		return
	}
	if c.Action.Type == "get" {
		g := m.ExportedGlobal(c.Action.Field)
		if g == nil {
			r.t.Errorf("line %d: no global %q", c.Line, c.Action.Field)
		} else if _, ok := c.Expected[0].match([]uint64{g.Get()}); !ok {
			r.t.Errorf("line %d: global is %#x, expected %v", c.Line, g.Get(), c.Expected)
		}
		return
	}
	var args []uint64
	for _, a := range c.Action.Args {
		args = append(args, a.words()...)
	}
	got, err := m.ExportedFunction(c.Action.Field).Call(context.Background(), args...)
	switch c.Type {
	case "assert_trap", "assert_exhaustion":
		if err == nil || !strings.Contains(err.Error(), trapText(c)) {
			r.t.Errorf("line %d: %s(%v) gave %v, expected %s", c.Line, c.Action.Field, args, err, c.Text)
		}
	default:
		if err != nil {
			r.t.Errorf("line %d: %s(%v): %v", c.Line, c.Action.Field, args, err)
			return
		}
		r.results(c, got)
	}
}

func (r *specRun) results(c command, got []uint64) {
	rest := got
	for _, want := range c.Expected {
		var ok bool
		if rest, ok = want.match(rest); !ok {
			r.t.Errorf("line %d: %s gave %#x, expected %v", c.Line, c.Action.Field, got, c.Expected)
			return
		}
	}
	if len(rest) != 0 {
		r.t.Errorf("line %d: %s gave %d words too many", c.Line, c.Action.Field, len(rest))
	}
}

func trapText(c command) string {
	if c.Type == "assert_exhaustion" {
		return "stack overflow"
	}
	for _, t := range traps {
		if strings.HasPrefix(c.Text, t.spec) {
			return t.wazero
		}
	}
	return "no text for " + c.Text
}
