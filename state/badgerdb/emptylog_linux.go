package badgerdb

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// dropEmptyLogs removes memtables and value logs without a byte in them: a kill came between Badger making the file and
// giving it a size. They hold nothing, and Badger refuses to open over them. It does nothing while another process has the
// store, which may be about to fill such a file.
func dropEmptyLogs(dir string) error {
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil
	} else if err != nil {
		return err
	}
	var empty []string
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		if info, err := e.Info(); err == nil && info.Size() == 0 && (ext == ".mem" || ext == ".vlog") {
			empty = append(empty, filepath.Join(dir, e.Name()))
		}
	}
	if len(empty) == 0 {
		return nil
	}
	// Badger locks the folder in the same way.
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close() // and with it the lock
	if unix.Flock(int(d.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		return nil
	}
	for _, path := range empty {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}
