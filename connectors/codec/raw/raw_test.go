package raw

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/codectest"
)

// read decodes messages, one Append each, and writes the rows with the options given.
func read(t *testing.T, columns, config string, messages ...string) (got []string) {
	t.Helper()
	arena := codectest.NewArena(1 << 16)
	d, err := Format().NewDecoder(codectest.Schema(t, columns), []byte(config), arena, codec.Limits{Rows: 2, Record: 10})
	if err != nil {
		t.Fatal(err)
	}
	flush := func() {
		rec := d.Record()
		if rec == nil {
			return
		}
		defer rec.Release()
		e, err := Format().NewEncoder(rec.Schema(), []byte(config))
		if err != nil {
			t.Fatal(err)
		}
		enc := e.(codec.RowEncoder)
		if err := enc.Bind(rec); err != nil {
			t.Fatal(err)
		}
		for i := range int(rec.NumRows()) {
			b, err := enc.Append(nil, i)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(b))
		}
	}
	for _, m := range messages {
		for {
			arena.Allow(d.Need(len(m)))
			n, err := d.Append([]byte(m), func(b *codec.BadRecord) error {
				got = append(got, fmt.Sprintf("%d:%d %q %v", b.Offset, b.Line, b.Data, b.Fault))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if m = m[n:]; m == "" {
				break
			}
			flush()
		}
	}
	flush()
	d.Close()
	if arena.Live != 0 {
		t.Errorf("%d buffers were not freed", arena.Live)
	}
	return got
}

func TestRaw(t *testing.T) {
	for _, c := range []struct {
		columns, config string
		messages        []string
		want            string
	}{
		{"data: binary", "", []string{"a\nb", "", "\xff", "c"}, "a\nb|\xff|c"},
		{"data: binary", `{"lines":true}`, []string{"a\nb\r\n\n", "c\n"}, "a|b|c"},
		{"x: large_utf8!", "", []string{"é", "a\xff"}, `0:0 "a\xff" column x: expected valid UTF-8, got byte 0xff at 1 (declare the column as binary)|é`},
		{"x: utf8", `{"lines":true}`, []string{"a\n0123456789x\nb"}, `2:1 "0123456789x" expected a record of at most 10 bytes, got 11 (raise the limit on records, or split the record)|a|b`},
	} {
		if got := strings.Join(read(t, c.columns, c.config, c.messages...), "|"); got != c.want {
			t.Errorf("%q: got %q, want %q", c.messages, got, c.want)
		}
	}
}

func TestFaults(t *testing.T) {
	decoder := func(columns, config string) error {
		_, err := Format().NewDecoder(codectest.Schema(t, columns), []byte(config), codectest.NewArena(64), codec.Limits{})
		return err
	}
	encoder := func(columns, config string) error {
		_, err := Format().NewEncoder(codectest.Schema(t, columns), []byte(config))
		return err
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{decoder("a: utf8, b: utf8", ""), "expected one column of binary or utf8, got 2 columns"},
		{decoder("a: int64", ""), "column a: expected binary or utf8, got int64"},
		{decoder("a: utf8", `{"line":true}`), "line: unknown field `line` (did you mean `lines`?)"},
		{encoder("a: utf8, b: utf8", ""), "expected one column `data`, got a: utf8, b: utf8 (set `column` to the one that is to be written)"},
		{encoder("a: utf8, b: int8", `{"column":"b"}`), "column b: expected binary or utf8, got int8"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("got %v, want %s", c.err, c.want)
		}
	}
	if err := encoder("a: utf8, data: binary", ""); err != nil {
		t.Error(err)
	}
}

func TestLineEndInALine(t *testing.T) {
	d, err := Format().NewDecoder(codectest.Schema(t, "data: binary"), nil, codectest.NewArena(4096), codec.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Append([]byte("a\nb"), nil); err != nil {
		t.Fatal(err)
	}
	rec := d.Record()
	defer rec.Release()
	e, err := newEncoder(rec.Schema(), Config{Lines: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Bind(rec); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Append(nil, 0); err == nil || err.Error() != "column data: expected a value without a line end, since each is a line" {
		t.Errorf("got %v", err)
	}
}

func TestInferAndCut(t *testing.T) {
	s, err := Format().Infer(nil, []byte(`{"column":"body"}`))
	if err != nil || !s.Equal(arrow.NewSchema([]arrow.Field{{Name: "body", Type: arrow.BinaryTypes.Binary}}, nil)) {
		t.Error(s, err)
	}
	if n := Format().Cut([]byte("a\nb"), nil); n != 0 {
		t.Error(n)
	}
	if n := Format().Cut([]byte("a\nb"), []byte(`{"lines":true}`)); n != 2 {
		t.Error(n)
	}
}
