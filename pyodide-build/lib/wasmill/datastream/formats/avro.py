"""Avro: container files as sources and sinks, and Rows as messages."""

import json

from ...common.row import Row
from ...common.serialization import DeserializationSchema, SerializationSchema
from ...common.typeinfo import TypeInformation, Types
from ..connectors.file_system import BulkWriterFactory, InputFormat
from ..sinks import local_path
from .avro_data import branch_of, Schema, parse, reader, writer

__all__ = [
    "AvroBulkWriters", "AvroInputFormat", "AvroRowDeserializationSchema", "AvroRowSerializationSchema", "AvroSchema", "GenericRecordAvroTypeInfo",
]

# A block of a file has at most so many records, and ends behind so many bytes.
_RECORDS, _BYTES = 4096, 64000


class AvroSchema:
    """A schema of Avro.

    >>> schema = AvroSchema.parse_string('{"type": "record", "name": "Word", "fields": [{"name": "word", "type": "string"}]}')
    >>> str(schema)
    '{"type":"record","name":"Word","fields":[{"name":"word","type":"string"}]}'
    """

    def __init__(self, schema):
        if not isinstance(schema, Schema):
            raise TypeError("a schema is made by AvroSchema.parse_string or AvroSchema.parse_file, got %r" % (schema,))
        self._schema = schema

    def __str__(self):
        return json.dumps(self._schema.source, separators=(",", ":"), ensure_ascii=False)

    @staticmethod
    def parse_string(json_schema: str) -> "AvroSchema":
        """Returns the schema of a text of JSON."""
        return AvroSchema(parse(json_schema))

    @staticmethod
    def parse_file(file_path: str) -> "AvroSchema":
        """Returns the schema in a file."""
        with open(file_path, encoding="utf-8") as f:
            return AvroSchema(parse(f.read()))


class GenericRecordAvroTypeInfo(TypeInformation):
    """The type of records of a schema, which are dicts.

    >>> schema = AvroSchema.parse_string('{"type": "record", "name": "Word", "fields": [{"name": "word", "type": "string"}]}')
    >>> GenericRecordAvroTypeInfo(schema)
    GenericRecord("Word")
    """

    def __init__(self, schema: AvroSchema):
        if not isinstance(schema, AvroSchema):
            raise TypeError("expected an AvroSchema, got %r" % (schema,))
        self._schema = schema

    def text(self):
        """Returns a function that writes a record as print does."""
        return self.printed

    @staticmethod
    def printed(value):
        """Returns a record as JSON, which is how Avro prints it."""
        return json.dumps(value, ensure_ascii=False, default=_json)

    def _signature(self):
        return str(self._schema)

    def __str__(self):
        return 'GenericRecord("%s")' % self._schema._schema.name


def _json(value):
    return value.decode("latin-1") if isinstance(value, (bytes, bytearray)) else str(value)


class AvroInputFormat(InputFormat):
    """Reads a container file, or those of a folder, each record into a dict. Fields are those of the schema, by name; such as a file lacks have the
    schema's defaults. Blocks may be compressed with deflate, snappy or zstandard.

    >>> schema = AvroSchema.parse_string('{"type": "record", "name": "Word", "fields": [{"name": "word", "type": "string"}]}')
    >>> words = env.create_input(AvroInputFormat("words.avro", schema))
    """

    format = "avro"

    def __init__(self, path: str, schema: AvroSchema):
        self._path, self.type_info = local_path(path), GenericRecordAvroTypeInfo(schema)
        self._schema, self._readers = schema._schema, {}

    def get_produced_type(self) -> GenericRecordAvroTypeInfo:
        """Returns the type of the records."""
        return self.type_info

    def paths(self):
        return [self._path]

    def decode(self, payload, name, target, key):
        """Returns the records of a block, of which there are `target`; key is the file's schema."""
        read = self._readers.get(key)
        if read is None:
            read = self._readers[key] = reader(parse(bytes(key).decode()), self._schema)
        return records(read, bytes(payload), target, name)


def records(read, data, count, name):
    """Returns so many records, which data is made of."""
    out, at = [], 0
    try:
        for _ in range(count):
            value, at = read(data, at)
            out.append(value)
    except (IndexError, ValueError, OverflowError, ArithmeticError, RecursionError) as e:
        text = "its data is cut short" if isinstance(e, IndexError) else str(e)
        raise ValueError("%s: a record of Avro cannot be read: %s" % (name, text)) from None
    if at != len(data):
        raise ValueError("%s: a record of Avro cannot be read: %d bytes are left behind the last one" % (name, len(data) - at))
    return out


class AvroBulkWriters:
    """Writes container files, for FileSink.for_bulk_format.

    >>> from pyflink.datastream.connectors.file_system import FileSink
    >>> schema = AvroSchema.parse_string('{"type": "record", "name": "Word", "fields": [{"name": "word", "type": "string"}]}')
    >>> sink = FileSink.for_bulk_format("out", AvroBulkWriters.for_generic_record(schema)).build()
    """

    @staticmethod
    def for_generic_record(schema: AvroSchema) -> BulkWriterFactory:
        """Writes records of a schema: dicts, or Rows with as many fields."""
        if not isinstance(schema, AvroSchema):
            raise TypeError("expected an AvroSchema, got %r" % (schema,))
        factory = BulkWriterFactory()
        factory.plan = {"format": "avro", "schema": str(schema)}
        factory.encoder = lambda: _Block(schema._schema)
        return factory


