// Package scaffold writes what `wasmill init` gives a newcomer: a folder with a function, its SDK and a pipeline that runs it,
// complete in itself, so that it builds without a network.
package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"text/template"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/sdk"
)

//go:embed templates
var templates embed.FS

// Languages are what functions can be written in.
var Languages = []string{"c", "go", "python", "rust"}

// Kinds are what a function of a scaffold can be: a map of rows, or a process function with state and timers.
var Kinds = []string{"map", "process"}

// validName is what serves as a file's, a module's, a job's and a Makefile target's name alike.
var validName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)

// Write writes the files of a new function called name, in one of the [Languages] and of one of the [Kinds], into dir, which is made if it is not there. It
// returns the paths written, sorted. It writes nothing, and returns a fault of code Usage, when a name is not allowed or
// one of the files is there already; when writing fails midway what was written stays.
func Write(dir, lang, kind, name string) ([]string, error) {
	files, err := render(lang, kind, name)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(files))
	for file := range files {
		names = append(names, file)
	}
	sort.Strings(names)
	for _, file := range names {
		p := filepath.Join(dir, filepath.FromSlash(file))
		if _, err := os.Lstat(p); err == nil {
			return nil, fault.New(fault.Usage, "there is a file `%s` already", file).At("%s", dir).
				WithHint("nothing was written; choose an empty or a new folder")
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, unwritable(dir, err)
		}
	}
	paths := make([]string, 0, len(files))
	for _, file := range names {
		p := filepath.Join(dir, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			return paths, unwritable(dir, err)
		}
		if err := create(p, files[file]); err != nil {
			return paths, unwritable(dir, err)
		}
		paths = append(paths, p)
	}
	return paths, nil
}

// create does not overwrite, not even what another program has just made.
func create(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

func unwritable(dir string, err error) error {
	return fault.New(fault.Usage, "the files cannot be written: %v", err).At("%s", dir)
}

// render returns the files of a scaffold by their slash-separated paths.
func render(lang, kind, name string) (map[string][]byte, error) {
	if !validName.MatchString(name) {
		return nil, fault.New(fault.Usage, "the name `%s` is not allowed", name).
			WithHint("a small letter, then small letters, digits, `_` and `-`, at most 63")
	}
	files := map[string][]byte{}
	switch lang {
	case "c":
		files["wasmill.h"] = sdk.Header
	case "go":
		if err := addGoSDK(files); err != nil {
			return nil, err
		}
	case "rust":
		if err := addRustSDK(files); err != nil {
			return nil, err
		}
	case "python": // the SDK is in the sandbox
	default:
		return nil, fault.New(fault.Usage, "there is no SDK for `%s`", lang).WithHint("expected one of %s", strings.Join(Languages, ", "))
	}
	folders := []string{"all", lang} // a language may have its own of what the others share
	function := "shout"
	switch {
	case kind == "map":
	case kind != "process":
		return nil, fault.New(fault.Usage, "there is no scaffold for a `%s`", kind).WithHint("expected one of %s", strings.Join(Kinds, ", "))
	case lang == "python":
		return nil, fault.New(fault.Usage, "there is no scaffold for a process function in Python").
			WithHint("a PyFlink job has them: a KeyedProcessFunction in a script that `wasmill run` takes")
	default:
		function, folders = "quiet", append(folders, "process/all", "process/"+lang)
	}
	for _, folder := range folders {
		if err := addTemplates(files, path.Join("templates", folder), name, function); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// addGoSDK puts the SDK where the scaffold's go.mod expects the module of the same import path.
func addGoSDK(files map[string][]byte) error {
	sources, err := fs.Glob(sdk.Go, "go/*.go")
	if err != nil {
		return internal(err)
	}
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		if files["wasmill/sdk/"+source], err = sdk.Go.ReadFile(source); err != nil {
			return internal(err)
		}
	}
	return nil
}

// addRustSDK puts the crate in the folder that the scaffold's Cargo.toml names.
func addRustSDK(files map[string][]byte) error {
	err := fs.WalkDir(sdk.Rust, "rust", func(source string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		files["wasmill"+strings.TrimPrefix(source, "rust")], err = sdk.Rust.ReadFile(source)
		return err
	})
	if err != nil {
		return internal(err)
	}
	return nil
}

// places are the paths of files whose templates could not be embedded or told apart under these.
var places = map[string]string{
	"sdk.mod":   "wasmill/go.mod",
	"gitignore": ".gitignore",
	"lib.rs":    "src/lib.rs",
}

func addTemplates(files map[string][]byte, folder, name, function string) error {
	entries, err := templates.ReadDir(folder)
	if err != nil {
		return internal(err)
	}
	for _, e := range entries {
		text, err := templates.ReadFile(path.Join(folder, e.Name()))
		if err != nil {
			return internal(err)
		}
		t, err := template.New(e.Name()).Option("missingkey=error").Parse(string(text))
		if err != nil {
			return internal(err)
		}
		var b bytes.Buffer
		if err := t.Execute(&b, struct{ Name, Module, Function string }{name, moduleName(name), function}); err != nil {
			return internal(err)
		}
		file := strings.TrimSuffix(e.Name(), ".tmpl")
		if strings.HasSuffix(file, ".py") {
			file = strings.Replace(file, "NAME", moduleName(name), 1)
		}
		file = strings.Replace(file, "NAME", name, 1)
		if place, ok := places[file]; ok {
			file = place
		}
		files[file] = b.Bytes()
	}
	return nil
}

// moduleName is a name that Python can import.
func moduleName(name string) string { return strings.ReplaceAll(name, "-", "_") }

func internal(err error) error {
	return fault.New(fault.Internal, "the scaffold's templates are broken: %v", err)
}
