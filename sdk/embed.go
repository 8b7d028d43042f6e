// Package sdk holds the guest SDKs as files, for `wasmill init` to put beside a new function.
package sdk

import "embed"

// Header is wasmill.h, the SDK for C.
//
//go:embed c/wasmill.h
var Header []byte

// Go holds the sources of package wasmill under go/, its tests among them.
//
//go:embed go/*.go
var Go embed.FS

// Rust holds the crate wasmill under rust/, which depends on no other.
//
//go:embed rust/Cargo.toml rust/README.md rust/src
var Rust embed.FS
