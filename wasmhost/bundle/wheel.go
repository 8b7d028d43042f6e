package bundle

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/engine/fault"
)

// wheels unpacks the wheels among the files, each to a folder of its own name, and returns the folders. A wheel is a zip named
// DISTRIBUTION-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl (packaging.python.org, "Binary distribution format").
func (u *unpacker) wheels() ([]string, error) {
	var folders []string
	for _, name := range slices.Sorted(maps.Keys(u.files)) {
		if !strings.HasSuffix(name, ".whl") {
			continue
		}
		data, f := wheelName(path.Base(name))
		if f != nil {
			return nil, f.At("%s", clip(name))
		}
		content := u.files[name]
		delete(u.files, name)
		u.left += int64(len(content)) // it makes room for what is in it
		u.below, u.data = name, data
		err := u.unzip(content)
		u.below, u.data = "", ""
		if err != nil {
			return nil, fault.From(err).In("%s", clip(name))
		}
		folders = append(folders, name)
	}
	return folders, nil
}

// wheelName checks that a wheel is one for the sandbox, and returns the name of the folder in it whose contents go elsewhere.
func wheelName(base string) (data string, f *fault.Fault) {
	parts := strings.Split(strings.TrimSuffix(base, ".whl"), "-")
	if len(parts) != 5 && len(parts) != 6 {
		return "", fault.New(fault.Bundle, "this wheel is not named as wheels are").
			WithHint("expected NAME-VERSION-py3-none-any.whl: keep the name that it came with")
	}
	tags := parts[len(parts)-3:]
	has := func(tag string, fits func(string) bool) bool {
		return slices.ContainsFunc(strings.Split(tag, "."), fits)
	}
	if !has(tags[1], func(t string) bool { return t == "none" }) || !has(tags[2], func(t string) bool { return t == "any" }) {
		return "", fault.New(fault.Bundle, "this wheel holds machine code: it is for %s-%s", tags[1], tags[2]).WithHint(nativeHint)
	}
	if !has(tags[0], func(t string) bool { return strings.HasPrefix(t, "py3") || strings.HasPrefix(t, "cp3") }) {
		return "", fault.New(fault.Bundle, "this wheel is for Python %s, expected py3", tags[0])
	}
	return parts[0] + "-" + parts[1] + ".data", nil
}

// wheelPath returns where a file of a wheel goes, "" for one that is of no use here: the folder NAME-VERSION.data holds what
// an installer puts elsewhere, of which modules belong beside the others.
func wheelPath(name, data string) string {
	rest, is := strings.CutPrefix(name, data+"/")
	if !is {
		return name
	}
	kind, rest, _ := strings.Cut(rest, "/")
	if kind == "purelib" || kind == "platlib" {
		return rest
	}
	return ""
}
