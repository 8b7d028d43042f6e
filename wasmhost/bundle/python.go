package bundle

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/engine/fault"
)

// Python is a bundle of Python code.
type Python struct {
	// Main is the path in Files of the .py that holds the functions.
	Main string
	// Paths lists the folders of Files that imports are looked for in behind the root, in that order, without "/" at the
	// end: the one that Main is in, what the manifest names, then unpacked wheels by name.
	Paths []string
}

const nativeHint = "the sandbox runs no machine code: take a version in pure Python; C extensions run in the native runtime only"

// isPython reports whether a file's name is that of Python code.
func isPython(name string) bool { return strings.HasSuffix(name, ".py") }

// script makes a bundle of one .py.
func (b *Bundle) script(name string, upload []byte, l limits) (*Bundle, error) {
	if int64(len(upload)) > l.file {
		return nil, fault.New(fault.Limit, "the file is larger than %s", size(l.file))
	}
	b.Module, b.Name = name, strings.TrimSuffix(name, ".py")
	b.Files = map[string][]byte{name: upload}
	b.Python = &Python{Main: name}
	return b, nil
}

// fillPython makes a bundle of Python code, whose main file is Module, of what was unpacked.
func (b *Bundle) fillPython(u *unpacker, m *Manifest) error {
	wheels, err := u.wheels()
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(b.Files)) {
		if what := machineCode(name, b.Files[name]); what != "" {
			return fault.New(fault.Bundle, "`%s` is machine code: %s", clip(name), what).WithHint(nativeHint)
		}
	}
	b.Python = &Python{Main: b.Module}
	add := func(folder string) {
		if folder != "." && !slices.Contains(b.Python.Paths, folder) {
			b.Python.Paths = append(b.Python.Paths, folder)
		}
	}
	add(path.Dir(b.Module))
	for _, p := range m.Paths {
		if !hasFolder(b.Files, p.Path) {
			return fault.New(fault.Bundle, "there is no folder `%s` in the archive", clip(p.Path)).At("%s:%s", ManifestName, p.position)
		}
		add(p.Path)
	}
	for _, w := range wheels {
		add(w)
	}
	return nil
}

func hasFolder(files map[string][]byte, folder string) bool {
	for name := range files {
		if folder == "." || strings.HasPrefix(name, folder+"/") {
			return true
		}
	}
	return false
}

// mainScript finds the main file of an archive without a manifest: the one .py at its root, or main.py. It returns "" where
// the archive holds no Python code at its root.
func mainScript(files map[string][]byte) (string, error) {
	var scripts []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if isPython(name) && !strings.Contains(name, "/") {
			scripts = append(scripts, name)
		}
	}
	switch {
	case len(scripts) == 0:
		return "", nil
	case len(scripts) == 1:
		return scripts[0], nil
	case slices.Contains(scripts, "main.py"):
		return "main.py", nil
	}
	const most = 10
	list := strings.Join(scripts[:min(most, len(scripts))], ", ")
	if len(scripts) > most {
		list += ", ..."
	}
	return "", fault.New(fault.Bundle, "which of the files has the functions: %s?", clip(list)).
		WithHint("say so in %s, with `name: NAME` and `module: FILE.py`, or call it main.py", ManifestName)
}

// machineCode says what kind of machine code a file is, "" for none.
func machineCode(name string, content []byte) string {
	base := path.Base(name)
	for _, ending := range []string{".so", ".pyd", ".dylib", ".dll"} {
		if strings.HasSuffix(base, ending) {
			return "a " + ending
		}
	}
	if strings.Contains(base, ".so.") {
		return "a .so"
	}
	switch begins := func(magic string) bool { return strings.HasPrefix(string(content[:min(4, len(content))]), magic) }; {
	case begins("\x7fELF"):
		return "an ELF file"
	case begins("\xfe\xed\xfa\xce"), begins("\xfe\xed\xfa\xcf"), begins("\xce\xfa\xed\xfe"), begins("\xcf\xfa\xed\xfe"):
		return "a Mach-O file"
	case begins("\xca\xfe\xba\xbe") && len(content) >= 8 && content[4] == 0 && content[5] == 0 && content[6] == 0 && content[7] < 40:
		return "a Mach-O file" // of several machines; a Java class has a greater number here
	case begins("MZ") && portable(content):
		return "a Windows program"
	}
	return ""
}

// portable reports whether content that begins as a DOS program has the header of a Windows one where it says.
func portable(content []byte) bool {
	const at = 0x3c
	if len(content) < at+4 {
		return false
	}
	header := int64(content[at]) | int64(content[at+1])<<8 | int64(content[at+2])<<16 | int64(content[at+3])<<24
	return header+4 <= int64(len(content)) && string(content[header:header+4]) == "PE\x00\x00"
}
