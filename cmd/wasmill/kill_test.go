package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wasmill/wasmill/connectors/nats/embedded"
	"github.com/wasmill/wasmill/connectors/nats/natstest"
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

const keys = 40

func killRound(t *testing.T, wasm []byte) {
	server := natstest.StartWith(t, embedded.Options{StoreDir: t.TempDir(), Port: -1, SyncInterval: time.Minute})
	_, js := natstest.Connect(t, server.URL())
	publish(t, js, 1500)
	command := counting(t, wasm, server.URL())
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
	} else if cmd, out := command(); cmd.Run() != nil {
		t.Fatal(out)
	}
	checkCounts(t, js, 1500)
}

// TestServerKilled kills the NATS server in the middle, twice, and starts it again. The job waits for it and loses nothing.
func TestServerKilled(t *testing.T) {
	server := natstest.StartProcess(t)
	_, js := natstest.Connect(t, server.URL)
	publish(t, js, 250)
	cmd, out := counting(t, flightsWasm(t), server.URL)()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for range 2 {
		time.Sleep(time.Duration(50+rand.IntN(500)) * time.Millisecond) // at first it may still be opening
		server.Kill()
		time.Sleep(300 * time.Millisecond)
		server.Start(t)
	}
	select {
	case err := <-done:
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	case <-time.After(2 * time.Minute):
		cmd.Process.Kill()
		<-done
		t.Fatalf("not through after two minutes\n%s", out)
	}
	checkCounts(t, js, 250)
}

// publish makes the streams and publishes each events for each of the keys.
func publish(t *testing.T, js jetstream.JetStream, each int) {
	t.Helper()
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
		if i%1000 == 999 {
			<-js.PublishAsyncComplete()
		}
	}
	<-js.PublishAsyncComplete()
}

// counting returns what makes the command that counts.
func counting(t *testing.T, wasm []byte, url string) func() (*exec.Cmd, *strings.Builder) {
	t.Helper()
	dir := t.TempDir()
	for name, data := range map[string][]byte{"flights.wasm": wasm, "count.yaml": []byte(killPipeline)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	path, err := exec.LookPath("wasmill") // where testscript.Main put it
	if err != nil {
		t.Fatal(err)
	}
	return func() (*exec.Cmd, *strings.Builder) {
		cmd := exec.Command(path, "run", "count.yaml")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "NATS_URL="+url, "WASMILL_CACHE="+filepath.Join(dir, "cache"))
		var out strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &out
		return cmd, &out
	}
}

// checkCounts reads all updates. Each key must have seen every count from 1 to each, the last of them last.
func checkCounts(t *testing.T, js jetstream.JetStream, each int) {
	t.Helper()
	ctx := t.Context()
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
