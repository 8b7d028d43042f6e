package script

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/engine/udf"
)

// interpreter is a bundle whose guests are subtasks written in Go: by task, what makes one.
type interpreter struct {
	tasks []func(config) behaviour
	live  atomic.Int64
}

type config struct {
	Task, Index, Parallelism, Partitions, Attempt int
	Resumes                                       bool
	// get and put are what a guest does with state that lies with the host. A nil value is none.
	get func(name string, key []byte) ([]byte, error)
	put func(name string, key, value []byte) error
}

// asking writes a request for one entry; spaces are empty.
func asking(op byte, name string, key, value []byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte{op}, uint32(len(name)))
	b = binary.LittleEndian.AppendUint32(append(b, name...), 1)
	add := func(v []byte) {
		if v == nil {
			b = binary.LittleEndian.AppendUint32(b, ^uint32(0))
			return
		}
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(v))), v...)
	}
	add(key)
	add([]byte{})
	if op == opPut {
		add(value)
	}
	return b
}

// behaviour answers a row; put adds a row to the answer.
type behaviour func(r row, put func(row)) error

func (b *interpreter) Digest() string              { return "fake" }
func (b *interpreter) Functions() []udf.Signature  { return nil }
func (b *interpreter) Close(context.Context) error { return nil }
func (b *interpreter) Instantiate(_ context.Context, o udf.Options) (udf.Guest, error) {
	b.live.Add(1)
	return &clone{bundle: b, ask: o.Ask}, nil
}

type clone struct {
	bundle *interpreter
	ask    func([]byte) ([]byte, error)
	act    behaviour
	closed bool
}

func (c *clone) Bind(_ context.Context, function string, kind udf.Kind, in *arrow.Schema, text json.RawMessage, _ udf.State) (udf.Function, error) {
	if function != Function || kind != udf.FlatMap || !in.Equal(Schema) {
		return nil, fmt.Errorf("bound %s as %s to %s", function, kind, in)
	}
	var conf config
	if err := json.Unmarshal(text, &conf); err != nil {
		return nil, err
	}
	conf.get = func(name string, key []byte) ([]byte, error) {
		answer, err := c.ask(asking(opGet, name, key, nil))
		if err != nil || len(answer) < 4 {
			return nil, err
		}
		if n := int32(binary.LittleEndian.Uint32(answer)); n < 0 {
			return nil, nil
		}
		return bytes.Clone(answer[4:]), nil
	}
	conf.put = func(name string, key, value []byte) error {
		_, err := c.ask(asking(opPut, name, key, value))
		return err
	}
	c.act = c.bundle.tasks[conf.Task](conf)
	return c, nil
}

func (c *clone) Arena() udf.Arena { return nil }
func (c *clone) Broken() bool     { return false }
func (c *clone) Stats() udf.Stats { return udf.Stats{} }
func (c *clone) Close(context.Context) error {
	if !c.closed {
		c.closed = true
		c.bundle.live.Add(-1)
	}
	return nil
}
func (c *clone) Out() *arrow.Schema          { return Schema }
func (c *clone) Recheck(arrow.Record) error  { return nil }
func (c *clone) Allocator() memory.Allocator { return memory.DefaultAllocator }
func (c *clone) Call(_ context.Context, in arrow.Record, _ []int32, yield func(udf.Result) error) error {
	got, err := rows(in, nil)
	if err != nil {
		return err
	}
	var out []row
	for i, r := range got {
		if err := c.act(r, func(r row) { out = append(out, r) }); err != nil {
			return &udf.CallError{Row: i, Err: fault.From(err)}
		}
	}
	rec := record(out)
	defer rec.Release()
	return yield(udf.Result{Record: rec, Last: true})
}

// words deals out the words of a list by their keys: the source of a word count.
func words(list []string, width int) func(config) behaviour {
	return func(c config) behaviour {
		return func(r row, put func(row)) error {
			if r.kind != kindRange {
				return nil
			}
			for i := r.number; i < r.number+int64(r.target); i++ {
				w := []byte(list[i%int64(len(list))])
				target := stream.Owner(stream.Partition(w, c.Partitions), c.Partitions, width)
				put(row{kind: kindData, target: int32(target), number: 1, payload: w})
				put(row{kind: kindWatermark, target: -1, number: i})
			}
			return nil
		}
	}
}

// count counts words in state, and hands the counts to a sink at the end. Fail is asked at each word.
func count(fail func(c config, seen int) error) func(config) behaviour {
	return func(c config) behaviour {
		counts, dirty, seen := map[string]int{}, map[string]bool{}, 0
		return func(r row, put func(row)) error {
			switch r.kind {
			case kindState:
				return fmt.Errorf("state that was not asked for")
			case kindData:
				if _, known := counts[string(r.payload)]; !known && c.Resumes {
					value, err := c.get("count/n", r.payload)
					if err != nil {
						return err
					}
					n, _ := strconv.Atoi(string(value))
					counts[string(r.payload)] = n
				}
				seen++
				if fail != nil {
					if err := fail(c, seen); err != nil {
						return err
					}
				}
				counts[string(r.payload)]++
				dirty[string(r.payload)] = true
			case kindFlush:
				for w := range dirty {
					if err := c.put("count/n", []byte(w), fmt.Append(nil, counts[w])); err != nil {
						return err
					}
				}
				clear(dirty)
			case kindEnd:
				var lines strings.Builder
				n := int64(0)
				for w, k := range counts {
					fmt.Fprintf(&lines, "%s %d\n", w, k)
					n++
				}
				if n > 0 {
					put(row{kind: kindData, target: int32(c.Index), number: n, payload: []byte(lines.String())})
				}
			}
			return nil
		}
	}
}
