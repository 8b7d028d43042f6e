package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	natsgo "github.com/nats-io/nats.go"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/csv"
	"github.com/wasmill/wasmill/connectors/codec/ipc"
	"github.com/wasmill/wasmill/connectors/codec/json"
	"github.com/wasmill/wasmill/connectors/codec/parquet"
	"github.com/wasmill/wasmill/connectors/codec/raw"
	"github.com/wasmill/wasmill/connectors/file"
	"github.com/wasmill/wasmill/connectors/generate"
	"github.com/wasmill/wasmill/connectors/nats"
	"github.com/wasmill/wasmill/connectors/nats/embedded"
	"github.com/wasmill/wasmill/connectors/stdio"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/udf"
)

// natsFlags say which NATS server a job uses: one outside where any is named, else an embedded one.
type natsFlags struct {
	URL     string        `help:"Servers outside to use in place of the embedded one." env:"NATS_URL" placeholder:"URL"`
	Creds   string        `help:"A .creds file." env:"NATS_CREDS" placeholder:"FILE"`
	Context string        `help:"A context of the nats command." env:"NATS_CONTEXT" placeholder:"NAME"`
	Port    int           `help:"Port of the embedded server, -1 for any free one." default:"4222" env:"WASMILL_NATS_PORT"`
	Sync    time.Duration `help:"How often the embedded server syncs its files; 0 before each acknowledgement." default:"0s"`
	Wait    time.Duration `help:"How long to wait for a server outside that is not there yet." default:"30s"`
}

// wires joins connectors and codecs to the command: it lists all there are, and starts or dials a NATS server when the
// first connector asks for one.
type wires struct {
	streams  *streams
	log      *slog.Logger
	flags    *natsFlags
	storeDir string
	stdin    *peekable

	mu     sync.Mutex
	server *embedded.Server // guarded by mu
	conn   *natsgo.Conn     // guarded by mu
}

func newWires(s *streams, log *slog.Logger, flags *natsFlags, storeDir string) *wires {
	return &wires{streams: s, log: log, flags: flags, storeDir: storeDir, stdin: &peekable{in: s.in}}
}

// connectors lists every connector.
func (w *wires) connectors() map[string]connectors.Connector {
	all := make(map[string]connectors.Connector)
	for _, c := range []connectors.Connector{
		nats.Connector(w.dial),
		nats.Buckets(w.dial),
		file.Connector(),
		stdio.Stdin(w.stdin),
		stdio.Stdout(w.streams.out),
		generate.Connector(),
	} {
		all[c.Name] = c
	}
	return all
}

// formats lists every format.
func formats() map[string]codec.Format {
	all := make(map[string]codec.Format)
	for _, f := range []codec.Format{json.Format(), csv.Format(), ipc.Format(), parquet.Format(), raw.Format()} {
		all[f.Name] = f
	}
	return all
}

// env is what plans are resolved against.
func (w *wires) env(lib *library) plan.Env {
	return plan.Env{
		Functions: func(_ context.Context, path string) ([]udf.Signature, error) {
			b, err := lib.bundle(path)
			if err != nil {
				return nil, err
			}
			return b.Functions(), nil
		},
		Refused:    lib.refused,
		Connectors: w.connectors(),
		Formats:    formats(),
		Sample: func(ctx context.Context, node *plan.Node, source connectors.Source) ([]byte, error) {
			return w.sample(ctx, lib.dir, node, source)
		},
	}
}

// knowsColumns reports whether an input needs no schema: its format has one, or takes records as documents.
func (w *wires) knowsColumns(s *plan.Source) bool {
	name := s.Format
	if name == "" {
		if source, err := w.connectors()[s.Connector].NewSource(s.Config); err == nil {
			name = source.DefaultFormat()
		}
	}
	f := formats()[name]
	return f.Documents || f.Schemaless
}

// dial returns the job's connection, which all of its connectors share.
func (w *wires) dial(ctx context.Context) (*natsgo.Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn != nil {
		return w.conn, nil
	}
	o := nats.Options{URL: w.flags.URL, Creds: w.flags.Creds, Context: w.flags.Context, Name: "wasmill", Log: w.log, Wait: w.flags.Wait}
	if o.URL == "" && o.Context == "" {
		if w.server == nil {
			if w.storeDir == "" {
				return nil, fault.New(fault.Usage, "this command does not start a NATS server").WithHint("set NATS_URL to one that runs")
			}
			server, err := embedded.Start(embedded.Options{StoreDir: w.storeDir, Port: w.flags.Port, SyncInterval: w.flags.Sync, Log: w.log})
			if err != nil {
				return nil, err
			}
			w.log.Info("embedded NATS server", "url", server.URL(), "version", server.Version(), "dir", w.storeDir)
			w.server = server
		}
		o.InProcess = w.server
	}
	conn, err := nats.Connect(ctx, o)
	if err != nil {
		return nil, err
	}
	w.conn = conn
	return conn, nil
}

func (w *wires) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn != nil {
		w.conn.Close()
	}
	if w.server != nil {
		w.server.Shutdown()
	}
}

// sample reads the first messages of an input, for a schema to be inferred from.
func (w *wires) sample(ctx context.Context, dir string, node *plan.Node, source connectors.Source) ([]byte, error) {
	if node.Source.Connector == "stdin" {
		return w.stdin.peek()
	}
	format := node.Source.Format
	if format == "" {
		format = source.DefaultFormat()
	}
	job := connectors.Job{
		Name: "sample", Node: node.ID, Dir: dir, Log: w.log, Cut: formats()[format].Cutter(node.Source.FormatConfig), Rows: formats()[format].Rows,
	}
	splits, err := source.Splits(ctx, job)
	if err != nil {
		return nil, err
	}
	if len(splits) == 0 {
		return nil, fault.New(fault.Connect, "there is nothing to infer a schema from")
	}
	reader, err := source.Open(ctx, job, []connectors.Split{{ID: splits[0]}})
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	wake := make(chan struct{}, 1)
	timer := time.AfterFunc(sampleWait, func() { wake <- struct{}{} })
	defer timer.Stop()
	messages, err := reader.Next(ctx, wake, 1000)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if len(messages) == 0 {
		return nil, fault.New(fault.Connect, "there are no records to infer a schema from").WithHint("declare the schema of the input")
	}
	if m := messages[0]; m.File != nil {
		sample := make([]byte, min(m.Size, codec.IndexBytes))
		if _, err := m.File.ReadAt(sample, m.Size-int64(len(sample))); err != nil && err != io.EOF {
			return nil, fault.New(fault.Connect, "%s cannot be read: %v", m.Subject, err)
		}
		return sample, nil
	}
	if formats()[format].Rows != nil {
		return messages[0].Data, nil // a file
	}
	var sample []byte
	for _, m := range messages {
		sample = append(sample, m.Data...)
		if formats()[format].Lines && !bytes.HasSuffix(m.Data, []byte("\n")) {
			sample = append(sample, '\n')
		}
	}
	return sample, nil
}

// sampleWait bounds how long an input without records is waited for when its schema is to be inferred.
const sampleWait = 5 * time.Second
