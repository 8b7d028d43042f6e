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
	pyodide "github.com/wasmill/wasmill/pyodide-build"
)

const killScript = `
import json
import sys

from pyflink.common import SimpleStringSchema, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import KeyedProcessFunction, OutputTag, StreamExecutionEnvironment
from pyflink.datastream.state import MapStateDescriptor, ValueStateDescriptor
from wasmill.connectors import JetStreamSink, JetStreamSource

TIMERS = OutputTag("timers", Types.STRING())


class Delay(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value["dep_delay"]


class Running(KeyedProcessFunction):
    def open(self, runtime_context):
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.LONG()))
        self.worst = runtime_context.get_map_state(MapStateDescriptor("worst", Types.STRING(), Types.LONG()))

    def process_element(self, value, ctx):
        count, worst = (self.count.value() or 0) + 1, max(self.worst.get("delay") or 0, value["dep_delay"])
        self.count.update(count)
        self.worst.put("delay", worst)
        ctx.timer_service().register_event_time_timer(value["dep_delay"] // 100 * 100 + 150)
        yield json.dumps({"carrier": value["carrier"], "flights": count, "worst_delay": worst})

    def on_timer(self, timestamp, ctx):
        yield TIMERS, json.dumps([ctx.get_current_key(), timestamp])


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(int(sys.argv[1]))
env.enable_checkpointing(40)
source = JetStreamSource.builder().set_stream("IN").set_subjects("in.>").set_starting("start").set_bounded().set_value_only_deserializer(json.loads).build()
flights = env.from_source(source, WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Delay()), "flights")
counted = flights.key_by(lambda f: f["carrier"]).process(Running(), Types.STRING()).uid("running")
counted.sink_to(JetStreamSink.builder().set_subject(lambda text: json.loads(text)["carrier"], under="out").build())
counted.get_side_output(TIMERS).sink_to(JetStreamSink.builder().set_subject("timers").build())
env.execute("running")
`

// TestKillScript kills a script with SIGKILL at random moments, again and again, while its job counts events per key from one stream into another,
// with one subtask or two, and then lets it finish. Counts are exact and each timer has fired. WASMILL_SOAK, a duration, repeats it.
func TestKillScript(t *testing.T) {
	pyodide.ForTest(t)
	end := time.Now()
	if soak := os.Getenv("WASMILL_SOAK"); soak != "" {
		d, err := time.ParseDuration(soak)
		if err != nil {
			t.Fatal(err)
		}
		end = end.Add(d)
	}
	for round := 0; round == 0 || time.Now().Before(end); round++ {
		killScriptRound(t)
	}
}

func killScriptRound(t *testing.T) {
	const each, most = 600, 6
	server := natstest.StartWith(t, embedded.Options{StoreDir: t.TempDir(), Port: -1, SyncInterval: time.Minute})
	_, js := natstest.Connect(t, server.URL())
	publish(t, js, each)
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "TIMERS", Subjects: []string{"timers"}}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "running.py"), []byte(killScript), 0o666); err != nil {
		t.Fatal(err)
	}
	path, err := exec.LookPath("wasmill") // where testscript.Main put it
	if err != nil {
		t.Fatal(err)
	}
	cache, err := filepath.Abs("../../.cache/test")
	if err != nil {
		t.Fatal(err)
	}
	kills, resumed := 0, 0
	for over := false; !over; {
		cmd := exec.Command(path, "run", "running.py", "--state", "state", "--", fmt.Sprint(1+rand.IntN(2)))
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "NATS_URL="+server.URL(), "WASMILL_CACHE="+cache)
		var out strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		wait := time.Duration(500+rand.IntN(1500)) * time.Millisecond
		if kills == most {
			wait = 2 * time.Minute
		}
		select {
		case err := <-done:
			if over = true; err != nil {
				t.Fatalf("%v\n%s", err, &out)
			}
		case <-time.After(wait):
			cmd.Process.Kill()
			<-done
			if kills++; kills > most {
				t.Fatalf("it does not come to its end\n%s", &out)
			}
		}
		if strings.Contains(out.String(), "going on from epoch") {
			resumed++
		}
	}
	t.Logf("killed %d times, went on %d times", kills, resumed)
	checkCounts(t, js, each)
	checkTimers(t, js, each)
	if left, err := os.ReadDir(filepath.Join(dir, "state")); err != nil || len(left) != 0 {
		t.Errorf("of a job that has ended there is left %v, %v", left, err)
	}
}

// checkTimers reads all firings. Each key has one for each hundred of its delays.
func checkTimers(t *testing.T, js jetstream.JetStream, each int) {
	t.Helper()
	info, err := js.Stream(t.Context(), "TIMERS")
	if err != nil {
		t.Fatal(err)
	}
	consumer, err := js.OrderedConsumer(t.Context(), "TIMERS", jetstream.OrderedConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	fired := map[string]bool{}
	for range info.CachedInfo().State.Msgs {
		m, err := consumer.Next(jetstream.FetchMaxWait(10 * time.Second))
		if err != nil {
			t.Fatal(err)
		}
		var timer [2]any
		if err := json.Unmarshal(m.Data(), &timer); err != nil {
			t.Fatal(err)
		}
		fired[fmt.Sprint(timer)] = true
	}
	want := 0
	for k := range keys {
		for at := 150; at < each+150; at += 100 {
			want++
			if timer := fmt.Sprintf("[k%d %d]", k, at); !fired[timer] {
				t.Errorf("timer %s has not fired", timer)
			}
		}
	}
	if len(fired) != want {
		t.Errorf("%d timers fired, want %d", len(fired), want)
	}
}
