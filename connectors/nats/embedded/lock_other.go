//go:build !unix

package embedded

import "os"

// flock is a no-op where there are no advisory locks: two servers on one directory are not found out there.
func flock(*os.File) error { return nil }
