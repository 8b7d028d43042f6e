"""Avro's binary encoding and columns of Parquet: what bytes mean, what is refused."""

import datetime
import decimal
import json
import unittest

from pyflink.common import Row, Types
from pyflink.common.time import Instant
from pyflink.datastream.formats.avro import (
    AvroBulkWriters, AvroRowDeserializationSchema, AvroRowSerializationSchema, AvroSchema, GenericRecordAvroTypeInfo,
)
from pyflink.datastream.formats.parquet import AvroParquetReaders, AvroParquetWriters, ParquetBulkWriters, ParquetColumnarRowInputFormat
from pyflink.table import DataTypes
from wasmill.datastream.formats.avro import records
from wasmill.datastream.formats.avro_data import parse, reader, writer
from wasmill.datastream.formats.columns import pack, to_plain, unpack

UTC = datetime.timezone.utc


def there_and_back(schema, value):
    """Returns the bytes of a value, and what they are read as."""
    schema, out = parse(json.dumps(schema)), bytearray()
    writer(schema)(value, out)
    back, at = reader(schema)(bytes(out), 0)
    assert at == len(out)
    return bytes(out), back


def record(*fields):
    return {"type": "record", "name": "R", "fields": [{"name": n, "type": t, **dict(*more)} for n, t, *more in fields]}


