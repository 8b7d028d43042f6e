package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/json"
	"github.com/wasmill/wasmill/engine/udf"
)

// ndjson times decoding into a guest's memory, as a source does it, and encoding from there.
func ndjson(e *env) error {
	guest, err := e.bundle.Instantiate(e.ctx, udf.Options{})
	if err != nil {
		return err
	}
	defer guest.Close(e.ctx)
	const rows = 5000
	data := lines(rows)
	decoder, err := json.Format().NewDecoder(lineSchema, nil, guest.Arena(), codec.Limits{})
	if err != nil {
		return err
	}
	defer decoder.Close()
	decode := func() (arrow.Record, error) {
		if err := guest.Arena().Reserve(decoder.Need(len(data))); err != nil {
			return nil, err
		}
		if _, err := decoder.Append(data, func(b *codec.BadRecord) error { return b.Fault }); err != nil {
			return nil, err
		}
		rec := decoder.Record()
		if rec == nil || rec.NumRows() != rows {
			return nil, fmt.Errorf("%d lines did not become as many rows", rows)
		}
		return rec, nil
	}
	in, err := e.perOp(func() error {
		rec, err := decode()
		if err == nil {
			rec.Release()
		}
		return err
	})
	if err != nil {
		return err
	}
	rec, err := decode()
	if err != nil {
		return err
	}
	defer rec.Release()
	var text []byte
	out, err := e.perOp(func() (err error) {
		text, err = encodeLines(text[:0], rec)
		return err
	})
	if err != nil {
		return err
	}
	t := newTable(fmt.Sprintf("NDJSON of %d bytes and 7 fields, one core", len(data)/rows), "case", "rows", "target", "per row", "bytes", "volume")
	add := func(what, target string, ns float64, size int) {
		t.add(what, million(rows/ns*1e9), target, nanos(ns/rows), fmt.Sprint(size/rows), fmt.Sprintf("%.0f MB/s", float64(size)/ns*1e3))
	}
	add("decode into guest memory", "1.50 M/s", in, len(data))
	add("encode from guest memory", "2.00 M/s", out, len(text))
	t.print(e.out)
	return nil
}

// encodeLines appends the rows as lines.
func encodeLines(dst []byte, rec arrow.Record) ([]byte, error) {
	e, err := json.Format().NewEncoder(rec.Schema(), nil)
	if err != nil {
		return dst, err
	}
	rows := e.(codec.RowEncoder)
	if err := rows.Bind(rec); err != nil {
		return dst, err
	}
	for i := range int(rec.NumRows()) {
		if dst, err = rows.Append(dst, i); err != nil {
			return dst, err
		}
		dst = append(dst, '\n')
	}
	return dst, nil
}

var lineSchema = arrow.NewSchema([]arrow.Field{
	{Name: "id", Type: arrow.PrimitiveTypes.Int64},
	{Name: "at", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}},
	{Name: "user", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "price", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "quantity", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "paid", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
	{Name: "city", Type: arrow.BinaryTypes.String, Nullable: true},
}, nil)

// lines makes n objects of seven fields, one in ten with a null.
func lines(n int) []byte {
	cities := []string{`"Amsterdam-Zuid"`, `"Berlin-Mitte"`, `"Gen\u00e8ve-Cornavin"`, `"São Paulo"`, `null`, `"He said \"hi\" in Helsinki"`,
		`"Copenhagen"`, `"Dublin"`, `"Frankfurt am Main"`, `"Wien"`}
	r := rand.New(rand.NewPCG(3, 4))
	var b []byte
	for range n {
		b = fmt.Appendf(b, `{"id":%d,"at":"2026-03-%02dT%02d:%02d:%02d.%03dZ","user":"customer-number-%011d@mail.example.com","price":%.2f,"quantity":%d,"paid":%v,"city":%s}`+"\n",
			100_000_000_000+r.IntN(900_000_000_000), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1000), r.IntN(1e7),
			float64(r.IntN(1e6))/100, r.IntN(100), r.IntN(2) == 0, cities[r.IntN(10)])
	}
	return b
}
