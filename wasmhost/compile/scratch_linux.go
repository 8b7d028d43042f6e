package compile

import (
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// claim holds a scratch folder for as long as the file that it returns is open, which the kernel closes when the process is killed.
func claim(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// sweep removes the scratch folders that killed processes have left. A young one may not have been claimed yet.
func sweep() {
	dirs, err := filepath.Glob(filepath.Join(os.TempDir(), scratchPrefix+"*"))
	if err != nil {
		return
	}
	for _, dir := range dirs {
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() || time.Since(info.ModTime()) < time.Minute {
			continue
		}
		if f, err := claim(dir); err == nil {
			os.RemoveAll(dir)
			f.Close()
		}
	}
}
