package enginetest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/wasmill/wasmill/engine/enginetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestScripts runs every script in every variant.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			for name, v := range enginetest.Variants {
				if v.Crashes && strings.Contains(string(text), "Without crashes") {
					continue
				}
				t.Run(name, func(t *testing.T) {
					if err := enginetest.Run(t.Context(), string(text), v); err != nil {
						t.Fatal(err)
					}
				})
			}
		})
	}
}

// TestAScriptThatIsWrong checks what a script says that does not fit.
func TestAScriptThatIsWrong(t *testing.T) {
	const head = "input: {script: {}, schema: {a: int64}}\noutput: {script: {}}\n---\n"
	for script, want := range map[string]string{
		"input: stdin": "a script has a pipeline, a line `---`, and steps",
		head + "feed\n  {\"a\":1}\nexpect\n  {\"a\":2}": "step 2, `[expect]`: came out but was not expected:\n  {\"a\":1}\nexpected but did not come out:\n  {\"a\":2}",
		head + "jump":              "step 1, `[jump]`: there is no such step",
		head + "crash\nfeed":       "step 2, `[feed]`: the job has crashed",
		head + "feed 7\n  {}":      "step 1, `[feed 7]`: the input source-1 has no split 7",
		head + "feed\n  {\"a\":x}": "step 1, `[feed]`: script.yaml:1:8, 0:1, byte 5: expected a value, got 'x'",
	} {
		err := enginetest.Run(t.Context(), script, enginetest.Variant{})
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}
