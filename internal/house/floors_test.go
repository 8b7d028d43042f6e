package house_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// root is the module's path.
const root = "github.com/wasmill/wasmill/"

// forbidden lists imports that the architecture does without. From and to are prefixes of package paths; except lists
// packages that may.
var forbidden = []struct {
	from, to string
	except   []string
	why      string
}{
	{"", "github.com/dgraph-io/badger", []string{"state/badgerdb"}, "state has several stores behind one contract; only one of them is Badger"},
	{"", "github.com/tetratelabs/wazero", []string{"wasmhost"}, "the engine knows functions, not WebAssembly"},
	{"", "github.com/nats-io", []string{"connectors/nats", "engine/commit", "server", "cmd", "bench"}, "NATS is one connector among others, and the commit log"},
	{"connectors", root + "wasmhost", nil, "the seam between connectors and guests is Arrow's memory.Allocator"},
	{"wasmhost", root + "connectors", nil, "the seam between connectors and guests is Arrow's memory.Allocator"},
	{"wasmhost", root + "engine/runtime", nil, "guests do not know the engine, only the contracts on its lowest floor"},
	{"wasmhost", root + "engine/operator", nil, "guests do not know the engine, only the contracts on its lowest floor"},
	{"state", root + "engine/runtime", nil, "state is below the engine"},
	{"state", root + "engine/operator", nil, "state is below the engine"},
	{"state", root + "connectors", nil, "state does not read or write events"},
	{"engine", root + "wasmhost", nil, "the engine runs functions through engine/udf, so that another runtime can take WebAssembly's place"},
	{"engine", root + "cmd", nil, "the command is on top"},
	{"engine", root + "state/badgerdb", nil, "the engine is given a store"},
	{"engine/stream", root + "connectors", nil, "engine/stream is the lowest floor"},
	{"engine/stream", root + "engine/operator", nil, "engine/stream is the lowest floor"},
	{"engine/fault", root, nil, "faults are built everywhere, so they depend on nothing"},
	{"sdk/go", "github.com/apache", nil, "a guest has the standard library alone, to stay small"},
}

func TestFloors(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", root+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	packages := 0
	for {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages++
		name := strings.TrimPrefix(p.ImportPath, root)
		for _, rule := range forbidden {
			if !under(name, rule.from) || exempt(name, rule.except) {
				continue
			}
			for _, i := range p.Imports {
				if strings.HasPrefix(i, rule.to) && i != p.ImportPath && !(rule.from == "engine/fault" && under(strings.TrimPrefix(i, root), "engine/fault")) {
					t.Errorf("%s imports %s: %s", name, i, rule.why)
				}
			}
		}
	}
	if packages < 20 {
		t.Errorf("saw %d packages, expected the whole tree", packages)
	}
}

func under(name, folder string) bool {
	return folder == "" || name == folder || strings.HasPrefix(name, folder+"/")
}

func exempt(name string, folders []string) bool {
	for _, f := range folders {
		if under(name, f) {
			return true
		}
	}
	return false
}
