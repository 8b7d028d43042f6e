package nats_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/nats/natstest"
	"github.com/wasmill/wasmill/engine/fault"
)

func TestSourceFrom(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	b.stream(jetstream.StreamConfig{Name: "S", Subjects: []string{"s.>"}})
	b.publish("s.a", 1, 10)
	time.Sleep(5 * time.Millisecond) // so that the two halves differ in time
	middle := time.Now().UTC().Format(time.RFC3339Nano)
	b.publish("s.b", 11, 20)
	for _, c := range []struct {
		config string
		want   []string
	}{
		{`{"stream":"S","until":"end"}`, numbers(1, 20)},
		{`"S"`, numbers(1, 20)},
		{`{"stream":"S","from":"start","until":"end"}`, numbers(1, 20)},
		{`{"stream":"S","from":{"sequence":5},"until":"end"}`, numbers(5, 20)},
		{`{"stream":"S","from":{"time":"` + middle + `"},"until":"end"}`, numbers(11, 20)},
		{`{"stream":"S","from":"new","until":"end"}`, nil},
		{`{"stream":"S","subjects":"s.b","until":"end"}`, numbers(11, 20)},
		{`{"stream":"S","subjects":"s.a","until":"end"}`, numbers(1, 10)},
		{`{"stream":"S","subjects":"s.c","until":"end"}`, nil},
		{`{"stream":"S","subjects":["s.a"],"from":{"sequence":8},"until":"end"}`, numbers(8, 10)},
	} {
		r := b.mustOpen(c.config, nil)
		n := -1
		if c.config == `"S"` {
			n = len(c.want) // unbounded
		}
		if diff := cmp.Diff(c.want, b.read(r, n)); diff != "" {
			t.Errorf("%s: %s", c.config, diff)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestSourceFromNewKeepsItsPlace(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	b.stream(jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}})
	b.publish("s", 1, 3)
	r := b.mustOpen(`{"stream":"S","from":"new"}`, nil)
	p := b.positions(r)
	r.Close()
	b.publish("s", 4, 6)
	r = b.mustOpen(`{"stream":"S","from":"new"}`, p)
	defer r.Close()
	if diff := cmp.Diff(numbers(4, 6), b.read(r, 3)); diff != "" {
		t.Error(diff)
	}
}

func TestSourceMessage(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	b.stream(jetstream.StreamConfig{Name: "S", Subjects: []string{"s.>"}})
	before := time.Now().UnixMilli()
	b.publish("s.x", 1, 1)
	if _, err := b.js.PublishMsg(b.ctx, &natsgo.Msg{Subject: "s.y", Header: natsgo.Header{"Kind": {"k"}}, Data: []byte("2")}); err != nil {
		t.Fatal(err)
	}
	r := b.mustOpen(`{"stream":"S","subjects":["s.x","s.y"],"until":"end"}`, nil)
	defer r.Close()
	var got []connectors.Message
	for {
		m, err := r.Next(b.ctx, nil, 10)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, m...)
	}
	slices.SortFunc(got, func(a, b connectors.Message) int { return int(a.Sequence) - int(b.Sequence) })
	if len(got) != 2 {
		t.Fatalf("got %d messages, want 2", len(got))
	}
	if m := got[0]; m.Subject != "s.x" || m.Split != 0 || m.Sequence != 1 || m.Header != nil || m.Time < before || m.Time > time.Now().UnixMilli() {
		t.Errorf("got %+v", m)
	}
	if m := got[1]; m.Subject != "s.y" || m.Split != 1 || m.Sequence != 2 || m.Header("Kind") != "k" || m.Header("None") != "" {
		t.Errorf("got %+v", m)
	}
	if read, all := r.(connectors.Sized).Progress(); read != all || read == 0 {
		t.Errorf("progress at the end: %d of %d bytes", read, all)
	}
}

