package block_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/connectors/block"
)

func lines(data []byte) int { return bytes.LastIndexByte(data, '\n') + 1 }

// pairs cuts records of two bytes.
func pairs(data []byte) int { return len(data) &^ 1 }

func readAll(t interface{ Fatal(...any) }, r *block.Reader) (all string, blocks []block.Block) {
	var buffer []byte
	for {
		b, err := r.Next(buffer)
		if errors.Is(err, io.EOF) {
			b = r.Rest()
			if b.Size == 0 {
				return all, blocks
			}
		} else if err != nil {
			t.Fatal(err)
		}
		buffer = b.Data
		all += string(b.Data)
		b.Data = bytes.Clone(b.Data)
		blocks = append(blocks, b)
	}
}

func TestEagerReaderHandsOnWhatIsThere(t *testing.T) {
	in := iotest.OneByteReader(strings.NewReader("a\nbc\nd"))
	all, blocks := readAll(t, block.NewReader(in, lines, true))
	if all != "a\nbc\nd" || len(blocks) != 3 || string(blocks[1].Data) != "bc\n" || blocks[1].Lines != 1 || blocks[2].Lines != 0 {
		t.Errorf("got %q in %+v", all, blocks)
	}
}

func TestReaderThatIsNotEager(t *testing.T) {
	input := strings.Repeat("0123456789\n", 300_000)
	all, blocks := readAll(t, block.NewReader(iotest.HalfReader(strings.NewReader(input)), lines, false))
	if all != input || len(blocks) != 4 {
		t.Errorf("%d bytes in %d blocks, want %d in 4", len(all), len(blocks), len(input))
	}
}

func TestWholeInput(t *testing.T) {
	all, blocks := readAll(t, block.NewReader(strings.NewReader("a\nbc\nd"), nil, true))
	if all != "a\nbc\nd" || len(blocks) != 1 || blocks[0].Lines != 2 {
		t.Errorf("got %q in %+v", all, blocks)
	}
}

func TestLineTooLong(t *testing.T) {
	long := strings.Repeat("x", 3*block.MaxLine)
	for _, tail := range []string{"\nnext\n", "\n", ""} {
		_, blocks := readAll(t, block.NewReader(strings.NewReader("first\n"+long+tail), lines, false))
		if string(blocks[0].Data) != "first\n" {
			t.Fatalf("got %.20q first", blocks[0].Data)
		}
		if b := blocks[1]; string(b.Data) != long[:block.MaxLine] || b.Size != int64(len(long))+int64(min(1, len(tail))) || b.Lines != min(1, len(tail)) {
			t.Errorf("%q: %d bytes stand for %d of %d lines", tail, len(b.Data), b.Size, b.Lines)
		}
		if want := len(tail) > 1; want != (len(blocks) == 3) || want && string(blocks[2].Data) != "next\n" {
			t.Errorf("%q: %d blocks", tail, len(blocks))
		}
	}
}

func TestErrorComesBehindWhatWasRead(t *testing.T) {
	broken := errors.New("broken")
	r := block.NewReader(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken)), lines, false)
	b, err := r.Next(nil)
	if err != nil || string(b.Data) != "a\n" {
		t.Fatalf("got %q %v", b.Data, err)
	}
	if _, err := r.Next(nil); !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
}

func TestGrowingInput(t *testing.T) {
	var in bytes.Buffer
	r := block.NewReader(&in, lines, false)
	in.WriteString("a\nb")
	if b, err := r.Next(nil); err != nil || string(b.Data) != "a\n" {
		t.Fatalf("got %q %v", b.Data, err)
	}
	if _, err := r.Next(nil); !errors.Is(err, io.EOF) {
		t.Fatalf("got %v", err)
	}
	in.WriteString("c\nd")
	if b, err := r.Next(nil); err != nil || string(b.Data) != "bc\n" {
		t.Fatalf("got %q %v", b.Data, err)
	}
}

func TestAnyCutAndAnyReadsGiveTheInput(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		input := rapid.StringOfN(rapid.SampledFrom([]rune("ab\n")), 0, 200, -1).Draw(t, "input")
		cut := rapid.SampledFrom([]func([]byte) int{lines, pairs, nil}).Draw(t, "cut")
		var in io.Reader = strings.NewReader(input)
		if rapid.Bool().Draw(t, "slow") {
			in = iotest.OneByteReader(in)
		}
		all, blocks := readAll(t, block.NewReader(in, cut, rapid.Bool().Draw(t, "eager")))
		size, ends := int64(0), 0
		for i, b := range blocks {
			if cut != nil && i < len(blocks)-1 && cut(b.Data) != len(b.Data) {
				t.Fatalf("block %q is not whole records", b.Data)
			}
			size += b.Size
			ends += b.Lines
		}
		if all != input || size != int64(len(input)) || ends != strings.Count(input, "\n") {
			t.Fatalf("got %q of %d bytes and %d lines", all, size, ends)
		}
	})
}
