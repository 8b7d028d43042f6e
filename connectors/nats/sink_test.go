package nats_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/nats/natstest"
)

func TestSinkSubjectsAndHeaders(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	w := b.mustWriter(`{"subject":"out.{key}.n{n}","headers":{"Key":"k={key}","Fixed":"f"},"stream":"OUT","create":true}`, &lines{})
	if err := w.Write(b.ctx, batch(t, row{"AA", 1, "one"}, row{"BB", -2, "two"})); err != nil {
		t.Fatal(err)
	}
	if err := w.Write(b.ctx, batch(t, row{"AA", 1, "three"})); err != nil {
		t.Fatal(err)
	}
	if err := b.flush(w); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range b.stored("OUT") {
		got = append(got, fmt.Sprint(m.Subject, " ", string(m.Data), " ", m.Header.Get("Key"), " ", m.Header.Get("Fixed")))
	}
	want := []string{"out.AA.n1 one k=AA f", "out.BB.n-2 two k=BB f", "out.AA.n1 three k=AA f"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	s, err := b.js.Stream(b.ctx, "OUT")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"out.*.*"}, s.CachedInfo().Config.Subjects); diff != "" {
		t.Errorf("the stream that was created: %s", diff)
	}
}

func TestSinkRowErrors(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	w := b.mustWriter(`{"subject":"out.{key}","headers":{"H":"{body}"},"stream":"OUT","create":true}`, &lines{})
	const hint = " (a value in a subject is not empty or null, and has no space, `.`, `*` or `>`: clean the column before, or set rows aside with `on_error`)"
	for _, c := range []struct {
		row  row
		want string
	}{
		{row{"a.b", 0, ""}, "encode the row has no valid subject: column `key` has a character that a subject cannot have: \"a.b\"" + hint},
		{row{"a b", 0, ""}, "encode the row has no valid subject: column `key` has a character that a subject cannot have: \"a b\"" + hint},
		{row{">", 0, ""}, "encode the row has no valid subject: column `key` has a character that a subject cannot have: \">\"" + hint},
		{row{"", 0, ""}, "encode the row has no valid subject: column `key` is empty" + hint},
		{row{nil, 0, ""}, "encode the row has no valid subject: column `key` is null" + hint},
		{row{"a", 0, "1\r\n2"}, "encode the header `H` cannot be written: column `body` has a line end, which a header cannot have: \"1\\r\\n2\""},
		{row{"a", 0, strings.Repeat("x", 1<<20)}, "encode the row takes 2097169 bytes, the server takes 1048576 (raise max_payload in the server's configuration, or leave columns out)"},
		{row{"a", 0, nil}, "internal no body"},
	} {
		c.want = strings.ReplaceAll(c.want, "is empty (", "is empty: \"\" (")
		err := w.Write(b.ctx, batch(t, row{"ok", 0, "ok"}, c.row, row{"after", 0, "after"}))
		var rowErr *codec.RowError
		if !errors.As(err, &rowErr) || rowErr.Row != 1 {
			t.Errorf("%v: got %v, want an error of row 1", c.row.key, err)
		}
		if got := text(err); got != c.want {
			t.Errorf("\n got %s\nwant %s", got, c.want)
		}
	}
	if err := b.flush(w); err != nil {
		t.Fatal(err)
	}
	if got := b.stored("OUT"); len(got) != 8 {
		t.Errorf("got %d messages, want the 8 rows before", len(got))
	}
}

