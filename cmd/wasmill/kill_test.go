package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wasmill/wasmill/connectors/nats/embedded"
)

const killPipeline = `
name: count
epoch: 50ms
input:
  jetstream: {stream: IN, subjects: ["in.>"], from: start, until: end}
  schema: {carrier: utf8, airline: utf8, dep_delay: float64}
pipeline:
  - key_by: carrier
  - keyed_map: {bundle: flights.wasm, function: running}
output:
  jetstream: {stream: OUT, subject: "out.{carrier}"}
`

// TestKill kills the command with SIGKILL at random moments, again and again, while it counts events per key from one
// stream into another, and then lets it finish. Every event must have been counted, and the counts must be exact: the
// state that a run goes on from is that of the positions that it goes on from. WASMILL_SOAK, a duration, repeats it.
func TestKill(t *testing.T) {
	end := time.Now()
	if soak := os.Getenv("WASMILL_SOAK"); soak != "" {
		d, err := time.ParseDuration(soak)
		if err != nil {
			t.Fatal(err)
		}
		end = end.Add(d)
	}
	wasm := flightsWasm(t)
	for round := 0; round == 0 || time.Now().Before(end); round++ {
		killRound(t, wasm)
	}
}

func killRound(t *testing.T, wasm []byte) {
	const keys, each = 40, 1500
	server, err := embedded.Start(embedded.Options{StoreDir: t.TempDir(), Port: -1, SyncInterval: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Shutdown()
	conn, err := nats.Connect(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	for name, subject := range map[string]string{"IN": "in.>", "OUT": "out.>"} {
		if _, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: name, Subjects: []string{subject}}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range keys * each {
		event := fmt.Sprintf(`{"carrier":"k%d","airline":"a","dep_delay":%d}`, i%keys, i/keys)
		if _, err := js.PublishAsync(fmt.Sprintf("in.%d", i%keys), []byte(event)); err != nil {
			t.Fatal(err)
		}
	}
	<-js.PublishAsyncComplete()

	dir := t.TempDir()
	for name, data := range map[string][]byte{"flights.wasm": wasm, "count.yaml": []byte(killPipeline)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	command := func() (*exec.Cmd, *strings.Builder) {
		cmd := exec.Command(os.Args[0], "run", "count.yaml")
		cmd.Args[0] = "wasmill"
		cmd.Path = wasmillPath(t)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "NATS_URL="+server.URL(), "WASMILL_CACHE="+filepath.Join(dir, "cache"))
		var out strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &out
		return cmd, &out
	}
	kills := 0
	for range 8 {
		cmd, out := command()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		select {
		case err := <-done:
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		case <-time.After(time.Duration(50+rand.IntN(500)) * time.Millisecond):
			kills++
			cmd.Process.Kill()
			<-done
			continue
		}
		break
	}
	if kills < 8 { // it was through; its result is checked all the same
		t.Logf("killed %d times", kills)
	} else if out, err := finish(command); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	checkCounts(t, ctx, js, keys, each)
}

func finish(command func() (*exec.Cmd, *strings.Builder)) (*strings.Builder, error) {
	cmd, out := command()
	return out, cmd.Run()
}

// wasmillPath is where testscript.Main put the command.
func wasmillPath(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("wasmill")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// checkCounts reads all updates. Each key must have seen every count from 1 to each, the last of them last.
func checkCounts(t *testing.T, ctx context.Context, js jetstream.JetStream, keys, each int) {
	t.Helper()
	stream, err := js.Stream(ctx, "OUT")
	if err != nil {
		t.Fatal(err)
	}
	info, err := stream.Info(ctx)
	if err != nil {
		t.Fatal(err)
	}
	consumer, err := js.OrderedConsumer(ctx, "OUT", jetstream.OrderedConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]map[int]bool)
	last := make(map[string]int)
	messages, err := consumer.Messages()
	if err != nil {
		t.Fatal(err)
	}
	defer messages.Stop()
	for range info.State.Msgs {
		m, err := messages.Next(jetstream.NextMaxWait(10 * time.Second))
		if err != nil {
			t.Fatal(err)
		}
		var update struct {
			Carrier string
			Flights int
			Worst   float64 `json:"worst_delay"`
		}
		if err := json.Unmarshal(m.Data(), &update); err != nil {
			t.Fatal(err)
		}
		if seen[update.Carrier] == nil {
			seen[update.Carrier] = make(map[int]bool)
		}
		// Events of a key come in order, so its n-th event has the delay n-1, whatever was killed in between.
		if int(update.Worst) != update.Flights-1 {
			t.Fatalf("%s: %d events, the worst delay is %v: an event was lost or counted twice", update.Carrier, update.Flights, update.Worst)
		}
		seen[update.Carrier][update.Flights] = true
		last[update.Carrier] = update.Flights
	}
	if len(seen) != keys {
		t.Errorf("%d keys, want %d", len(seen), keys)
	}
	for key, counts := range seen {
		if len(counts) != each || last[key] != each {
			t.Errorf("%s: saw %d different counts up to %d, want %d", key, len(counts), last[key], each)
		}
	}
	t.Logf("%d updates of %d events", info.State.Msgs, keys*each)
}
