package parquet

import (
	"encoding/binary"
	"io"

	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/file"

	"github.com/wasmill/wasmill/engine/fault"
)

const (
	maxPage   = 128 << 20 // bytes of a page, as it lies in the file and without compression
	maxHeader = 1 << 20
	maxHeld   = 1 << 30 // bytes of all pages that are needed at once
	maxDeltas = 1 << 24 // values of a page whose lengths the library decodes all at once
)

// shared is what the columns of a file have in common.
type shared struct {
	decompressor
	packed []byte // a page as it lies in the file
	held   int64  // bytes of pages
}

// hold counts memory for pages.
func (s *shared) hold(n int64) error {
	if s.held+n > maxHeld {
		return fault.New(fault.Limit, "the pages of all columns that are needed at once have more than %d MiB", maxHeld>>20).
			WithHint("write the file with smaller pages or fewer columns, or leave columns out of the schema")
	}
	s.held += n
	return nil
}

// pages gives the library the pages of a column, in the place of its own reader, which believes the sizes in the file.
type pages struct {
	shared   *shared
	in       io.ReaderAt
	at, end  int64 // where the column's pages are
	how      compress.Compression
	optional bool
	left     int64 // values that pages are yet to bring
	head     []byte
	// The library asks for the next page once it has given the last value of one, while that value is still to be read.
	buffers [2][]byte
	turn    int
	holds   int64
	dict    int // values of the dictionary, -1 without one
	rest    int // values of the page that were not read
	page    file.Page
	err     error
}

var _ file.PageReader = (*pages)(nil)

// pageHeader is a PageHeader (parquet.thrift of Apache Parquet).
type pageHeader struct {
	kind, size, packed  int64
	values, nulls, rows int64
	encoding, levels    int64
	defBytes, repBytes  int64
	plain               bool // not compressed, in spite of the column's compression
	length              int64
}

const (
	dataPage = 0
	dictPage = 2
	dataV2   = 3
)

// Err implements file.PageReader.
func (p *pages) Err() error { return p.err }

// Page implements file.PageReader.
func (p *pages) Page() file.Page { return p.page }

// SetMaxPageHeaderSize implements file.PageReader: the limit is a constant.
func (*pages) SetMaxPageHeaderSize(int) {}

// Reset implements file.PageReader. Nobody calls it, since each row group's columns have readers of their own.
func (p *pages) Reset(parquet.BufferedReader, int64, compress.Compression, *file.CryptoContext) {
	p.err = fault.New(fault.Internal, "pages cannot be read from elsewhere")
}

// Next implements file.PageReader.
func (p *pages) Next() bool {
	p.page = nil
	for p.err == nil && p.left > 0 {
		var data bool
		if data, p.err = p.next(); data {
			return true
		}
		if p.page != nil {
			return p.err == nil // the dictionary
		}
	}
	return false
}

// next reads a page; data says that it holds values.
func (p *pages) next() (data bool, err error) {
	h, err := p.header()
	if err != nil {
		return false, err
	}
	if h.size < 0 || h.packed < 0 || h.size > maxPage || h.packed > maxPage {
		return false, fault.New(fault.Decode, "expected pages of at most %d bytes, got %d, of %d without compression", maxPage, h.packed, h.size)
	}
	if p.at+h.length+h.packed > p.end {
		return false, fault.New(fault.Decode, "expected a page of %d bytes at most, got %d at byte %d", p.end-p.at-h.length, h.packed, p.at)
	}
	levels := int64(0)
	if h.kind == dataV2 {
		levels = h.defBytes + h.repBytes
		if h.defBytes < 0 || h.repBytes < 0 || levels > min(h.size, h.packed) {
			return false, fault.New(fault.Decode, "expected levels of at most %d bytes, got %d and %d", min(h.size, h.packed), h.repBytes, h.defBytes)
		}
	}
	b, err := p.body(h, levels)
	if err != nil {
		return false, err
	}
	p.at += h.length + h.packed
	switch h.kind {
	case dictPage:
		return false, p.dictionary(h, b)
	case dataPage, dataV2:
		return true, p.values(h, b)
	}
	return false, fault.New(fault.Decode, "expected a page of values or a dictionary, got type %d at byte %d", h.kind, p.at)
}

// header reads the header of the page at p.at.
func (p *pages) header() (h pageHeader, err error) {
	for size := int64(512); ; size *= 4 {
		size = min(size, p.end-p.at, maxHeader)
		if int64(len(p.head)) < size {
			p.head = make([]byte, size)
		}
		if _, err := readAt(p.in, p.head[:size], p.at); err != nil {
			return h, err
		}
		h = pageHeader{}
		w := &walker{b: p.head[:size], most: 100, value: h.set}
		if w.structure(make([]int, 0, maxNesting+1)) {
			h.length = size - int64(len(w.b))
			return h, nil
		}
		if size == p.end-p.at || size == maxHeader {
			return h, fault.New(fault.Decode, "the header of a page at byte %d is damaged", p.at)
		}
	}
}

