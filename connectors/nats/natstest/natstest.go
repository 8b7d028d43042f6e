// Package natstest runs NATS servers for tests: one inside the test, or one as a process that can be killed.
package natstest

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wasmill/wasmill/connectors/nats/embedded"
)

// Start runs a server in the test's own directory and process, on any free port and with the laxest sync. It ends with
// the test.
func Start(t testing.TB) *embedded.Server {
	t.Helper()
	return StartWith(t, embedded.Options{SyncInterval: time.Minute})
}

// StartWith is Start with the options given; StoreDir and Port are set where they are not.
func StartWith(t testing.TB, o embedded.Options) *embedded.Server {
	t.Helper()
	if o.StoreDir == "" {
		o.StoreDir = t.TempDir()
	}
	if o.Port == 0 {
		o.Port = -1
	}
	s, err := embedded.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	return s
}

// Connect returns a plain connection of nats.go's to the URL, which ends with the test.
func Connect(t testing.TB, url string, opts ...nats.Option) (*nats.Conn, jetstream.JetStream) {
	t.Helper()
	opts = append([]nats.Option{nats.MaxReconnects(-1), nats.ReconnectWait(50 * time.Millisecond), nats.RetryOnFailedConnect(true)}, opts...)
	nc, err := nats.Connect(url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	// Publishing must not depend on how busy the machine is: it fails when so many acknowledgements are waited for, 4,000 if nothing is said.
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(1_000_000))
	if err != nil {
		t.Fatal(err)
	}
	return nc, js
}

// Context returns a context that ends with the test, or after five minutes, which only a test that hangs needs.
func Context(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}