class _Block:
    """Gathers records for a block."""

    def __init__(self, schema):
        self._write, self._data, self._count = writer(schema), bytearray(), 0

    def add(self, value):
        """Appends a record, and tells whether it is time to take what was gathered."""
        at = len(self._data)
        try:
            self._write(value, self._data)
        except (TypeError, ValueError, AttributeError, ArithmeticError) as e:
            del self._data[at:]
            raise ValueError("the record %.200r is not of the schema: %s" % (value, e)) from None
        self._count += 1
        return self._count >= _RECORDS or len(self._data) >= _BYTES

    def take(self):
        """Returns how many records were gathered and their bytes, and forgets them."""
        out = self._count, bytes(self._data)
        self._data.clear()
        self._count = 0
        return out


def _row_schema(record_class, avro_schema_string):
    if record_class is not None:
        raise TypeError("record_class names a class of the JVM; give the schema as avro_schema_string")
    if not isinstance(avro_schema_string, str):
        raise TypeError("a schema is needed, as avro_schema_string")
    schema = parse(avro_schema_string)
    if schema.kind != "record":
        raise ValueError("expected the schema of a record, got %s" % schema)
    return schema


_TYPES = {"boolean": Types.BOOLEAN, "int": Types.INT, "long": Types.LONG, "float": Types.FLOAT, "double": Types.DOUBLE, "string": Types.STRING,
          "enum": Types.STRING}


def type_info_of(schema):
    """Returns the type of a Row's field, or of the Row, that a schema stands for."""
    if schema.logical is not None:
        kind = schema.logical.partition("-")[0]
        return {"date": Types.SQL_DATE, "time": Types.SQL_TIME, "timestamp": Types.SQL_TIMESTAMP, "decimal": Types.BIG_DEC}[kind]()
    if schema.kind == "record":
        return Types.ROW_NAMED([f.name for f in schema.fields], [type_info_of(f.schema) for f in schema.fields])
    if schema.kind == "array":
        return Types.OBJECT_ARRAY(type_info_of(schema.items))
    if schema.kind == "map":
        return Types.MAP(Types.STRING(), type_info_of(schema.items))
    if schema.kind in ("bytes", "fixed"):
        return Types.PRIMITIVE_ARRAY(Types.BYTE())
    if schema.kind == "union":
        rest = [b for b in schema.branches if b.kind != "null"]
        return type_info_of(rest[0]) if len(rest) == 1 else Types.PICKLED_BYTE_ARRAY()
    return _TYPES[schema.kind]() if schema.kind in _TYPES else Types.PICKLED_BYTE_ARRAY()


def _to_row(schema):
    """Returns what makes Rows of dicts, times without zone of such in UTC; None where values are taken as they are."""
    if schema.kind == "union":
        rest = [(_to_row(b), b) for b in schema.branches if b.kind != "null"]
        if len(rest) == 1 or all(convert is None for convert, _ in rest):
            return rest[0][0] if rest else None

        def one(value):
            convert, _ = branch_of(rest, value) or (None, None)
            return value if convert is None else convert(value)

        return one
    if schema.logical is not None and schema.logical.startswith("timestamp"):
        return lambda v: None if v is None else v.replace(tzinfo=None)
    if schema.kind == "record":
        names = [f.name for f in schema.fields]
        fields = [(f.name, _to_row(f.schema)) for f in schema.fields]

        def row(value):
            if value is None:
                return None
            out = Row(*[value[n] if convert is None else convert(value[n]) for n, convert in fields])
            out.set_field_names(names)
            return out

        return row
    if schema.kind in ("array", "map"):
        convert = _to_row(schema.items)
        if convert is None:
            return None
        if schema.kind == "array":
            return lambda value: None if value is None else [convert(v) for v in value]
        return lambda value: None if value is None else {k: convert(v) for k, v in value.items()}
    return None


class AvroRowDeserializationSchema(DeserializationSchema):
    """Reads a message of Avro's binary encoding into a Row.

    >>> schema = AvroRowDeserializationSchema(avro_schema_string='{"type": "record", "name": "P", "fields": [{"name": "x", "type": "int"}]}')
    >>> schema.deserialize(bytes([14]))
    Row(x=7)
    """

    def __init__(self, record_class: str = None, avro_schema_string: str = None):
        schema = _row_schema(record_class, avro_schema_string)
        self.output_type = type_info_of(schema)
        self._read, self._row = reader(schema), _to_row(schema)

    def deserialize(self, data):
        """Returns the Row."""
        return self._row(records(self._read, bytes(data), 1, "message")[0])


class AvroRowSerializationSchema(SerializationSchema):
    """Writes a Row in Avro's binary encoding.

    >>> schema = AvroRowSerializationSchema(avro_schema_string='{"type": "record", "name": "P", "fields": [{"name": "x", "type": "int"}]}')
    >>> schema.serialize(Row(7))
    b'\\x0e'
    """

    def __init__(self, record_class: str = None, avro_schema_string: str = None):
        self._block = _Block(_row_schema(record_class, avro_schema_string))

    def serialize(self, element):
        """Returns the message's bytes."""
        self._block.add(element)
        return self._block.take()[1]
