// Package badgerdb keeps state in Badger. It is the only package that imports it. See ../FORMAT.md for what is stored.
package badgerdb

import (
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"

	"github.com/wasmill/wasmill/state"
)

// Profile says how much memory a store may take.
type Profile string

// The profiles.
const (
	// Default takes up to about 250 MB when state is large and busy.
	Default Profile = "default"
	// Small takes about 20 MB, and writes in smaller pieces: for edge devices and for jobs with little state.
	Small Profile = "small"
)

// Options configure a store.
type Options struct {
	// Dir is the store's folder, which is made if it is not there.
	Dir string
	// Profile defaults to Default. It may differ from one opening to the next.
	Profile Profile
	// Log receives what Badger has to say; nil for nothing.
	Log *slog.Logger

	// step, in tests, is called at each step of a commit that a crash could follow.
	step func(name string)
	// free, in tests, replaces the look at the free space of the disk.
	free func(dir string) (uint64, error)
}

const (
	mib = 1 << 20
	// magic tells our databases from others of Badger's.
	magic = 0x776d
	// verifyAtMost is how many bytes of tables are read and checked at open: a second or two. Checksums are verified
	// on each read of a block, too, but Badger's iterators take a block that fails for the end of a table.
	verifyAtMost = 1024 * mib
)

// badgerOptions returns Badger's options for o.
//
// No value reaches the value log: the threshold is 1 MiB and state.MaxEntry lies below. So there is nothing in it to
// collect, and a read is one look-up. SyncWrites: a commit that has returned survives the loss of power. There is one writer,
// so conflicts need no detection.
func badgerOptions(o Options, log *logger) badger.Options {
	b := badger.DefaultOptions(o.Dir).
		WithSyncWrites(true).
		WithDetectConflicts(false).
		WithMetricsEnabled(false).
		WithNumVersionsToKeep(1).
		WithValueThreshold(mib).
		WithValueLogFileSize(16 * mib).
		WithVerifyValueChecksum(true).
		WithChecksumVerificationMode(options.OnBlockRead).
		WithCompression(options.Snappy).
		WithExternalMagic(magic).
		WithLogger(log)
	if o.Profile == Small {
		// A Badger transaction holds 15 % of a memtable, which has to take the largest entry.
		return b.WithMemTableSize(8 * mib).WithNumMemtables(2).WithNumCompactors(2).WithNumGoroutines(2).
			WithBlockCacheSize(4 * mib).WithIndexCacheSize(4 * mib).WithBaseTableSize(mib).WithBaseLevelSize(8 * mib)
	}
	return b.WithMemTableSize(32 * mib).WithNumMemtables(3).WithNumCompactors(2).WithNumGoroutines(4).
		WithBlockCacheSize(64 * mib).WithIndexCacheSize(64 * mib).WithBaseTableSize(4 * mib).WithBaseLevelSize(16 * mib)
}

// tableBytes returns the bytes of the tables in a folder.
func tableBytes(dir string) int64 {
	var n int64
	eachFile(dir, func(name string, info fs.FileInfo) {
		if strings.HasSuffix(name, ".sst") {
			n += info.Size()
		}
	})
	return n
}

func eachFile(dir string, each func(name string, info fs.FileInfo)) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if info, err := os.Stat(filepath.Join(dir, e.Name())); err == nil && info.Mode().IsRegular() {
			each(e.Name(), info)
		}
	}
}

var _ state.Store = (*Store)(nil)