func TestSinkManyRowsPerMessage(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	w := b.mustWriter(`{"subject":"out.{key}","rows_per_message":3,"stream":"OUT","create":true}`, blocks{})
	var rows []row
	for i := 1; i <= 7; i++ {
		rows = append(rows, row{"A", 0, fmt.Sprint(i)})
	}
	rows = append(rows, row{"B", 0, "8"}, row{"A", 0, "9"})
	if err := w.Write(b.ctx, batch(t, rows...)); err != nil {
		t.Fatal(err)
	}
	// Two rows that do not fit into one message go into two.
	half := strings.Repeat("x", 600<<10)
	if err := w.Write(b.ctx, batch(t, row{"C", 0, half}, row{"C", 0, half})); err != nil {
		t.Fatal(err)
	}
	if err := b.flush(w); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range b.stored("OUT") {
		got = append(got, fmt.Sprintf("%s %d %.6q", m.Subject, strings.Count(string(m.Data), "\n"), m.Data))
	}
	want := []string{`out.A 3 "1\n2\n3\n"`, `out.A 3 "4\n5\n6\n"`, `out.A 1 "7\n"`, `out.B 1 "8\n"`, `out.A 1 "9\n"`, `out.C 1 "xxxxxx"`, `out.C 1 "xxxxxx"`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	err := w.Write(b.ctx, batch(t, row{"D", 0, "d"}, row{"no subject", 0, "e"}))
	var rowErr *codec.RowError
	if !errors.As(err, &rowErr) || rowErr.Row != 1 {
		t.Errorf("got %v, want an error of row 1", err)
	}
}

func TestSinkFaults(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	b.stream(jetstream.StreamConfig{Name: "OUT", Subjects: []string{"out.>"}, MaxMsgSize: 100})
	b.stream(jetstream.StreamConfig{Name: "DEAF", Subjects: []string{"deaf"}, NoAck: true})
	const add = " (add it to a stream (`nats stream edit NAME --subjects ...`), or have one made with `stream: NAME` and `create: true`)"
	for _, c := range []struct{ config, want string }{
		{`"nowhere"`, "usage subject: no stream stores the subject `nowhere`" + add},
		{`{"subject":"nowhere.{key}","stream":"OUT"}`, "usage subject: the stream `OUT` does not store `nowhere.{key}` (there is out.>)"},
		{`{"subject":"out.x","stream":"OTU"}`, "usage stream: there is no stream `OTU` (did you mean `OUT`?)"},
		{`{"subject":"deaf","stream":"DEAF"}`, "usage stream: the stream `DEAF` does not acknowledge messages: none could be known to be stored (set `no_ack: false` on the stream)"},
		{`{"subject":"out.x","rows_per_message":5}`, "usage rows_per_message: the format lines writes a message for each row (use `format: arrow` for many rows per message)"},
	} {
		_, err := b.writer(c.config, &lines{})
		if got := text(err); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.config, got, c.want)
		}
	}
	for _, c := range []struct {
		config string
		row    row
		want   string
	}{
		{`"nowhere.{key}"`, row{"a", 0, "x"}, "usage no stream stores the subject `nowhere.a`" + add},
		{`"out.{key}"`, row{"a", 0, strings.Repeat("x", 200)}, "limit subject `out.a`: the stream refuses a message: message size exceeds maximum allowed " +
			"(raise the stream's max_msg_size, or write fewer rows or columns per message)"},
	} {
		w := b.mustWriter(c.config, &lines{})
		if err := w.Write(b.ctx, batch(t, c.row)); err != nil {
			t.Fatal(err)
		}
		if got := text(b.flush(w)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.config, got, c.want)
		}
		if got := text(w.Write(b.ctx, batch(t, c.row))); got != c.want {
			t.Errorf("the next write: got %s", got)
		}
	}
}

func TestSinkConfigFaults(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	for _, c := range []struct{ config, want string }{
		{`{}`, "usage `subject` is missing"},
		{`"a.{b"`, "usage subject: `a.{b` has a `{` without a `}` (a column's value is `{column}`, a brace `{{` or `}}`)"},
		{`"a.b}"`, "usage subject: `a.b}` has a `}` without a `{` (a column's value is `{column}`, a brace `{{` or `}}`)"},
		{`"a.{}"`, "usage subject: `a.{}` has no column's name between `{` and `}` (a column's value is `{column}`, a brace `{{` or `}}`)"},
		{`"a.*"`, "usage subject: `a.*` has a wildcard: messages are published to one subject each (put a column's value in a subject with `{column}`)"},
		{`"a b.{c}"`, "usage subject: `a b.*` has a space or control character"},
		{`{"subject":"a","headers":{"A B":"x","C":"{"}}`, "usage headers.A B: `A B` cannot be a header's name\nheaders.C: `{` has a `{` without a `}` (a column's value is `{column}`, a brace `{{` or `}}`)"},
		{`{"subject":"a","per_subject":1}`, "usage per_subject: `per_subject` is a number of messages, with `create: true`"},
		{`{"subject":"a","create":true}`, "usage create: a stream can only be created with `stream`"},
		{`{"subject":"a","max_pending":0,"rows_per_message":-1}`, "usage max_pending: expected 1 to 1048576, got 0\nrows_per_message: expected 1 or more, got -1"},
	} {
		_, err := b.c.NewSink(json.RawMessage(c.config))
		if got := text(err); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.config, got, c.want)
		}
	}
	s, err := b.c.NewSink(json.RawMessage(`{"subject":"a.{keey}","headers":{"H":"{n} {m}"}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := "schema subject: unknown column `keey` (did you mean `key`?)\nheaders.H: unknown column `m` (did you mean `n`?)"
	if got := text(s.Check([]string{"key", "n", "body"})); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}