class Encoding(unittest.TestCase):
    def test_examples_of_the_specification(self):
        for number, data in ((0, "00"), (-1, "01"), (1, "02"), (-2, "03"), (2, "04"), (-64, "7f"), (64, "8001"), (-(1 << 63), "ffffffffffffffffff01")):
            self.assertEqual((bytes.fromhex(data), number), there_and_back("long", number))
        self.assertEqual((bytes.fromhex("06666f6f"), "foo"), there_and_back("string", "foo"))
        self.assertEqual((bytes.fromhex("3606666f6f"), {"a": 27, "b": "foo"}), there_and_back(record(("a", "long"), ("b", "string")), {"a": 27, "b": "foo"}))
        self.assertEqual((bytes.fromhex("04063600"), [3, 27]), there_and_back({"type": "array", "items": "long"}, [3, 27]))
        self.assertEqual((bytes.fromhex("02"), None), there_and_back(["string", "null"], None))
        self.assertEqual((bytes.fromhex("000261"), "a"), there_and_back(["string", "null"], "a"))

    def test_blocks_of_a_list_may_have_a_size(self):
        read = reader(parse('{"type": "array", "items": "long"}'))
        self.assertEqual(([3, 27, 1], 7), read(bytes.fromhex("03040636020200"), 0))

    def test_values(self):
        for schema, value in (
                ("boolean", True), ("int", -(1 << 31)), ("float", 0.5), ("double", -1e300), ("bytes", b"\0\xff"), ("null", None),
                ({"type": "map", "values": "int"}, {"ä": 1}), ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, "B"),
                ({"type": "fixed", "name": "F", "size": 3}, b"abc"), (["int", "double", "null"], 2.0), (["int", "double", "null"], 1),
                ({"type": "int", "logicalType": "date"}, datetime.date(1969, 12, 31)),
                ({"type": "int", "logicalType": "time-millis"}, datetime.time(23, 59, 59, 999000)),
                ({"type": "long", "logicalType": "time-micros"}, datetime.time(1, 2, 3, 4)),
                ({"type": "long", "logicalType": "timestamp-millis"}, datetime.datetime(1969, 12, 31, 23, 59, 59, 999000, UTC)),
                ({"type": "long", "logicalType": "timestamp-micros"}, datetime.datetime(2024, 2, 29, 1, 2, 3, 4, UTC)),
                ({"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}, decimal.Decimal("-1234.56")),
                ({"type": "fixed", "name": "D", "size": 4, "logicalType": "decimal", "precision": 6, "scale": 2}, decimal.Decimal("0.01")),
                ({"type": "string", "logicalType": "unknown"}, "x"),
                (record(("v", "int"), ("next", ["null", "R"])), {"v": 1, "next": {"v": 2, "next": None}}),
                (record(("items", {"type": "array", "items": {"type": "record", "name": "I", "fields": [{"name": "x", "type": "int"}]}}), ("one", "I")),
                 {"items": [{"x": 1}, {"x": 2}], "one": {"x": 3}})):
            with self.subTest(schema):
                back = there_and_back(schema, value)[1]
                self.assertEqual((value, type(value)), (back, type(back)))

    def test_unions_of_several_types(self):
        inner = lambda name, *fields: {"type": "record", "name": name, "fields": [{"name": f, "type": t} for f, t in fields]}  # noqa: E731
        union = ["null", "double", "long", "string", {"type": "array", "items": ["int", "string"]}, {"type": "map", "values": ["null", "boolean", "bytes"]},
                 {"type": "long", "logicalType": "timestamp-millis"}]
        records = ["null", inner("A", ("x", "int")), inner("B", ("x", "int"), ("y", ["string", "int"])), "string"]
        for schema, value, branch in (
                (union, None, 0), (union, 1.5, 1), (union, 1, 2), (union, "a", 3), (union, [1, "b"], 4), (union, {"k": None, "l": True, "m": b"x"}, 5),
                (union, datetime.datetime(2024, 1, 2, tzinfo=UTC), 6), (["float", "double"], 1e300, 1), (["null", "float"], 0.5, 1),
                (records, {"x": 1}, 1), (records, {"x": 1, "y": "z"}, 2), (records, {"x": 1, "y": 7}, 2), (records, "text", 3)):
            with self.subTest(value):
                data, back = there_and_back(record(("u", schema)), {"u": value})
                self.assertEqual((value, type(value), 2 * branch), (back["u"], type(back["u"]), data[0]))
        schema = json.dumps(record(("u", records)))
        row = AvroRowDeserializationSchema(avro_schema_string=schema).deserialize(there_and_back(json.loads(schema), {"u": {"x": 1, "y": "z"}})[0])
        self.assertEqual("Row(u=Row(x=1, y='z'))", str(row))
        self.assertEqual("Row(u='text')", str(AvroRowDeserializationSchema(avro_schema_string=schema).deserialize(b"\x06\x08text")))

    def test_what_does_not_fit(self):
        for schema, value, expected in (
                ("int", 1 << 31, "2147483648 is no int"), ("int", "1", "expected int, got str"), ("int", True, "expected int, got bool"),
                ("string", 1, "expected string, got int"), ("float", 1e300, "1e+300 is no float"), (["null", "int"], "x", "none of null, int takes a str"),
                ({"type": "enum", "name": "E", "symbols": ["A"]}, "B", "'B' is none of A"),
                ({"type": "bytes", "logicalType": "decimal", "precision": 3, "scale": 1}, decimal.Decimal("1.25"), "1.25 has more than 1 digits behind the point"),
                ({"type": "bytes", "logicalType": "decimal", "precision": 3, "scale": 1}, decimal.Decimal("100"), "100 has more than 3 digits"),
                (record(("a", "int")), {}, "a: expected int, got NoneType")):
            with self.subTest(schema), self.assertRaises((TypeError, ValueError, AttributeError)) as error:
                there_and_back(schema, value)
            self.assertEqual(expected, str(error.exception))

    def test_hostile_bytes(self):
        for schema, data, expected in (
                ("long", "ff" * 11, "a number has more than 10 bytes"), ("long", "ff", "its data is cut short"), ("string", "ffffff0f61", "its data is cut short"),
                ("string", "01", "its data is cut short"), ("double", "00", "its data is cut short"), (["null"], "04", "a union has no branch 2"),
                ({"type": "array", "items": "null"}, "ffffffff0f00", "a list has 2147483648 elements, in 0 bytes"),
                ({"type": "enum", "name": "E", "symbols": ["A"]}, "02", "an enum has no symbol 1"), ("string", "0261ff", "1 bytes are left behind the last one")):
            with self.subTest(schema), self.assertRaises(ValueError) as error:
                records(reader(parse(json.dumps(schema))), bytes.fromhex(data), 1, "x.avro")
            self.assertEqual("x.avro: a record of Avro cannot be read: " + expected, str(error.exception))

    def test_another_schema_is_expected(self):
        written, data = parse(json.dumps(record(("a", "int"), ("b", "string"), ("c", ["null", "int"])))), bytearray()
        writer(written)({"a": 1, "b": "x", "c": 2}, data)
        expected = parse(json.dumps(record(("d", "string", {"default": "none"}), ("c", ["null", "long"]), ("a", "double"))))
        value, at = reader(written, expected)(bytes(data), 0)
        self.assertEqual('{"d": "none", "c": 2, "a": 1.0}', json.dumps(value))
        self.assertEqual(len(data), at)
        for other, text in ((record(("z", "int")), "the file has no field z of R, and the schema has no default for it"),
                            (record(("b", "int")), "the file has string where int is expected")):
            with self.assertRaises(ValueError) as error:
                reader(written, parse(json.dumps(other)))
            self.assertEqual(text, str(error.exception))

    def test_bad_schemas(self):
        for text, expected in (("{", "the Avro schema is no JSON: '{'"), ('"thing"', "the Avro schema has no type 'thing'"),
                               ('{"type": "record", "name": "R"}', "the Avro schema is not complete: 'fields'")):
            with self.assertRaises(ValueError) as error:
                AvroSchema.parse_string(text)
            self.assertEqual(expected, str(error.exception))


class Rows(unittest.TestCase):
    SCHEMA = json.dumps(record(("id", "long"), ("name", ["null", "string"]), ("at", {"type": "long", "logicalType": "timestamp-millis"}),
                               ("tags", {"type": "array", "items": "string"}), ("inner", {"type": "record", "name": "I", "fields": [{"name": "x", "type": "bytes"}]})))

    def test_there_and_back(self):
        row = Row(7, None, datetime.datetime(2024, 1, 1, 12), ["a", "b"], Row(b"\1"))
        data = AvroRowSerializationSchema(avro_schema_string=self.SCHEMA).serialize(row)
        schema = AvroRowDeserializationSchema(avro_schema_string=self.SCHEMA)
        self.assertEqual("Row(id=7, name=None, at=datetime.datetime(2024, 1, 1, 12, 0), tags=['a', 'b'], inner=Row(x=b'\\x01'))", str(schema.deserialize(data)))
        self.assertEqual(Types.ROW_NAMED(["id", "name", "at", "tags", "inner"], [
            Types.LONG(), Types.STRING(), Types.SQL_TIMESTAMP(), Types.OBJECT_ARRAY(Types.STRING()),
            Types.ROW_NAMED(["x"], [Types.PRIMITIVE_ARRAY(Types.BYTE())])]), schema.output_type)

    def test_refusals(self):
        with self.assertRaisesRegex(TypeError, "record_class names a class of the JVM; give the schema as avro_schema_string"):
            AvroRowSerializationSchema("com.example.Word")
        with self.assertRaisesRegex(ValueError, "message: a record of Avro cannot be read: its data is cut short"):
            AvroRowDeserializationSchema(avro_schema_string=self.SCHEMA).deserialize(b"\1")

    def test_records_print_as_json(self):
        schema = AvroSchema.parse_string(json.dumps(record(("a", "int"), ("b", "string"))))
        self.assertEqual('{"a": 1, "b": "ü"}', GenericRecordAvroTypeInfo(schema).text()({"a": 1, "b": "ü"}))
        encoder = AvroBulkWriters.for_generic_record(schema).encoder()
        with self.assertRaises(ValueError) as error:
            encoder.add({"a": 1})
        self.assertEqual("the record {'a': 1} is not of the schema: b: expected string, got NoneType", str(error.exception))
        self.assertEqual((0, b""), encoder.take())


class Columns(unittest.TestCase):
    VALUES = (("bool", [True, None, False]), ("int8", [-128, 127, None]), ("int64", [None, -(1 << 63), 1]), ("float32", [0.5, None, -1.0]),
              ("float64", [float("inf"), None, 1e300]), ("utf8", ["ä", "", None]), ("binary", [b"\0", b"", None]),
              ("date32", [datetime.date(1969, 1, 1), None, datetime.date(2024, 2, 29)]), ("time32[ms]", [datetime.time(1, 2, 3, 4000), None, datetime.time()]),
              ("timestamp[us]", [datetime.datetime(2024, 1, 1, 1, 2, 3, 4), None, datetime.datetime(1969, 12, 31)]),
              ("timestamp[ms, UTC]", [datetime.datetime(2024, 1, 1, tzinfo=UTC), None, None]),
              ("decimal128(6, 2)", [decimal.Decimal("-1.25"), None, decimal.Decimal("1234.50")]))

    def test_there_and_back(self):
        types = [t for t, _ in self.VALUES]
        packed = pack([(t, [None if v is None else to_plain(t)(v) for v in values]) for t, values in self.VALUES])
        self.assertEqual([values for _, values in self.VALUES], unpack(types, packed))

    def test_rows_of_parquet(self):
        row_type = DataTypes.ROW([DataTypes.FIELD("id", DataTypes.INT(False)), DataTypes.FIELD("at", DataTypes.TIMESTAMP_LTZ(3).bridged_to("java.time.Instant")),
                                  DataTypes.FIELD("s", DataTypes.STRING())])
        factory = ParquetBulkWriters.for_row_type(row_type, utc_timestamp=True)
        self.assertEqual({"format": "parquet", "columns": [["id", "int32!"], ["at", "timestamp[us, UTC]"], ["s", "utf8"]]}, factory.plan)
        encoder = factory.encoder()
        encoder.add(Row(1, Instant(5, 1000), None))
        count, data = encoder.take()
        form = ParquetColumnarRowInputFormat(row_type)
        key = json.dumps([["id", "int32"], ["at", "timestamp[us, UTC]"]]).encode()
        self.assertEqual([Row("id", "at", "s")(1, Instant(5, 1000), None)], form.decode(data[:4] + data[4:4 + 5 + 9], "x.parquet", count, key))
        for row, text in ((Row(None, None, None), "column id: it is None"), (Row("x", None, None), "column id: expected an int, got str")):
            with self.assertRaisesRegex(ValueError, text):
                factory.encoder().add(row)

    def test_records_of_parquet(self):
        schema = AvroSchema.parse_string(json.dumps(record(("a", "int"), ("b", ["null", "string"]), ("c", "long", {"default": 5}), ("n", "null"))))
        encoder = AvroParquetWriters.for_generic_record(schema).encoder()
        encoder.add({"a": 1, "b": None})
        count, data = encoder.take()
        read = AvroParquetReaders.for_generic_record(schema).decode
        self.assertEqual([{"a": 1, "b": None, "c": 5, "n": None}], read(data, "x", count, b'[["a", "int32"], ["b", "utf8"], ["c", "int64"]]'))
        with self.assertRaisesRegex(ValueError, "x: the file has no column a, and the schema has no default for it"):
            read(pack([("utf8", [b"x"])]), "x", 1, b'[["b", "utf8"]]')

    def test_what_parquet_does_not_take(self):
        nested = AvroSchema.parse_string(json.dumps(record(("list", {"type": "array", "items": "int"}))))
        for make in (AvroParquetWriters.for_generic_record, AvroParquetReaders.for_generic_record):
            with self.assertRaisesRegex(TypeError, "column list: a value of type array is neither read from Parquet nor written to it"):
                make(nested)
        with self.assertRaisesRegex(TypeError, r"column m: a value of type MAP<STRING, INT> is neither read"):
            ParquetBulkWriters.for_row_type(DataTypes.ROW([DataTypes.FIELD("m", DataTypes.MAP(DataTypes.STRING(), DataTypes.INT()))]))


if __name__ == "__main__":
    unittest.main()
