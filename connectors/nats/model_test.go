package nats_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/nats/natstest"
	"github.com/wasmill/wasmill/engine/fault"
)

// model is what a reader of one stream must give: per subject the messages published, from the committed one on.
type model struct {
	b         *bench
	config    string
	r         connectors.Reader
	published [2][]string
	read      [2]int // how many of published were read since the last commit and before it
	committed [2]int
	positions map[string]json.RawMessage
}

func (m *model) start(t *rapid.T) {
	for {
		r, err := m.b.open(m.config, m.positions)
		if err == nil {
			m.r = r
			return
		}
		if fault.CodeOf(err) != fault.Connect || m.b.ctx.Err() != nil { // as the engine does
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// take reads up to n messages and checks each against the model.
func (m *model) take(t *rapid.T, n int) {
	for n > 0 {
		messages, err := m.r.Next(m.b.ctx, nil, n)
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range messages {
			i := m.read[got.Split]
			if i >= len(m.published[got.Split]) {
				t.Fatalf("split %d: got %s, behind the end", got.Split, got.Data)
			}
			if want := m.published[got.Split][i]; want != string(got.Data) {
				t.Fatalf("split %d: got %s, want %s", got.Split, got.Data, want)
			}
			m.read[got.Split]++
		}
		n -= len(messages)
	}
}

func (m *model) left() int {
	return len(m.published[0]) + len(m.published[1]) - m.read[0] - m.read[1]
}

// TestReaderModel compares random histories of publishing, reading, committing, crashing and lost connections with a
// model: each message comes once between commits, in order.
func TestReaderModel(t *testing.T) {
	// Histories that wait for reconnects take long: a quarter of the usual number, unless the command line says one.
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		if err := f.Value.Set("25"); err != nil {
			t.Fatal(err)
		}
		defer f.Value.Set(f.DefValue)
	}
	for name, retention := range map[string]jetstream.RetentionPolicy{"limits": jetstream.LimitsPolicy, "work queue": jetstream.WorkQueuePolicy, "interest": jetstream.InterestPolicy} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, natstest.Start(t).URL())
			runs := 0
			rapid.Check(t, func(t *rapid.T) {
				runs++
				stream, count := fmt.Sprintf("S%d", runs), 0
				b.stream(jetstream.StreamConfig{Name: stream, Subjects: []string{stream + ".*"}, Retention: retention, Storage: jetstream.MemoryStorage})
				m := &model{b: b, config: fmt.Sprintf(`{"stream":%q,"subjects":["%s.0","%s.1"]}`, stream, stream, stream)}
				m.start(t)
				defer func() { m.r.Close() }()
				t.Repeat(map[string]func(*rapid.T){
					"publish": func(t *rapid.T) {
						to := rapid.IntRange(0, 1).Draw(t, "subject")
						for range rapid.IntRange(1, 20).Draw(t, "messages") {
							count++
							if _, err := b.js.Publish(b.ctx, fmt.Sprintf("%s.%d", stream, to), []byte(fmt.Sprint(count))); err != nil {
								t.Fatal(err)
							}
							m.published[to] = append(m.published[to], fmt.Sprint(count))
						}
					},
					"read": func(t *rapid.T) {
						m.take(t, rapid.IntRange(0, m.left()).Draw(t, "messages"))
					},
					"commit": func(t *rapid.T) {
						p, err := m.r.Positions()
						if err != nil {
							t.Fatal(err)
						}
						m.positions, m.committed = p, m.read
						if rapid.Bool().Draw(t, "acknowledge") {
							if err := m.r.Committed(b.ctx, p); err != nil && fault.CodeOf(err) != fault.Connect {
								t.Fatal(err)
							}
						}
					},
					"crash": func(t *rapid.T) {
						m.r.Close()
						m.read = m.committed
						m.start(t)
					},
					"lose the connection": func(t *rapid.T) {
						if err := b.nc.ForceReconnect(); err != nil {
							t.Fatal(err)
						}
					},
				})
				m.take(t, m.left())
				if diff := cmp.Diff([2]int{len(m.published[0]), len(m.published[1])}, m.read); diff != "" {
					t.Fatal(diff)
				}
				if err := b.js.DeleteStream(b.ctx, stream); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// TestOvertaken: a stream whose limits remove messages before they are read is a fault, unless gaps are accepted.
func TestOvertaken(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	b.stream(jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}, MaxMsgs: 20_000})
	b.fill("s", 20_000)
	r := b.mustOpen(`"S"`, nil)
	defer r.Close()
	accepts := b.mustOpen(`{"stream":"S","gaps":"accept"}`, nil)
	defer accepts.Close()
	b.read(r, 1)
	b.read(accepts, 1)
	b.fill("s", 15_000) // more than is asked for in advance
	for {
		_, err := r.Next(b.ctx, nil, 1000)
		if err != nil {
			want := "state the stream `S` begins at sequence 15001, and was read up to 4096: messages were removed before they were read " +
				"(give the stream a larger max_age, max_bytes or max_msgs; to go on without what is lost, set `gaps: accept` on the input)"
			if got := text(err); got != want {
				t.Errorf("got %s\nwant %s", got, want)
			}
			break
		}
	}
	if got := b.read(accepts, 4095+20_000); got[len(got)-1] != "15000" {
		t.Errorf("with gaps accepted the last is %s", got[len(got)-1])
	}
}
