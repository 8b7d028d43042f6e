"""CSV and JSON: schemas of messages, formats of files."""

import decimal
import unittest

from local_host import LocalHost
from pyflink.common import Encoder, Row, Types, WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.file_system import FileSink, FileSource
from pyflink.datastream.formats.csv import CsvBulkWriters, CsvReaderFormat, CsvRowDeserializationSchema, CsvRowSerializationSchema, CsvSchema
from pyflink.datastream.formats.json import JsonRowDeserializationSchema, JsonRowSerializationSchema
from pyflink.table import DataTypes


def numbers():
    return (CsvSchema.builder().add_number_column("tiny", DataTypes.TINYINT()).add_number_column("big").add_number_column("single", DataTypes.FLOAT())
            .add_number_column("double", DataTypes.DOUBLE()).add_number_column("decimal", DataTypes.DECIMAL(2, 0)).add_boolean_column("flag")
            .add_string_column("text").build())


def lists():
    return (CsvSchema.builder().add_array_column("n", ";", DataTypes.INT()).add_array_column("b", ":", DataTypes.BOOLEAN())
            .add_array_column("s", ",").set_column_separator("|").disable_quote_char().build())


class CsvFiles(unittest.TestCase):
    def run_job(self, schema, *lines):
        env = StreamExecutionEnvironment.get_execution_environment()
        env.set_parallelism(1)
        source = FileSource.for_record_stream_format(CsvReaderFormat.for_schema(schema), "in.csv").build()
        stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "csv")
        with LocalHost(files={"in.csv": [(line + "\n").encode() for line in lines]}) as host:
            rows = list(stream.execute_and_collect())
            stream.sink_to(FileSink.for_bulk_format("out", CsvBulkWriters.for_schema(schema)).build())
            env.execute()
        return rows, host.output.get("file", [])

    def test_values(self):
        rows, lines = self.run_job(numbers(), "127,-9223372036854775808,3e38,2e-308,1.5,true,string")
        row = rows[0]
        self.assertEqual((127, -9223372036854775808, decimal.Decimal(2), True, "string"), (row.tiny, row.big, row.decimal, row.flag, row.text))
        self.assertAlmostEqual(3e38, row.single, delta=1e31)
        self.assertEqual(["127,-9223372036854775808,3.0E38,2.0E-308,2,true,string"], lines)

    def test_lists(self):
        rows, lines = self.run_job(lists(), "1;2;3|true:false|a,b,c")
        self.assertEqual([[1, 2, 3], [True, False], ["a", "b", "c"]], list(rows[0]))
        self.assertEqual(["1;2;3|true:false|a,b,c"], lines)

    def test_quotes_and_escapes(self):
        pair = lambda: CsvSchema.builder().add_string_column("a").add_string_column("b")  # noqa: E731
        for schema, line, values, written in (
            (pair().set_column_separator("|"), '"string"|"string2"', ["string", "string2"], '"string"|"string2"'),
            (pair().set_column_separator("|").set_quote_char("`"), "`string`|`string2`", ["string", "string2"], "`string`|`string2`"),
            (pair().set_escape_char("\\"), 'string\\,,\\"string2\\"', ["string,", '"string2"'], '"string,","""string2"""'),
            (pair(), "a b,c", ["a b", "c"], '"a b",c'),
        ):
            with self.subTest(line):
                rows, lines = self.run_job(schema.build(), line)
                self.assertEqual((values, [written]), (list(rows[0]), lines))

    def test_headers_comments_and_null(self):
        schema = CsvSchema.builder().add_string_column("name").add_number_column("count").set_use_header().set_allow_comments().set_null_value("-")
        rows, _ = self.run_job(schema.build(), "h1,h2", "# one", "a,1", "", "b,-")
        self.assertEqual([("a", 1), ("b", None)], [tuple(row) for row in rows])
        with self.assertRaises(ValueError) as error:
            self.run_job(schema.set_strict_headers().build(), "h1,h2", "a,1")
        self.assertEqual("expected the header name, count, got h1, h2", str(error.exception))

    def test_the_header_is_the_first_line_of_a_file_alone(self):
        schema = CsvSchema.builder().add_number_column("n").set_use_header().build()
        source = FileSource.for_record_stream_format(CsvReaderFormat.for_schema(schema), "in.csv").build()
        for first, lines, expected in ((0, [b"n\n", b"1\n2\n"], [1, 2]), (-1, [b"1\n2\n", b"3\n"], [1, 2, 3])):
            env = StreamExecutionEnvironment.get_execution_environment()
            with self.subTest(first), LocalHost(files={"in.csv": lines}) as host:
                host.first = first
                rows = list(env.from_source(source, WatermarkStrategy.no_watermarks(), "csv").execute_and_collect())
                self.assertEqual(expected, [row.n for row in rows])

    def test_columns_of_another_schema(self):
        schema = CsvSchema.builder().add_string_column("x").clear_columns().add_columns_from(numbers()).build()
        self.assertEqual((7, numbers().get_type_info()), (len(schema), schema.get_type_info()))

    def test_bad_lines_are_told(self):
        with self.assertRaises(ValueError) as error:
            self.run_job(CsvSchema.builder().add_number_column("n").build(), "x")
        self.assertEqual("in.csv: Failed to deserialize CSV row 'x': invalid literal for int() with base 10: 'x'", str(error.exception))

    def test_other_formats_are_refused(self):
        with self.assertRaises(TypeError) as error:
            FileSink.for_bulk_format("out", object())
        self.assertEqual("object: files are written with CsvBulkWriters, AvroBulkWriters, AvroParquetWriters or ParquetBulkWriters, lines with for_row_format",
                         str(error.exception))


