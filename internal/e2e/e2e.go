// Package e2e tests whole pipelines over real parts: guests in C, the JSON codec, the engine and a store, between
// connectors in memory that fail when they are told to.
package e2e