func TestSourceResumes(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	b.stream(jetstream.StreamConfig{Name: "S", Subjects: []string{"s.>"}})
	const n = 10_000
	for i := 1; i <= n; i++ {
		if _, err := b.js.PublishAsync("s."+fmt.Sprint(i%2), []byte(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	<-b.js.PublishAsyncComplete()
	var p map[string]json.RawMessage
	seen := map[string]int{}
	for _, take := range []int{1, 999, 3000, -1} {
		r := b.mustOpen(`{"stream":"S","subjects":["s.0","s.1"],"until":"end"}`, p)
		for _, body := range b.read(r, take) {
			seen[body]++
		}
		p = b.positions(r)
		r.Close()
	}
	for i := 1; i <= n; i++ {
		if seen[fmt.Sprint(i)] != 1 {
			t.Fatalf("message %d was seen %d times", i, seen[fmt.Sprint(i)])
		}
	}
}

func TestSourceWakeAndEnd(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	b.stream(jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}})
	r := b.mustOpen(`"S"`, nil)
	defer r.Close()
	wake := make(chan struct{}, 1)
	wake <- struct{}{}
	if m, err := r.Next(b.ctx, wake, 10); len(m) != 0 || err != nil {
		t.Errorf("on wake: %v, %v", m, err)
	}
	b.quiet(r)
	b.publish("s", 1, 1)
	if diff := cmp.Diff(numbers(1, 1), b.read(r, 1)); diff != "" {
		t.Error(diff)
	}
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	if _, err := r.Next(ctx, nil, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// varying matches what differs from run to run in faults.
var varying = regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z`)

func text(err error) string {
	if err == nil {
		return ""
	}
	return string(fault.CodeOf(err)) + " " + varying.ReplaceAllString(err.Error(), "TIME")
}

func TestSourceFaults(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	b.stream(jetstream.StreamConfig{Name: "FLIGHTS", Subjects: []string{"flights.>"}})
	b.stream(jetstream.StreamConfig{Name: "WORK", Subjects: []string{"work.>"}, Retention: jetstream.WorkQueuePolicy})
	b.publish("flights.a", 1, 3)
	for _, c := range []struct{ config, want string }{
		{`"FLIGTHS"`, "usage stream: there is no stream `FLIGTHS` (did you mean `FLIGHTS`?)"},
		{`{"stream":"FLIGHTS","subjects":["flights.a","flihgts.b"]}`, "usage subjects[1]: no message of the stream `FLIGHTS` can match `flihgts.b` (did you mean `flights.>`?)"},
		{`{"stream":"FLIGHTS","from":{"sequence":9}}`, "usage from.sequence: the stream `FLIGHTS` ends at sequence 3, before 9"},
		{`{"stream":"WORK","from":"new"}`, "usage from: the work queue `WORK` can only be read from its start"},
	} {
		r, err := b.open(c.config, nil)
		if err == nil {
			r.Close()
		}
		if got := text(err); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.config, got, c.want)
		}
	}
}

func TestSourceConfigFaults(t *testing.T) {
	b := &bench{t: t, c: newBench(t, natstest.Start(t).URL()).c}
	for _, c := range []struct{ config, want string }{
		{`{}`, "usage `stream` is missing"},
		{`{"stream":"a b"}`, "usage stream: `a b` cannot be a stream's name (use letters, digits, `-` and `_`)"},
		{`{"stream":"S","form":"new"}`, "usage form: unknown field `form` (did you mean `from`?)"},
		{`{"stream":"S","from":"now"}`, "usage from: expected `start`, `new`, `{sequence: N}` or `{time: TIME}`, got \"now\""},
		{`{"stream":"S","from":{"sequence":0}}`, "usage from: expected a sequence from 1, got 0"},
		{`{"stream":"S","from":{"time":"noon"}}`, "usage from: expected a time such as TIME, got \"noon\""},
		{`{"stream":"S","until":"ende"}`, "usage until: expected `end`, got \"ende\" (did you mean `end`?)"},
		{`{"stream":"S","subjects":["a.>","a.b"]}`, "usage subjects[1]: `a.b` overlaps subjects[0], `a.>`: messages would be read twice"},
		{`{"stream":"S","subjects":["a..b","a.>.b","a b","","a*"]}`, "usage subjects[0]: `a..b` has an empty part between dots\n" +
			"subjects[1]: `>` in `a.>.b` is not at the end\nsubjects[2]: `a b` has a space or control character\n" +
			"subjects[3]: a subject is not empty\nsubjects[4]: `a*` has a wildcard that is not a whole part"},
		{`{"stream":"S","durable":"a.b"}`, "usage durable: `a.b` cannot be a consumer's name (use letters, digits, `-` and `_`)"},
		{`{"stream":"S","create":true}`, "usage create: a stream can only be created with `subjects`"},
		{`{"stream":"S","storage":"memory"}`, "usage storage: `storage` is for `create: true`"},
	} {
		_, err := b.c.NewSource(json.RawMessage(c.config))
		if got := text(err); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.config, got, c.want)
		}
	}
}

func TestSourcePositionsThatDoNotFit(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	cfg := jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}}
	b.stream(cfg)
	b.publish("s", 1, 5)
	r := b.mustOpen(`"S"`, nil)
	b.read(r, 5)
	p := b.positions(r)
	r.Close()
	check := func(name, config, want string) {
		t.Helper()
		r, err := b.open(config, p)
		if err == nil {
			r.Close()
		}
		if got := text(err); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
	check("unchanged", `"S"`, "")

	b.publish("s", 6, 9)
	s, err := b.js.Stream(b.ctx, "S")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Purge(b.ctx, jetstream.WithPurgeSequence(6)); err != nil {
		t.Fatal(err)
	}
	check("removed up to the position", `"S"`, "")
	if err := s.Purge(b.ctx, jetstream.WithPurgeSequence(8)); err != nil {
		t.Fatal(err)
	}
	check("removed beyond it", `"S"`, "state the stream `S` begins at sequence 8, and was read up to 5: messages between may have been removed before they were read "+
		"(give the stream a larger max_age, max_bytes or max_msgs; to go on without what is lost, set `gaps: accept` on the input)")
	check("accepted", `{"stream":"S","gaps":"accept"}`, "")

	if err := b.js.DeleteStream(b.ctx, "S"); err != nil {
		t.Fatal(err)
	}
	b.stream(cfg)
	b.publish("s", 1, 9)
	check("made again", `"S"`, "state the stream `S` is not the one that was read: it was created TIME, the position is in one created TIME "+
		"(the stream was deleted and made again: restore it from a backup, or start the job anew)")

	info, err := b.js.Stream(b.ctx, "S")
	if err != nil {
		t.Fatal(err)
	}
	p[">"] = json.RawMessage(fmt.Sprintf(`{"stream":"S","created":%q,"sequence":100}`, info.CachedInfo().Created.Format(time.RFC3339Nano)))
	check("shorter", `"S"`, "state the stream `S` ends at sequence 9, and was read up to 100: it has lost messages "+
		"(the server was restored from a backup, or lost writes (see sync_interval): start the job anew)")
	p[">"] = json.RawMessage(`{"stream":"T","sequence":1}`)
	check("another stream", `"S"`, "state the job's position is in the stream `T`, the input names `S` (name the old stream again, or start the job anew)")
	p[">"] = json.RawMessage(`{"offset":1}`)
	check("another connector's", `"S"`, "state the position of `>` is not one of JetStream's: {\"offset\":1} (the input was another connector's when the job last ran; start the job anew)")
}

func TestSourceOfTheNewestOfEachSubject(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	w := b.mustWriter(`{"subject":"s.{key}","stream":"S","create":true,"per_subject":1}`, &lines{})
	write := func(body string) {
		t.Helper()
		if err := w.Write(b.ctx, batch(t, row{"a", 0, body}, row{"b", 0, body})); err != nil {
			t.Fatal(err)
		}
		if err := b.flush(w); err != nil {
			t.Fatal(err)
		}
	}
	write("1")
	r := b.mustOpen(`"S"`, nil)
	b.read(r, 2)
	p := b.positions(r)
	r.Close()
	write("2")
	write("3")
	r = b.mustOpen(`{"stream":"S","until":"end"}`, p) // what was replaced is not missed
	defer r.Close()
	if diff := cmp.Diff([]string{"3", "3"}, b.read(r, -1)); diff != "" {
		t.Error(diff)
	}
}

func TestSourceShowsItsLag(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	b.stream(jetstream.StreamConfig{Name: "S", Subjects: []string{"s.>"}})
	b.publish("s.a", 1, 100)
	lag := func(consumer string) uint64 {
		t.Helper()
		c, err := b.js.Consumer(b.ctx, "S", consumer)
		if err != nil {
			t.Fatal(err)
		}
		return c.CachedInfo().NumPending
	}
	r := b.mustOpen(`"S"`, nil)
	b.read(r, 40)
	if err := r.Committed(b.ctx, b.positions(r)); err != nil {
		t.Fatal(err)
	}
	if got := lag("job-in"); got != 60 {
		t.Errorf("got a lag of %d, want 60", got)
	}
	b.read(r, 60)
	if err := r.Committed(b.ctx, b.positions(r)); err != nil { // so soon that it is only shown at the end
		t.Fatal(err)
	}
	r.Close()
	if got := lag("job-in"); got != 0 {
		t.Errorf("got a lag of %d at the end, want 0", got)
	}
	s, err := b.js.Stream(b.ctx, "S")
	if err != nil {
		t.Fatal(err)
	}
	for name := range s.ConsumerNames(b.ctx).Name() {
		if name != "job-in" {
			t.Errorf("the consumer %s was left behind", name)
		}
	}
}

func TestSourceStreamDeletedWhileRead(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	b.stream(jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}})
	b.publish("s", 1, 3)
	r := b.mustOpen(`"S"`, nil)
	defer r.Close()
	b.read(r, 3)
	if err := b.js.DeleteStream(b.ctx, "S"); err != nil {
		t.Fatal(err)
	}
	_, err := r.Next(b.ctx, nil, 10)
	if got, want := text(err), "state the stream `S` was deleted while it was being read"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSourceConsumerDeletedWhileRead(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	b.stream(jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}})
	b.publish("s", 1, 3)
	r := b.mustOpen(`"S"`, nil)
	defer r.Close()
	b.read(r, 3)
	s, err := b.js.Stream(b.ctx, "S")
	if err != nil {
		t.Fatal(err)
	}
	for name := range s.ConsumerNames(b.ctx).Name() {
		if err := s.DeleteConsumer(b.ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	b.publish("s", 4, 6)
	if diff := cmp.Diff(numbers(4, 6), b.read(r, 3)); diff != "" {
		t.Error(diff)
	}
}
