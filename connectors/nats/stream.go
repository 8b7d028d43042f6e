package nats

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wasmill/wasmill/engine/fault"
)

// apiTimeout bounds one request to the JetStream API.
const apiTimeout = 5 * time.Second

// streamInfo returns what the server says of the stream now. A stream that is not there is a fault of code Usage that
// names those that are; a server that does not answer one of code Connect.
func streamInfo(ctx context.Context, js jetstream.JetStream, name string) (*jetstream.StreamInfo, error) {
	call, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	s, err := js.Stream(call, name)
	if err == nil {
		return s.CachedInfo(), nil
	}
	if !errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, apiFault(ctx, fmt.Sprintf("the stream `%s` cannot be looked up", name), err)
	}
	f := fault.New(fault.Usage, "there is no stream `%s`", name)
	f.Where, f.Cause = "stream", err
	var names []string
	for n := range js.StreamNames(call).Name() {
		names = append(names, n)
	}
	if f.Hint = fault.DidYouMean(name, names); f.Hint == "" {
		f.Hint = "set `create: true` to have it made"
	}
	return nil, f
}

// ensureStream returns the stream's info, and creates the stream first when create is set and it is not there.
func ensureStream(ctx context.Context, js jetstream.JetStream, name string, create bool, subjects []string, storage string, perSubject int64) (*jetstream.StreamInfo, error) {
	info, err := streamInfo(ctx, js, name)
	if err == nil || !create || !errors.Is(err, jetstream.ErrStreamNotFound) {
		return info, err
	}
	cfg := jetstream.StreamConfig{Name: name, Subjects: subjects, Storage: jetstream.FileStorage, MaxMsgsPerSubject: perSubject}
	if storage == "memory" {
		cfg.Storage = jetstream.MemoryStorage
	}
	call, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	s, err := js.CreateStream(call, cfg)
	if err != nil {
		return nil, apiFault(ctx, fmt.Sprintf("the stream `%s` cannot be created", name), err)
	}
	return s.CachedInfo(), nil
}

// apiFault turns an error of the JetStream API into a fault: Connect where another try may help, else Usage. When ctx
// has ended its error is returned instead.
func apiFault(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	f := fault.New(fault.Connect, "%s: %v", what, err)
	var api *jetstream.APIError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		f.What = fmt.Sprintf("%s: JetStream did not answer within %v", what, apiTimeout)
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, nats.ErrNoResponders), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		f.What = what + ": the server has no JetStream"
		f.Hint = "start it with `nats-server -js`, or enable JetStream for the account"
	case errors.Is(err, nats.ErrReconnectBufExceeded):
		f.What = what + ": the server is away"
	case errors.As(err, &api):
		f.What = fmt.Sprintf("%s: %s", what, api.Description)
		if api.Code != 503 && api.Code != 500 {
			f.Code = fault.Usage
		}
	}
	return f
}

// transient says whether another try may help.
func transient(err error) bool { return fault.CodeOf(err) == fault.Connect }

// patience bounds how long a job that opens waits for a server that was lost meanwhile.
const patience = 30 * time.Second

// patiently calls try again while it fails because the connection was lost: a job that starts while the server restarts
// waits for it, as one that runs does. A server that was there all the time is asked once.
func patiently[T any](ctx context.Context, nc *nats.Conn, try func() (T, error)) (T, error) {
	deadline, pause := time.Now().Add(patience), 100*time.Millisecond
	for {
		v, err := try()
		lost := !nc.IsConnected() || nc.Stats().Reconnects > 0
		if err == nil || !transient(err) || !lost || nc.IsClosed() || time.Now().Add(pause).After(deadline) {
			return v, err
		}
		select {
		case <-ctx.Done():
			return v, ctx.Err()
		case <-time.After(pause):
			pause = min(2*pause, 2*time.Second)
		}
	}
}

// canReset says whether the server has the request CONSUMER.RESET, which came with nats-server 2.14.
func canReset(version string) bool {
	var major, minor int
	n, err := fmt.Sscanf(version, "%d.%d", &major, &minor)
	return err != nil || n < 2 || major > 2 || major == 2 && minor >= 14 // of an unknown version, try
}
