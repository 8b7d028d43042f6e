package stdio_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/apache/arrow/go/v15/arrow"
	"go.uber.org/goleak"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/connectortest"
	"github.com/wasmill/wasmill/connectors/stdio"
	"github.com/wasmill/wasmill/engine/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func lines(data []byte) int { return bytes.LastIndexByte(data, '\n') + 1 }

func TestSourceConformance(t *testing.T) {
	for _, input := range []string{"1\n2\nno end", "1\n", "", strings.Repeat("0123456789\n", 500_000)} {
		want := map[string]string{}
		if input != "" {
			want["stdin"] = input
		}
		for _, cut := range []func([]byte) int{lines, nil} {
			connectortest.Source{
				New:   func() (connectors.Source, error) { return stdio.Stdin(strings.NewReader(input)).NewSource(nil) },
				Job:   connectors.Job{Cut: cut},
				Want:  want,
				Lossy: true,
			}.Run(t)
		}
	}
}

func open(t *testing.T, c connectors.Connector, job connectors.Job, position json.RawMessage) connectors.Reader {
	t.Helper()
	source, err := c.NewSource(json.RawMessage(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	r, err := source.Open(context.Background(), job, []connectors.Split{{ID: "stdin", Position: position}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func next(t *testing.T, r connectors.Reader, want string) connectors.Message {
	t.Helper()
	messages, err := r.Next(context.Background(), nil, 10)
	if err != nil || len(messages) != 1 || string(messages[0].Data) != want {
		t.Fatalf("got %+v %v, want %q", messages, err, want)
	}
	return messages[0]
}

func send(t *testing.T, w io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
}

// TestReaderThatWaits gives up waiting for input, and hands the job on to another reader: no line is lost on the way.
func TestReaderThatWaits(t *testing.T) {
	in, out := io.Pipe()
	c := stdio.Stdin(in)
	var log bytes.Buffer
	job := connectors.Job{Cut: lines, Log: slog.New(slog.NewTextHandler(&log, nil))}
	r := open(t, c, job, nil)
	wake := make(chan struct{}, 1)
	wake <- struct{}{}
	if messages, err := r.Next(context.Background(), wake, 1); err != nil || len(messages) != 0 {
		t.Fatalf("woken: %v %v", messages, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go cancel()
	if _, err := r.Next(ctx, nil, 1); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	send(t, out, "name\n1\n2")
	if m := next(t, r, "name\n1\n"); !m.Start || m.Head != nil || m.Sequence != 1 {
		t.Errorf("start %v, head %q, sequence %d", m.Start, m.Head, m.Sequence)
	}
	p, err := r.Positions()
	if err != nil || string(p["stdin"]) != `{"offset":7}` {
		t.Fatalf("got %s %v", p, err)
	}
	send(t, out, "3\n")
	if m := next(t, r, "23\n"); m.Start || m.Sequence != 3 {
		t.Errorf("start %v, sequence %d", m.Start, m.Sequence)
	}
	if err := errors.Join(r.Close(), r.Close()); err != nil {
		t.Fatal(err)
	}
	send(t, out, "4\n5\n") // nobody reads now
	r = open(t, c, job, p["stdin"])
	if want := `msg="standard input cannot be read again: what came behind the last commit is lost" bytes=3`; !strings.Contains(log.String(), want) {
		t.Errorf("got log %s, want %s", &log, want)
	}
	if m := next(t, r, "4\n5\n"); !m.Start || string(m.Head) != "name\n1\n" || m.Sequence != 4 {
		t.Errorf("start %v, head %q, sequence %d", m.Start, m.Head, m.Sequence)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := r.Next(context.Background(), nil, 1); !errors.Is(err, io.EOF) {
			t.Fatalf("got %v", err)
		}
	}
}

func TestSourceFaults(t *testing.T) {
	c := stdio.Stdin(iotest.ErrReader(errors.New("it is broken")))
	_, err := c.NewSource(json.RawMessage(`{"path":1}`))
	wantFault(t, err, fault.Usage, "path: unknown field `path`")
	r := open(t, c, connectors.Job{Cut: lines}, nil)
	_, err = r.Next(context.Background(), nil, 1)
	wantFault(t, err, fault.Decode, "standard input cannot be read: it is broken")
	source, err := c.NewSource(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = source.Open(context.Background(), connectors.Job{}, []connectors.Split{{ID: "stdin"}})
	wantFault(t, err, fault.Usage, "standard input has a reader already (a job can have one input `stdin`)")
	_, err = source.Open(context.Background(), connectors.Job{}, []connectors.Split{{ID: "stdin", Position: json.RawMessage(`[]`)}})
	wantFault(t, err, fault.State, "the position in standard input cannot be read: []")
}

func wantFault(t *testing.T, err error, code fault.Code, text string) {
	t.Helper()
	if err == nil || err.Error() != text || fault.CodeOf(err) != code {
		t.Fatalf("got [%s] %v\nwant [%s] %s", fault.CodeOf(err), err, code, text)
	}
}

func TestSinkConformance(t *testing.T) {
	var out bytes.Buffer
	connectortest.Sink{
		New:  func() (connectors.Sink, error) { return stdio.Stdout(&out).NewSink(nil) },
		Read: func() (string, error) { return out.String(), nil },
	}.Run(t)
}

func openSink(t *testing.T, c connectors.Connector, tasks int, e codec.Encoder) (connectors.Writer, error) {
	t.Helper()
	sink, err := c.NewSink(nil)
	if err != nil {
		t.Fatal(err)
	}
	return sink.Open(context.Background(), connectors.Job{}, 0, tasks, e, nil)
}

// TestTasksShareTheOutput has several tasks write: whole batches, one header.
func TestTasksShareTheOutput(t *testing.T) {
	var out bytes.Buffer
	c := stdio.Stdout(&out)
	var tasks sync.WaitGroup
	for task := range int64(3) {
		w, err := openSink(t, c, 3, &connectortest.Lines{})
		if err != nil {
			t.Fatal(err)
		}
		tasks.Go(func() {
			numbers := make([]int64, 8192)
			for i := range numbers {
				numbers[i] = 1e17*(task+1) + int64(i)
			}
			b := connectortest.Batch(numbers...)
			defer b.Release()
			for range 5 {
				if err := w.Write(context.Background(), b); err != nil {
					t.Error(err)
				}
			}
		})
	}
	tasks.Wait()
	rows := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if rows[0] != "n" || len(rows) != 1+3*5*8192 {
		t.Fatalf("%d lines, the first is %q", len(rows), rows[0])
	}
	for i, row := range rows[1:] {
		var n int64
		if _, err := fmt.Sscan(row, &n); err != nil || n%1e17 != int64(i%8192) {
			t.Fatalf("line %d is %q", i, row)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestSinkFaults(t *testing.T) {
	b := connectortest.Batch(1)
	defer b.Release()
	for err, want := range map[error]string{
		syscall.EPIPE:         "standard output was closed by its reader",
		errors.New("no room"): "standard output cannot be written: no room",
	} {
		w, openErr := openSink(t, stdio.Stdout(failing{err}), 1, &connectortest.Lines{})
		if openErr != nil {
			t.Fatal(openErr)
		}
		got := w.Write(context.Background(), b)
		wantFault(t, got, fault.Encode, want)
		if !errors.Is(got, err) {
			t.Errorf("%v is not the cause", err)
		}
	}
	_, err := stdio.Stdout(io.Discard).NewSink(json.RawMessage(`3`))
	wantFault(t, err, fault.Usage, "expected an object, got 3")
}

// batches is a codec.BatchEncoder that writes text.
type batches struct{}

func (batches) Name() string { return "batches" }
func (batches) Reset()       {}
func (batches) AppendMessage(dst []byte, _ arrow.Record, _, _ int) ([]byte, error) {
	return dst, nil
}
func (batches) AppendFile(dst []byte, rec arrow.Record) ([]byte, error) {
	if rec == nil {
		return append(dst, "end"...), nil
	}
	return fmt.Appendf(dst, "%d rows ", rec.NumRows()), nil
}

func TestBatches(t *testing.T) {
	var out bytes.Buffer
	c := stdio.Stdout(&out)
	const want = "format batches has one beginning and one end: one task writes it to standard output, once " +
		"(set the output's parallelism to 1, or write it to a file)"
	_, err := openSink(t, c, 2, batches{})
	wantFault(t, err, fault.Unsupported, want)
	w, err := openSink(t, c, 1, batches{})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 3} {
		b := connectortest.Batch(make([]int64, n)...)
		defer b.Release()
		if err := w.Write(context.Background(), b); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != "1 rows 3 rows end" {
		t.Errorf("got %q", got)
	}
	_, err = openSink(t, c, 1, batches{})
	wantFault(t, err, fault.Unsupported, want)
}
