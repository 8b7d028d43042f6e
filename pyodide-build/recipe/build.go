package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// kept is how many outputs of a layer are left in the cache: those used last.
const kept = 4

// builder builds layers into a cache: cache/layers/NAME-DIGEST holds outputs, cache/NAME points to the newest of each, and cache/tmp is
// where scripts work; an output is moved into its place when it is whole.
type builder struct {
	root      string // the repository
	cache     string
	compilers string // text of the compilers' versions
	arch      string // Debian's name for this machine
	names     bool
	log       io.Writer
	layers    []layer
	done      map[string]output
}

// output is a finished layer.
type output struct{ digest, dir string }

// build returns the layer's output, made now if the cache does not have it.
func (b *builder) build(name string) (output, error) {
	if out, ok := b.done[name]; ok {
		return out, nil
	}
	i := slices.IndexFunc(b.layers, func(l layer) bool { return l.name == name })
	if i < 0 {
		return output{}, fmt.Errorf("there is no layer %q", name)
	}
	l := b.layers[i]
	inputs := map[string]output{}
	for _, need := range l.needs {
		in, err := b.build(need)
		if err != nil {
			return output{}, err
		}
		inputs[need] = in
	}
	digest, err := b.digest(l, inputs)
	if err != nil {
		return output{}, err
	}
	out := output{digest: digest, dir: filepath.Join(b.cache, "layers", name+"-"+digest[:16])}
	if _, err := os.Stat(out.dir); errors.Is(err, os.ErrNotExist) {
		err = b.run(l, inputs, out.dir)
		if err != nil {
			return output{}, err
		}
	} else if err != nil {
		return output{}, err
	}
	now := time.Now()
	if err := os.Chtimes(out.dir, now, now); err != nil {
		return output{}, err
	}
	if err := point(filepath.Join(b.cache, name), out.dir); err != nil {
		return output{}, err
	}
	b.done[name] = out
	return out, b.prune(name)
}

// digest returns the SHA-256, in hex, over everything that the layer's output depends on.
func (b *builder) digest(l layer, inputs map[string]output) (string, error) {
	h := sha256.New()
	part := func(name string, content []byte) { fmt.Fprintf(h, "%s %d\n%s\n", name, len(content), content) }
	part("layer", []byte(l.name))
	files := []string{script("common"), script(l.name)}
	if l.files != nil {
		more, err := l.files(b.root)
		if err != nil {
			return "", err
		}
		files = append(files, more...)
	}
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(b.root, file))
		if err != nil {
			return "", err
		}
		part(file, content)
	}
	for _, need := range l.needs {
		part(need, []byte(inputs[need].digest))
	}
	if l.compilers {
		part("compilers", []byte(b.compilers))
	}
	part("arch", []byte(b.arch))
	part("variant", []byte(l.variant))
	return hex.EncodeToString(h.Sum(nil)), nil
}

func script(name string) string { return "pyodide-build/recipe/sh/" + name + ".sh" }

// run executes the layer's script and moves what it made to dir.
func (b *builder) run(l layer, inputs map[string]output, dir string) error {
	start := time.Now()
	fmt.Fprintf(b.log, "python: building %s\n", l.name)
	scratch, err := os.MkdirTemp(filepath.Join(b.cache, "tmp"), l.name+"-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	out, work := filepath.Join(scratch, "out"), filepath.Join(scratch, "work")
	for _, d := range []string{out, work, filepath.Dir(dir)} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	cmd := exec.Command("bash", "-c", `. "$0" && . "$1"`, filepath.Join(b.root, script("common")), filepath.Join(b.root, script(l.name)))
	cmd.Dir = work
	cmd.Env = b.environment(l, inputs, out, work)
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	if err := cmd.Run(); err != nil {
		log := filepath.Join(b.cache, l.name+".log")
		if err := os.WriteFile(log, text.Bytes(), 0o644); err != nil {
			return err
		}
		if hint := gone(text.String()); hint != "" {
			return fmt.Errorf("%s: %s (all that was said: %s)", l.name, hint, log)
		}
		return fmt.Errorf("%s: %w; the end of %s says:\n%s", l.name, err, log, tail(text.String(), 30))
	}
	if err := os.Rename(out, dir); err != nil {
		return err
	}
	fmt.Fprintf(b.log, "python: %s took %s\n", l.name, time.Since(start).Round(100*time.Millisecond))
	return nil
}

// environment is all that a script sees; of the caller's it has only what tells how to reach the network.
func (b *builder) environment(l layer, inputs map[string]output, out, work string) []string {
	env := []string{
		"PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + work, "DEBIAN_FRONTEND=noninteractive",
		"OUT=" + out, "WORK=" + work, "ROOT=" + b.root, "ARCH=" + b.arch, "JOBS=" + strconv.Itoa(jobs()),
	}
	if b.names {
		env = append(env, "NAMES=1")
	}
	for name, in := range inputs {
		env = append(env, "IN_"+strings.ToUpper(name)+"="+in.dir)
	}
	for _, name := range []string{"http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "APT_CONFIG"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// point makes link a symbolic link to target, which lies below link's folder, in one step.
func point(link, target string) error {
	rel, err := filepath.Rel(filepath.Dir(link), target)
	if err != nil {
		return err
	}
	if old, err := os.Readlink(link); err == nil && old == rel {
		return nil
	}
	fresh := link + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Symlink(rel, fresh); err != nil {
		return err
	}
	return os.Rename(fresh, link)
}

// prune removes the layer's outputs that were not used for longest.
func (b *builder) prune(name string) error {
	dirs, err := filepath.Glob(filepath.Join(b.cache, "layers", name+"-????????????????"))
	if err != nil || len(dirs) <= kept {
		return err
	}
	used := map[string]time.Time{}
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		used[dir] = info.ModTime()
	}
	slices.SortFunc(dirs, func(x, y string) int { return used[y].Compare(used[x]) })
	for _, dir := range dirs[kept:] {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

func tail(text string, lines int) string {
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
