package parquet

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"

	"github.com/wasmill/wasmill/engine/fault"
)

// maxWindow is how far back zstd may refer, which it needs memory for.
const maxWindow = 128 << 20

// decompressor fills buffers of a known size, and stops there whatever the compressed bytes would come to.
type decompressor struct {
	in   bytes.Reader
	zstd *zstd.Decoder
	gzip *gzip.Reader
}

var errSize = errors.New("it has another size than announced")

// decompress fills dst, which must be all that src holds.
func (d *decompressor) decompress(how compress.Compression, dst, src []byte) error {
	var err error
	switch d.in.Reset(src); how {
	case compress.Codecs.Uncompressed:
		if len(src) != len(dst) {
			return damagedPage(errSize)
		}
		copy(dst, src)
	case compress.Codecs.Snappy:
		if n, e := snappy.DecodedLen(src); e != nil || n != len(dst) {
			return damagedPage(errors.Join(e, errSize))
		}
		_, err = snappy.Decode(dst, src)
	case compress.Codecs.Gzip:
		if d.gzip == nil {
			d.gzip = new(gzip.Reader)
		}
		if err = d.gzip.Reset(&d.in); err == nil {
			err = fill(dst, d.gzip)
		}
	case compress.Codecs.Zstd:
		if d.zstd == nil {
			if d.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow)); err != nil {
				return err
			}
		}
		if err = d.zstd.Reset(&d.in); err == nil {
			err = fill(dst, d.zstd)
		}
	case compress.Codecs.Brotli:
		err = fill(dst, brotli.NewReader(&d.in))
	default:
		return fault.New(fault.Unsupported, "the compression %s cannot be read", how).
			WithHint("write the file with snappy, gzip, zstd or brotli, or uncompressed")
	}
	if err != nil {
		return damagedPage(err)
	}
	return nil
}

func (d *decompressor) close() {
	if d.zstd != nil {
		d.zstd.Close()
	}
}

func damagedPage(err error) error {
	return fault.New(fault.Decode, "a page cannot be decompressed: %v", err)
}

// fill fills dst from a reader that must end behind it.
func fill(dst []byte, in io.Reader) error {
	if _, err := io.ReadFull(in, dst); err != nil {
		return err
	}
	var more [1]byte
	switch n, err := io.ReadFull(in, more[:]); {
	case n > 0:
		return errSize
	case err != io.EOF:
		return err
	}
	return nil
}