class Lines(unittest.TestCase):
    def test_elements_are_written_as_their_types_are(self):
        for value, info, line in (((1, "a"), Types.TUPLE([Types.INT(), Types.STRING()]), "(1,a)"), (Row(1, None), Types.ROW([Types.INT(), Types.STRING()]), "+I[1, null]"),
                                  (1.1, Types.FLOAT(), "1.1"), ([1.1, 2.5], Types.LIST(Types.FLOAT()), "[1.1, 2.5]"), ({"a": True}, None, "{'a': True}")):
            env = StreamExecutionEnvironment.get_execution_environment()
            stream = env.from_collection([value], info)
            with LocalHost() as host:
                stream.sink_to(FileSink.for_row_format("out", Encoder.simple_string_encoder()).build())
                env.execute()
            self.assertEqual([line], host.output["file"])


class Schemas(unittest.TestCase):
    def test_csv_there_and_back(self):
        for field, text, value in ((Types.STRING(), "'123''4**'", "123'4*"), (Types.STRING(), "'a;b''c'", "a;b'c"), (Types.INT(), "12", 12),
                                   (Types.ROW([Types.STRING(), Types.STRING()]), "'1:hello world'", Row("1", "hello world")),
                                   (Types.STRING(), "null", "null"), (Types.LIST(Types.INT()), "'1:2'", [1, 2])):
            with self.subTest(text):
                info = Types.ROW([Types.STRING(), field, Types.STRING()])
                set_up = lambda b: b.set_escape_character("*").set_quote_character("'").set_array_element_delimiter(":").set_field_delimiter(";").build()  # noqa: E731
                line = ("BEGIN;%s;END\n" % text).encode()
                self.assertEqual(line, set_up(CsvRowSerializationSchema.Builder(info)).serialize(Row("BEGIN", value, "END")))
                back = set_up(CsvRowDeserializationSchema.Builder(info)).deserialize(line)
                self.assertEqual(["BEGIN", "END"], [back[0], back[2]])
                self.assertEqual(list(value) if isinstance(value, Row) else value, list(back[1]) if isinstance(value, Row) else back[1])

    def test_bad_csv(self):
        info = Types.ROW([Types.INT(), Types.INT()])
        with self.assertRaises(ValueError) as error:
            CsvRowDeserializationSchema.Builder(info).build().deserialize(b"1")
        self.assertEqual("Failed to deserialize CSV row '1': Row length mismatch. 2 fields expected but was 1.", str(error.exception))
        self.assertIsNone(CsvRowDeserializationSchema.Builder(info).set_ignore_parse_errors(True).build().deserialize(b"1"))
        with self.assertRaisesRegex(TypeError, "Type information must not be None"):
            CsvRowDeserializationSchema.Builder(None)

    def test_json_there_and_back(self):
        info = Types.ROW_NAMED(["id", "tags", "inner"], [Types.LONG(), Types.LIST(Types.STRING()), Types.ROW_NAMED(["x"], [Types.DOUBLE()])])
        row = JsonRowDeserializationSchema.builder().type_info(info).build().deserialize(b'{"id": 1, "tags": ["a"], "inner": {"x": 2}, "more": 0}')
        self.assertEqual("Row(id=1, tags=['a'], inner=Row(x=2.0))", str(row))
        self.assertEqual(b'{"id":1,"tags":["a"],"inner":{"x":2.0}}', JsonRowSerializationSchema.builder().with_type_info(info).build().serialize(row))

    def test_json_schema(self):
        schema = """{"type": "object", "definitions": {"place": {"type": "object", "properties": {"x": {"type": "integer"}}}}, "properties": {
            "name": {"type": ["string", "null"]}, "at": {"type": "string", "format": "date-time"}, "ok": {"type": "boolean"},
            "data": {"type": "string", "contentEncoding": "base64"}, "places": {"type": "array", "items": {"$ref": "#/definitions/place"}},
            "pair": {"type": "array", "items": [{"type": "string"}, {"type": "number"}]}}}"""
        row = JsonRowDeserializationSchema.builder().json_schema(schema).build().deserialize(
            b'{"name": "a", "at": "2024-01-02T03:04:05Z", "ok": true, "data": "AQ==", "places": [{"x": 7}], "pair": ["b", 1.5]}')
        self.assertEqual("Row(name='a', at=datetime.datetime(2024, 1, 2, 3, 4, 5), ok=True, data=b'\\x01', places=[Row(x=Decimal('7'))], "
                         "pair=Row(f0='b', f1=Decimal('1.5')))", str(row))
        for bad, text in (("{", "the JSON schema is no JSON"), ('{"type": "object", "properties": {"a": {}}}', "the JSON schema has no single type at <root>/a"),
                          ('{"$ref": "#"}', "the JSON schema has no type at <root>"), ('{"$ref": "#/a"}', "refers to #/a at <root>, which is not there"),
                          ('{"type": "map"}', "the JSON schema has the type map at <root>, expected object")):
            with self.subTest(bad), self.assertRaisesRegex(ValueError, text):
                JsonRowDeserializationSchema.builder().json_schema(bad)


if __name__ == "__main__":
    unittest.main()
