package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// formatsScript reads container files of Avro with each codec, writes their records as Avro, Parquet and CSV, and reads these again.
const formatsScript = `
from pyflink.common import Configuration, Row, Types, WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.file_system import BucketAssigner, FileSink, FileSource, OutputFileConfig, RollingPolicy
from pyflink.datastream.formats.avro import AvroBulkWriters, AvroInputFormat, AvroSchema, GenericRecordAvroTypeInfo
from pyflink.datastream.formats.csv import CsvBulkWriters, CsvReaderFormat, CsvSchema
from pyflink.datastream.formats.parquet import AvroParquetReaders, AvroParquetWriters, ParquetBulkWriters, ParquetColumnarRowInputFormat
from pyflink.table.types import DataTypes

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
flat = AvroSchema.parse_string('''{"type": "record", "name": "Trip", "namespace": "rides", "fields": [
    {"name": "id", "type": "long"}, {"name": "rider", "type": ["null", "string"]}, {"name": "fare", "type": "double"},
    {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["SOLO", "SHARED"]}}, {"name": "day", "type": {"type": "int", "logicalType": "date"}},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}}, {"name": "blob", "type": "bytes"},
    {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}}, {"name": "flag", "type": "boolean"}]}''')
nested = AvroSchema.parse_string('''{"type": "record", "name": "Trip", "namespace": "rides", "fields": [
    {"name": "id", "type": "long"}, {"name": "stops", "type": {"type": "array", "items": {"type": "record", "name": "Stop", "fields": [
        {"name": "place", "type": "string"}, {"name": "minutes", "type": "int"}]}}},
    {"name": "tags", "type": {"type": "map", "values": "long"}}, {"name": "mark", "type": {"type": "fixed", "name": "Mark", "size": 2}},
    {"name": "ratio", "type": "float"}]}''')


def read(path, schema):
    return list(env.create_input(AvroInputFormat(path, schema)).execute_and_collect())


def sink(folder, factory, suffix):
    return (FileSink.for_bulk_format(folder, factory).with_bucket_assigner(BucketAssigner.base_path_bucket_assigner())
            .with_rolling_policy(RollingPolicy.on_checkpoint_rolling_policy())
            .with_output_file_config(OutputFileConfig.builder().with_part_prefix("trips").with_part_suffix(suffix).build()).build())


def source(source):
    return list(env.from_source(source.build(), WatermarkStrategy.no_watermarks(), "again").execute_and_collect())


trips = read("trips-null.avro", flat)
print(len(trips), trips[1])
more = read("trips-deflate.avro", nested)
print(more[3])
for codec in ("deflate", "snappy", "zstandard"):
    assert read("trips-%s.avro" % codec, flat) == trips and read("trips-%s.avro" % codec, nested) == more

records = env.create_input(AvroInputFormat("trips-snappy.avro", flat)).map(lambda trip: trip, output_type=GenericRecordAvroTypeInfo(flat))
records.sink_to(sink("avro", AvroBulkWriters.for_generic_record(flat), ".avro"))
records.sink_to(sink("parquet", AvroParquetWriters.for_generic_record(flat), ".parquet"))
csv = CsvSchema.builder().add_number_column("id").add_string_column("kind").build()
records.map(lambda trip: Row(trip["id"], trip["kind"]), csv.get_type_info()).sink_to(sink("csv", CsvBulkWriters.for_schema(csv), ".csv"))
env.execute("write")
env.create_input(AvroInputFormat("trips-null.avro", nested)).map(lambda t: t).sink_to(sink("nested", AvroBulkWriters.for_generic_record(nested), ".avro"))
env.execute("nested")
assert read("avro", flat) == trips
assert read("nested/trips-0-0.avro", nested) == more
assert source(FileSource.for_record_stream_format(AvroParquetReaders.for_generic_record(flat), "parquet")) == trips
assert [list(r) for r in source(FileSource.for_record_stream_format(CsvReaderFormat.for_schema(csv), "csv"))] == [[t["id"], t["kind"]] for t in trips]

row_type = DataTypes.ROW([DataTypes.FIELD("FARE", DataTypes.DOUBLE()), DataTypes.FIELD("at", DataTypes.TIMESTAMP_LTZ(3)), DataTypes.FIELD("none", DataTypes.INT())])
rows = source(FileSource.for_bulk_file_format(ParquetColumnarRowInputFormat(row_type, Configuration(), 10, True, False), "parquet"))
print(len(rows), rows[1])
`

