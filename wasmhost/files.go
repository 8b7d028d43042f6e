package wasmhost

import (
	"hash/fnv"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
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
	fixed    bool     // of a scratch, and nobody writes to it by this path
	links    *links   // of a folder that folders of a scratch may be shown in; else nil
}

// links are folders of a scratch by the names under which they are shown in another folder, in the place of what that has under these.
type links struct {
	mu     sync.RWMutex
	byName map[string]*node // guarded by mu
}

// readOnly says that nobody writes to what is there.
func (n *node) readOnly() bool { return n.scratch == nil || n.fixed }

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
	f, err := NewFiles(all, BundleFolder)
	if err != nil {
		return nil, err
	}
	at, err := f.folder(BundleFolder)
	if err != nil {
		return nil, err
	}
	at.links = &links{byName: map[string]*node{}}
	return f, nil
}

// Link shows a folder of a scratch in the bundle's folder, under a name, where nobody writes to it; what the bundle has under that name is not seen
// any more. Guests may be at work. The path is the one that the folder has in the scratch. The error is that of [NewFiles], or a fault of code Usage.
func (f *Files) Link(name string, s *Scratch, path string) error {
	at, e := f.root.walk(BundleFolder)
	if e != errnoSuccess || at.links == nil {
		return fault.New(fault.Internal, "there is no folder of a bundle")
	}
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\\\x00") || len(name) > maxName || !utf8.ValidString(name) {
		return fault.New(fault.Usage, "`%s` is no name of a folder", clipText(name))
	}
	rel, err := filepath.Rel(s.path, path)
	if err != nil || !filepath.IsLocal(rel) {
		return fault.New(fault.Usage, "`%s` is not in the folder for what is temporary", clipText(path))
	}
	if info, err := s.root.Lstat(rel); err != nil || !info.IsDir() {
		return fault.New(fault.Usage, "`%s` is no folder", clipText(path))
	}
	n := newNode(at.path+"/"+name, name, true, at)
	n.scratch, n.rel, n.fixed = s, rel, true
	at.links.mu.Lock()
	defer at.links.mu.Unlock()
	if len(at.links.byName) >= maxLinks && at.links.byName[name] == nil {
		return fault.New(fault.Limit, "more than %d folders", maxLinks)
	}
	at.links.byName[name] = n
	return nil
}

// Bounds of [Files.Link]: bytes of a name, and how many there are.
const (
	maxName  = 255
	maxLinks = 1000
)

// child returns what has that name in a folder that is not of a scratch.
func (n *node) child(name string) (*node, bool) {
	if n.links != nil {
		n.links.mu.RLock()
		defer n.links.mu.RUnlock()
		if link := n.links.byName[name]; link != nil {
			return link, true
		}
	}
	i, found := n.find(name)
	if !found {
		return nil, false
	}
	return n.children[i], true
}

// entries returns what is in a folder that is not of a scratch, by name.
func (n *node) entries() []*node {
	if n.links == nil {
		return n.children
	}
	n.links.mu.RLock()
	defer n.links.mu.RUnlock()
	if len(n.links.byName) == 0 {
		return n.children
	}
	var all []*node
	for _, c := range n.children {
		if n.links.byName[c.name] == nil {
			all = append(all, c)
		}
	}
	all = slices.AppendSeq(all, maps.Values(n.links.byName))
	slices.SortFunc(all, func(a, b *node) int { return strings.Compare(a.name, b.name) })
	return all
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
			var found bool
			if n, found = n.child(part); !found {
				return nil, errnoNoent
			}
		}
	}
	return n, errnoSuccess
}
