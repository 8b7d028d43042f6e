package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/ipc"
	"github.com/wasmill/wasmill/connectors/codec/json"
	"github.com/wasmill/wasmill/connectors/nats"
	"github.com/wasmill/wasmill/connectors/nats/embedded"
	"github.com/wasmill/wasmill/engine/pipeline"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/runtime"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/badgerdb"
)

// window is the most messages published and not acknowledged, for the job and the bare loop.
const window = 4000

// rig is an embedded server with the streams IN and OUT.
type rig struct {
	*env
	dir    string
	server *embedded.Server
	conn   *natsgo.Conn // of what is compared with wasmill, and of what feeds both
	js     jetstream.JetStream
	jobs   int
}

func (e *env) newRig(sync time.Duration) (*rig, error) {
	dir, err := os.MkdirTemp(e.dir, "rig-")
	if err != nil {
		return nil, err
	}
	r := &rig{env: e, dir: dir}
	if r.server, err = embedded.Start(embedded.Options{StoreDir: filepath.Join(dir, "nats"), Port: -1, SyncInterval: sync}); err != nil {
		return nil, err
	}
	if r.conn, err = nats.Connect(e.ctx, nats.Options{InProcess: r.server}); err != nil {
		r.close()
		return nil, err
	}
	if r.js, err = jetstream.New(r.conn, jetstream.WithPublishAsyncMaxPending(window)); err != nil {
		r.close()
		return nil, err
	}
	for name, subject := range map[string]string{"IN": "in", "OUT": "out"} {
		if _, err := r.js.CreateStream(e.ctx, jetstream.StreamConfig{Name: name, Subjects: []string{subject}}); err != nil {
			r.close()
			return nil, err
		}
	}
	return r, nil
}

func (r *rig) close() {
	if r.conn != nil {
		r.conn.Close()
	}
	r.server.Shutdown()
}

// publish puts n messages into the stream IN.
func (r *rig) publish(n int, message func(i int) []byte) error {
	for i := range n {
		if _, err := r.js.PublishAsync("in", message(i)); err != nil {
			return err
		}
		if i%1000 == 999 { // well below the window, or publishing could stall
			<-r.js.PublishAsyncComplete()
		}
	}
	<-r.js.PublishAsyncComplete()
	return nil
}

// purge empties a stream.
func (r *rig) purge(name string) error {
	s, err := r.js.Stream(r.ctx, name)
	if err != nil {
		return err
	}
	return s.Purge(r.ctx)
}

// job is a job that was started, as `wasmill run` would.
type job struct {
	*runtime.Job
	done chan error
	conn *natsgo.Conn
}

// start runs a pipeline in the background. Its bundle is bench.c, whatever it says.
func (r *rig) start(yaml string) (*job, error) {
	p, err := pipeline.Parse(filepath.Join(r.dir, "bench.yaml"), []byte(yaml), os.LookupEnv)
	if err != nil {
		return nil, err
	}
	j := &job{done: make(chan error, 1)}
	if j.conn, err = nats.Connect(r.ctx, nats.Options{InProcess: r.server, Log: slog.Default()}); err != nil {
		return nil, err
	}
	resolved, err := plan.Resolve(r.ctx, p, plan.Env{
		Functions:  func(context.Context, string) ([]udf.Signature, error) { return r.bundle.Functions(), nil },
		Connectors: map[string]connectors.Connector{"jetstream": nats.Connector(func(context.Context) (*natsgo.Conn, error) { return j.conn, nil })},
		Formats:    map[string]codec.Format{"json": json.Format(), "arrow": ipc.Format()},
	})
	if err != nil {
		return nil, err
	}
	r.jobs++
	dir := filepath.Join(r.dir, fmt.Sprintf("job-%d", r.jobs))
	j.Job = runtime.New(runtime.Options{
		Plan:   resolved,
		Bundle: func(string) (udf.Bundle, error) { return r.bundle, nil },
		OpenStore: func() (state.Store, error) {
			return badgerdb.Open(badgerdb.Options{Dir: dir, Profile: badgerdb.Small})
		},
		Log: slog.Default(),
	})
	go func() { j.done <- j.Run(r.ctx) }()
	return j, nil
}

// wait returns when the job has ended.
func (j *job) wait() error {
	err := <-j.done
	j.conn.Close()
	return err
}

// event makes a JSON event of about 150 bytes.
func event(i int, at time.Time) []byte {
	carriers := []string{"AA", "B6", "DL", "UA", "WN", "9E"}
	airports := []string{"JFK", "LGA", "EWR", "LAX", "SFO", "ORD", "MIA"}
	return fmt.Appendf(nil, `{"id":%d,"at":%d,"carrier":"%s","origin":"%s","destination":"%s","delay":%d.5,"distance":%d,"tail":"N%05d","gate":"B%02d"}`,
		1_000_000+i, at.UnixNano(), carriers[i%6], airports[i%3], airports[i%7], i%90-10, 200+i%2300, i%100_000, i%60)
}

// eventSchema is what pipelines declare for events; "tail" and "gate" are not read.
const eventSchema = `{id: int64, at: int64, carrier: utf8, origin: utf8, destination: utf8, delay: float64, distance: int64}`