// Files that fastavro wrote are read, whatever compresses them, and what is written is read as it was.
func TestScriptFormats(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../connectors/codec/avro/testdata")); err != nil {
		t.Fatal(err)
	}
	job := filepath.Join(dir, "job.py")
	if err := os.WriteFile(job, []byte(formatsScript), 0o666); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := runPython(t, job)
	want := `200 {'id': -49, 'rider': 'r1', 'fare': 0.25, 'kind': 'SHARED', 'day': datetime.date(2024, 1, 2), ` +
		`'at': datetime.datetime(2024, 1, 1, 0, 1, tzinfo=datetime.timezone.utc), 'blob': b'x', 'price': Decimal('-0.93'), 'flag': False}
{'id': -47, 'stops': [{'place': 'p0', 'minutes': 0}, {'place': 'p1', 'minutes': -1}, {'place': 'p2', 'minutes': -2}], 'tags': {'n': 3}, 'mark': b'\x03\xff', 'ratio': 1.5}
200 Row(FARE=0.25, at=Instant<1704067260, 0>, none=None)
`
	if code != exitDone || out != want {
		t.Fatalf("exit code %d, got:\n%s\nwant:\n%s\nerrors:\n%s", code, out, want, errOut)
	}
	var files []string
	for _, folder := range []string{"avro", "csv", "nested", "parquet"} {
		err := fs.WalkDir(os.DirFS(dir), folder, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"avro/trips-0-0.avro", "csv/trips-0-0.csv", "nested/trips-0-0.avro", "parquet/trips-0-0.parquet"}; !slices.Equal(files, want) {
		t.Errorf("got the files %q, want %q", files, want)
	}
}

func TestScriptFormatFaults(t *testing.T) {
	dir := t.TempDir()
	whole, err := os.ReadFile("../../connectors/codec/avro/testdata/trips-null.avro")
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"cut.avro": whole[:3000], "text.avro": []byte("a,b\n1,2\n"), "whole.avro": whole, "text.parquet": []byte("a,b\n1,2\n"),
		"rider.avro": bytes.Replace(whole, []byte(`"long"`), []byte(`"null"`), 1),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	head := `
from pyflink.common import WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.file_system import *
from pyflink.datastream.formats.avro import *
from pyflink.datastream.formats.parquet import *
env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(1)
schema = AvroSchema.parse_string('{"type": "record", "name": "Trip", "fields": [{"name": "id", "type": "long"}]}')
def read(path):
    env.create_input(AvroInputFormat(path, schema)).print()
    env.execute()
`
	for text, want := range map[string]string{
		"read('cut.avro')":     "cut.avro: the block at byte 1003 is damaged",
		"read('text.avro')":    "text.avro: it is no Avro file",
		"read('rider.avro')":   "the file has null where long is expected",
		"read('nowhere.avro')": "there is no file ",
		"env.from_source(FileSource.for_record_stream_format(AvroParquetReaders.for_generic_record(schema), 'text.parquet').build(), " +
			"WatermarkStrategy.no_watermarks(), 'p').print(); env.execute()": "text.parquet: ",
		"env.from_collection([{'id': 'x'}]).sink_to(FileSink.for_bulk_format('out', AvroBulkWriters.for_generic_record(schema)).build()); env.execute()": "the record {'id': 'x'} is not of the schema: id: expected long, got str",
		"FileSink.for_bulk_format('out', AvroBulkWriters.for_generic_record(schema)).with_rolling_policy(RollingPolicy.default_rolling_policy())":        "rolling_policy must be OnCheckpointRollingPolicy for bulk format",
	} {
		job := filepath.Join(dir, "job.py")
		if err := os.WriteFile(job, []byte(head+text+"\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		code, out, errOut := runPython(t, job)
		if code == exitDone || !strings.Contains(errOut, want) {
			t.Errorf("%s\nexit code %d, output %q, expected %q in:\n%s", text, code, out, want, errOut)
		}
	}
}
