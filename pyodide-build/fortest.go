package pyodide

// failer is what ForTest needs of a *testing.T or *testing.B.
type failer interface {
	Helper()
	Fatal(args ...any)
}

// ForTest is [Load] for tests. Where Python was never built it runs the recipe first, as make test does before all tests, which takes minutes. It
// ends the test when there is none in the end.
func ForTest(t failer) *Runtime {
	t.Helper()
	if err := prepare(); err != nil {
		t.Fatal(err)
	}
	r, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return r
}