func (h *pageHeader) set(path []int, v int64, _ []byte) bool {
	field := 0
	for _, id := range path {
		if id < 0 || id > 99 {
			return true
		}
		field = field*100 + id
	}
	switch field {
	case 1:
		h.kind = v
	case 2:
		h.size = v
	case 3:
		h.packed = v
	case 501, 701, 801:
		h.values = v
	case 502, 702, 804:
		h.encoding = v
	case 503:
		h.levels = v
	case 802:
		h.nulls = v
	case 803:
		h.rows = v
	case 805:
		h.defBytes = v
	case 806:
		h.repBytes = v
	case 807:
		h.plain = v == 0
	}
	return true
}

// body reads a page's bytes and decompresses them, all but the levels of one of version 2.
func (p *pages) body(h pageHeader, levels int64) ([]byte, error) {
	s := p.shared
	if int64(cap(s.packed)) < h.packed {
		s.packed = make([]byte, h.packed)
	}
	packed := s.packed[:h.packed]
	if _, err := readAt(p.in, packed, p.at+h.length); err != nil {
		return nil, err
	}
	var b []byte
	if h.kind == dictPage {
		if err := p.take(h.size); err != nil {
			return nil, err
		}
		b = make([]byte, h.size)
	} else {
		p.turn = 1 - p.turn
		if b = p.buffers[p.turn]; int64(cap(b)) < h.size {
			if err := p.take(h.size - int64(cap(b))); err != nil {
				return nil, err
			}
			b = make([]byte, h.size)
			p.buffers[p.turn] = b
		}
		b = b[:h.size]
	}
	copy(b, packed[:levels])
	if levels == h.size {
		return b, nil
	}
	how := p.how
	if h.plain {
		how = compress.Codecs.Uncompressed
	}
	return b, s.decompress(how, b[levels:], packed[levels:])
}

func (p *pages) take(n int64) error {
	p.holds += n
	return p.shared.hold(n)
}

// close gives back what was counted.
func (p *pages) close() {
	p.shared.held -= p.holds
	p.holds, p.buffers = 0, [2][]byte{}
}

// dictionary makes the dictionary of a page. A value has a byte at least; the library takes 24 more for a text.
func (p *pages) dictionary(h pageHeader, b []byte) error {
	if p.dict >= 0 || h.values < 0 || h.values > int64(len(b)) {
		return fault.New(fault.Decode, "expected one dictionary of at most %d values, got %d", len(b), h.values)
	}
	if err := p.take(24 * h.values); err != nil {
		return err
	}
	p.dict = int(h.values)
	p.page = file.NewDictionaryPage(memory.NewBufferBytes(b), int32(h.values), parquet.Encoding(h.encoding))
	return nil
}

// values makes a page of values, all of which are there.
func (p *pages) values(h pageHeader, b []byte) error {
	if h.values < 0 || h.values > p.left {
		return fault.New(fault.Decode, "expected a page of at most %d values, got %d", p.left, h.values)
	}
	n := int(h.values)
	levels, rest := b[h.repBytes:h.repBytes+h.defBytes], b[h.repBytes+h.defBytes:]
	if h.kind == dataPage && p.optional {
		if len(b) < 4 || h.levels != int64(parquet.Encodings.RLE) || int64(binary.LittleEndian.Uint32(b)) > int64(len(b)-4) {
			return fault.New(fault.Decode, "the levels of a page are damaged")
		}
		size := binary.LittleEndian.Uint32(b)
		levels, rest = b[4:4+size], b[4+size:]
	}
	there := n
	if p.optional {
		var count int
		if count, there = runs(levels, 1, n); count < n {
			return fault.New(fault.Decode, "expected levels of %d values, got %d", n, count)
		}
	}
	if err := p.encoded(parquet.Encoding(h.encoding), rest, n, there); err != nil {
		return err
	}
	p.left, p.rest = p.left-h.values, n
	buffer, encoding := memory.NewBufferBytes(b), parquet.Encoding(h.encoding)
	if h.kind == dataPage {
		p.page = file.NewDataPageV1(buffer, int32(n), encoding, parquet.Encodings.RLE, parquet.Encodings.RLE, int32(len(b)))
	} else {
		p.page = file.NewDataPageV2(buffer, int32(n), int32(n-there), int32(n), encoding, int32(h.defBytes), int32(h.repBytes), int32(len(b)), false)
	}
	return nil
}

// encoded checks that a page for n rows holds the values that are there.
func (p *pages) encoded(encoding parquet.Encoding, b []byte, n, there int) error {
	missing := fault.New(fault.Decode, "expected %d values in a page with encoding %s, got less", there, encoding)
	switch encoding {
	case parquet.Encodings.Plain:
	case parquet.Encodings.PlainDict, parquet.Encodings.RLEDict:
		switch {
		case p.dict < 0:
			return fault.New(fault.Decode, "expected a dictionary before its page")
		case there == 0:
			return nil
		case len(b) == 0 || b[0] > 32:
			return missing
		}
		if count, _ := runs(b[1:], int(b[0]), there); count < there {
			return missing
		}
	case parquet.Encodings.RLE:
		if len(b) < 4 {
			return missing
		}
		if count, _ := runs(b[4:], 1, there); count < there {
			return missing
		}
	case parquet.Encodings.DeltaBinaryPacked, parquet.Encodings.DeltaLengthByteArray:
		if there > 0 && (!deltas(b, there) || n > maxDeltas) {
			return missing
		}
	default:
		return fault.New(fault.Unsupported, "the encoding %s cannot be read", encoding).
			WithHint("write the file with plain or dictionary encoding")
	}
	return nil
}
