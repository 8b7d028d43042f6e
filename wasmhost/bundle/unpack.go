package bundle

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/wasmill/wasmill/engine/fault"
)

// unpacker collects an archive's files and counts what they take.
type unpacker struct {
	limits  limits
	files   map[string][]byte
	folders map[string]bool
	entries int
	left    int64 // bytes that may still be unpacked
	// While a wheel is unpacked: the folder that it goes to, and the one in it whose contents go elsewhere.
	below, data string
}

func newUnpacker(l limits) *unpacker {
	return &unpacker{limits: l, files: map[string][]byte{}, folders: map[string]bool{}, left: l.unpacked}
}

// entry checks one entry's name and kind. It returns the clean path, or "" for a folder, which holds nothing itself.
func (u *unpacker) entry(name string, mode fs.FileMode) (string, error) {
	u.entries++
	if u.entries > u.limits.files {
		return "", fault.New(fault.Limit, "the archive has more than %d entries", u.limits.files)
	}
	if why := badPath(name); why != "" {
		return "", fault.New(fault.Bundle, "the archive has an entry %q, whose path %s", clip(name), why)
	}
	clean := path.Clean(name)
	if u.below != "" {
		if clean = wheelPath(clean, u.data); clean == "" {
			return "", nil
		}
		clean = path.Join(u.below, clean)
	}
	switch {
	case mode.IsDir():
		if _, ok := u.files[clean]; ok {
			return "", twice(clean)
		}
		u.folders[clean] = true
		return "", nil
	case mode&fs.ModeSymlink != 0:
		return "", fault.New(fault.Bundle, "the archive has a link `%s`", clean).WithHint("only plain files and folders are allowed")
	case !mode.IsRegular():
		return "", fault.New(fault.Bundle, "the archive has a special file `%s`", clean).WithHint("only plain files and folders are allowed")
	}
	if _, ok := u.files[clean]; ok || u.folders[clean] {
		return "", twice(clean)
	}
	return clean, nil
}

func twice(name string) error {
	return fault.New(fault.Bundle, "the archive has `%s` twice", name)
}

// clip keeps a hostile name from filling the screen.
func clip(name string) string {
	const most = 200
	if len(name) > most {
		return name[:most] + "..."
	}
	return name
}

// badPath says what is wrong with an entry's path, or "".
func badPath(name string) string {
	switch {
	case name == "":
		return "is empty"
	case len(name) > 1024:
		return "is longer than 1024 bytes"
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "is not plain text"
	case strings.Contains(name, `\`):
		return `holds a "\"`
	case path.IsAbs(name) || len(name) >= 2 && name[1] == ':':
		return "is absolute"
	}
	for _, part := range strings.Split(name, "/") {
		if part == ".." {
			return "leads out of the archive"
		}
	}
	return ""
}

// add reads a file. The size in the archive's own headers is not looked at.
func (u *unpacker) add(name string, r io.Reader) error {
	most := min(u.limits.file, u.left)
	content, err := io.ReadAll(io.LimitReader(r, most+1))
	if int64(len(content)) > most {
		if most == u.limits.file {
			return fault.New(fault.Limit, "the file `%s` is larger than %s", name, size(most))
		}
		return u.limits.tooMuch()
	}
	if err != nil {
		return damaged(err)
	}
	u.left -= int64(len(content))
	u.files[name] = content
	return nil
}

func (l limits) tooMuch() error {
	return fault.New(fault.Limit, "the archive unpacks to more than %s", size(l.unpacked))
}

func damaged(err error) error {
	return fault.New(fault.Bundle, "the archive is damaged: %v", err)
}

// sound checks that no file is a folder of others.
func (u *unpacker) sound() error {
	for name := range u.files {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if _, ok := u.files[dir]; ok {
				return twice(dir)
			}
		}
	}
	return nil
}

func (u *unpacker) unzip(upload []byte) error {
	z, err := zip.NewReader(bytes.NewReader(upload), int64(len(upload)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // names are checked below, with a better message
		return damaged(err)
	}
	for _, f := range z.File {
		name, err := u.entry(f.Name, f.Mode())
		if err != nil {
			return err
		}
		if name == "" {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return damaged(err)
		}
		err = u.add(name, r)
		r.Close()
		if err != nil {
			return err
		}
	}
	return u.sound()
}

// tarOverhead is what headers and padding may add to the contents of an archive, for each entry.
const tarOverhead = 16 << 10

func (u *unpacker) untar(upload []byte) error {
	l := u.limits
	g, err := gzip.NewReader(bytes.NewReader(upload))
	if err != nil {
		return damaged(err)
	}
	stream := &counted{r: g, limits: l, left: l.unpacked + int64(l.files)*tarOverhead}
	t := tar.NewReader(stream)
	for {
		h, err := t.Next()
		if err == io.EOF {
			break
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return orLimit(err)
		}
		switch h.Typeflag {
		case tar.TypeXGlobalHeader:
			continue // what git archive puts in front
		case tar.TypeLink:
			return fault.New(fault.Bundle, "the archive has a link `%s`", clip(h.Name)).WithHint("only plain files and folders are allowed")
		}
		name, err := u.entry(h.Name, h.FileInfo().Mode())
		if err != nil {
			return err
		}
		if name == "" {
			continue
		}
		if err := u.add(name, t); err != nil {
			return orLimit(err)
		}
	}
	// To the end, so that the checksum is looked at.
	if _, err := io.Copy(io.Discard, stream); err != nil {
		return orLimit(err)
	}
	return u.sound()
}

// orLimit keeps faults and calls anything else damage.
func orLimit(err error) error {
	var f *fault.Fault
	if errors.As(err, &f) {
		var inner *fault.Fault
		if errors.As(f.Cause, &inner) {
			return inner
		}
		return f
	}
	return damaged(err)
}

// counted ends with a Limit fault when more than left bytes are read: a bomb may lie between entries too.
type counted struct {
	r      io.Reader
	limits limits
	left   int64
}

func (c *counted) Read(p []byte) (int, error) {
	if int64(len(p)) > c.left {
		p = p[:c.left+1]
	}
	n, err := c.r.Read(p)
	if c.left -= int64(n); c.left < 0 {
		return 0, c.limits.tooMuch()
	}
	return n, err
}
