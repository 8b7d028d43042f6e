package wasmhost

import (
	"hash/fnv"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wasmill/wasmill/engine/fault"
)

// Files is a tree of files that guests read as "/". Nobody writes to it, but for what is mounted in it. It may be used by many guests at once.
type Files struct{ root *node }

// node is a file or a folder.
type node struct {
	path     string // from the root, "/" for the root
	name     string
	folder   bool
	content  []byte   // of a file
	children []*node  // of a folder, by name
	parent   *node    // the root's is itself
	id       uint64   // made of the path, so that it is the same in every tree
	scratch  *Scratch // which the node is of, nil for the others
	rel      string   // the path in the scratch
}

// NewFiles makes a tree of files by path, with "/" between parts and none in front, and of folders that may be empty. It keeps the
// contents, which must not change. The error is a fault of code Bundle about a path.
func NewFiles(files map[string][]byte, folders ...string) (*Files, error) {
	f := &Files{newNode("/", "", true, nil)}
	f.root.parent = f.root
	for _, path := range folders {
		if _, err := f.folder(path); err != nil {
			return nil, err
		}
	}
	paths := make([]string, 0, len(files))
	for path := range files {
		paths = append(paths, path)
	}
	slices.Sort(paths) // so that the fault is the same every time
	for _, path := range paths {
		at, name := f.root, path
		if cut := strings.LastIndexByte(path, '/'); cut >= 0 {
			var err error
			if at, err = f.folder(path[:cut]); err != nil {
				return nil, err
			}
			name = path[cut+1:]
		}
		n, err := f.add(at, name, false)
		if err != nil {
			return nil, err
		}
		if n.content != nil {
			return nil, fault.New(fault.Bundle, "`%s` is there twice", clipText(path))
		}
		n.content = files[path]
		if n.content == nil {
			n.content = []byte{}
		}
	}
	return f, nil
}

// BundleFolder is where guests find the files of their bundle.
const BundleFolder = "bundle"

// BundleFiles makes a tree of a bundle's files, below [BundleFolder], and of others. The error is that of [NewFiles].
func BundleFiles(bundle, others map[string][]byte) (*Files, error) {
	all := make(map[string][]byte, len(bundle)+len(others))
	for path, content := range bundle {
		all[BundleFolder+"/"+path] = content
	}
	maps.Copy(all, others)
	return NewFiles(all, BundleFolder)
}

// folder finds or makes a folder.
func (f *Files) folder(path string) (*node, error) {
	at := f.root
	for _, name := range strings.Split(path, "/") {
		var err error
		if at, err = f.add(at, name, true); err != nil {
			return nil, err
		}
	}
	return at, nil
}

// add finds or makes what has that name in a folder.
func (f *Files) add(at *node, name string, folder bool) (*node, error) {
	path := strings.TrimSuffix(at.path, "/") + "/" + name
	if name == "" || name == "." || name == ".." || len(path) > maxPath || strings.ContainsAny(name, "/\x00") || !utf8.ValidString(name) {
		return nil, fault.New(fault.Bundle, "`%s` is no path of a file", clipText(path))
	}
	i, found := at.find(name)
	if !found {
		at.children = slices.Insert(at.children, i, newNode(path, name, folder, at))
	}
	if n := at.children[i]; n.folder == folder {
		return n, nil
	}
	return nil, fault.New(fault.Bundle, "`%s` is both a file and a folder", clipText(path))
}

func newNode(path, name string, folder bool, parent *node) *node {
	sum := fnv.New64a()
	io.WriteString(sum, path)
	return &node{path: path, name: name, folder: folder, parent: parent, id: sum.Sum64() | 1} // 0 would be no number
}

func (n *node) find(name string) (int, bool) {
	return slices.BinarySearchFunc(n.children, name, func(c *node, name string) int { return strings.Compare(c.name, name) })
}

// maxPath is the most bytes of a path that a guest can name.
const maxPath = 4096

// walk follows a path from a folder. ".." at the root is the root, as everywhere else; there is nothing outside.
func (n *node) walk(path string) (*node, errno) {
	if len(path) > maxPath {
		return nil, errnoNametoolong
	}
	if strings.IndexByte(path, 0) >= 0 {
		return nil, errnoInval
	}
	if !utf8.ValidString(path) {
		return nil, errnoIlseq
	}
	if path == "" {
		return nil, errnoNoent
	}
	for part := range strings.SplitSeq(path, "/") {
		switch {
		case !n.folder:
			return nil, errnoNotdir
		case part == "" || part == ".":
		case part == "..":
			n = n.parent
		case n.scratch != nil:
			var e errno
			if n, e = n.below(part); e != errnoSuccess {
				return nil, e
			}
		default:
			i, found := n.find(part)
			if !found {
				return nil, errnoNoent
			}
			n = n.children[i]
		}
	}
	return n, errnoSuccess
}
