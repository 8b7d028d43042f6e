package main

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// lock is what the Go part of the recipe needs of versions.lock; the script that fetches reads the files' lines itself, and this makes sure that it can.
type lock struct {
	suite string
	// tools has the version of each compiler that the lock file's author had.
	tools map[string]string
	files int
}

var (
	sha256Form = regexp.MustCompile(`^[0-9a-f]{64}$`)
	fileForm   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+~_%-]*$`)
)

// parseLock reads versions.lock. An error names the line.
func parseLock(text string) (*lock, error) {
	l := &lock{tools: map[string]string{}}
	seen := map[string]bool{}
	for i, line := range strings.Split(text, "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		bad := func(format string, args ...any) error {
			return fmt.Errorf("versions.lock:%d: %s", i+1, fmt.Sprintf(format, args...))
		}
		want, known := map[string]int{"suite": 2, "tool": 3, "source": 5, "all": 5, "amd64": 5, "arm64": 5}[fields[0]]
		switch {
		case !known:
			return nil, bad("unknown kind %q", fields[0])
		case len(fields) != want:
			return nil, bad("%s: expected %d words, got %d", fields[0], want, len(fields))
		case fields[0] == "suite":
			l.suite = fields[1]
		case fields[0] == "tool":
			l.tools[fields[1]] = fields[2]
		case !fileForm.MatchString(fields[3]):
			return nil, bad("%q is not a file's name", fields[3])
		case !sha256Form.MatchString(fields[4]):
			return nil, bad("%s: expected a SHA-256 in 64 hex digits, got %q", fields[3], fields[4])
		case seen[fields[3]]:
			return nil, bad("%s is named twice", fields[3])
		default:
			seen[fields[3]] = true
			l.files++
		}
	}
	if l.suite == "" || l.files == 0 {
		return nil, fmt.Errorf("versions.lock: it needs a suite and files")
	}
	return l, nil
}

var versionForm = regexp.MustCompile(`\d+\.\d+\.\d+`)

// compilers asks the lock's tools what they are. It returns their answers as text for digests, and a note for each whose version is not
// the lock's: the bytes will differ then from those that the lock's author had.
func (l *lock) compilers() (text string, notes []string, err error) {
	names := make([]string, 0, len(l.tools))
	for name := range l.tools {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		out, err := exec.Command(name, "--version").Output()
		if err != nil {
			return "", nil, fmt.Errorf("%s: %w; script/setup installs it", name, err)
		}
		first, _, _ := strings.Cut(string(out), "\n")
		text += name + ": " + first + "\n"
		if got := versionForm.FindString(first); got != l.tools[name] {
			notes = append(notes, fmt.Sprintf("%s is version %s, versions.lock was written with %s: python.wasm's bytes may differ", name, got, l.tools[name]))
		}
	}
	return text, notes, nil
}
