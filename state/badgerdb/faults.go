package badgerdb

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/wasmill/wasmill/engine/fault"
)

// openFault turns an error of Badger's Open, whose errors are text only, into a fault.
func openFault(dir string, err error) *fault.Fault {
	text := err.Error()
	switch {
	case strings.Contains(text, "directory lock"):
		who := "another process"
		if pid, err := os.ReadFile(filepath.Join(dir, "LOCK")); err == nil && len(pid) < 32 {
			who = "process " + strings.TrimSpace(string(pid))
		}
		return fault.New(fault.State, "the state is in use by %s", who).At("%s", dir).
			WithHint("a job runs once at a time: stop the other one, or give this job another name")
	case strings.Contains(text, "external magic number"):
		return fault.New(fault.State, "the folder holds a Badger database of another program").At("%s", dir).
			WithHint("name another folder")
	case strings.Contains(text, "unsupported version"):
		return fault.New(fault.State, "the state was written by another version of Badger: %s", text).At("%s", dir).
			WithHint("open it with the wasmill that wrote it")
	case isFull(text):
		return fullFault(dir)
	case strings.Contains(text, "permission denied"), strings.Contains(text, "read-only file system"), strings.Contains(text, "not a directory"):
		return fault.New(fault.State, "the state cannot be opened: %s", text).At("%s", dir).
			WithHint("choose a folder that this user may write in with --data-dir or WASMILL_DATA")
	}
	return damaged(dir, text)
}

func damaged(dir, text string) *fault.Fault {
	return fault.New(fault.State, "the state cannot be read: %s", text).At("%s", dir).
		WithHint("if the disk is sound, restore the folder from a copy, or move it away to begin with empty state")
}

// writeFault turns an error of a write into a fault.
func writeFault(dir string, err error) *fault.Fault {
	if isFull(err.Error()) {
		return fullFault(dir)
	}
	return fault.New(fault.State, "the state cannot be written: %v", err).At("%s", dir).
		WithHint("nothing of the epoch is lost: start the job again when the disk is well")
}

func isFull(text string) bool {
	return strings.Contains(text, "no space left on device") || strings.Contains(text, "disk quota exceeded")
}

func fullFault(dir string) *fault.Fault {
	return fault.New(fault.State, "the disk that holds the state is full").At("%s", dir).
		WithHint("free some space and start the job again; nothing that was committed is lost")
}
