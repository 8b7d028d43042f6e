"""Parquet: files as sources and sinks, of records of Avro or of Rows. Columns of one value per row; lists, maps and records in records are
neither read nor written."""

import datetime
import json

from ...common.configuration import Configuration
from ...common.row import Row
from ...common.time import Instant
from ...common.typeinfo import Types
from ...table import RowType
from ..connectors.file_system import BulkFormat, BulkWriterFactory, RowDataBulkWriterFactory, StreamFormat
from .avro import AvroSchema, GenericRecordAvroTypeInfo
from .avro_data import default
from .columns import pack, to_plain, unpack

__all__ = ["AvroParquetReaders", "AvroParquetWriters", "ParquetBulkWriters", "ParquetColumnarRowInputFormat"]

# Rows that gather before they are handed over.
_ROWS = 4096

_OF_AVRO = {"boolean": "bool", "int": "int32", "long": "int64", "float": "float32", "double": "float64", "string": "utf8", "enum": "utf8", "bytes": "binary",
            "date": "date32", "time-millis": "time32[ms]", "time-micros": "time64[us]", "timestamp-millis": "timestamp[ms, UTC]",
            "timestamp-micros": "timestamp[us, UTC]"}
_OF_SQL = {"STRING": "utf8", "CHAR": "utf8", "VARCHAR": "utf8", "BOOLEAN": "bool", "BYTES": "binary", "BINARY": "binary", "VARBINARY": "binary",
           "TINYINT": "int8", "SMALLINT": "int16", "INT": "int32", "BIGINT": "int64", "FLOAT": "float32", "DOUBLE": "float64", "DATE": "date32",
           "TIME": "time32[ms]", "TIMESTAMP": "timestamp[us]", "TIMESTAMP_LTZ": "timestamp[us, UTC]"}


def _avro_column(field):
    """Returns the type of a field's column and whether it may be null."""
    schema, nullable = field.schema, False
    if schema.kind == "union":
        rest = [b for b in schema.branches if b.kind != "null"]
        if len(rest) != 1:
            raise TypeError("column %s: a union of %s is neither read from Parquet nor written to it" % (field.name, ", ".join(map(str, schema.branches))))
        schema = rest[0]
        nullable = True
    if schema.logical == "decimal":
        return "decimal128(%d, %d)" % (schema.precision, schema.scale), nullable
    name = _OF_AVRO.get(schema.logical or schema.kind)
    if name is None:
        raise TypeError("column %s: a value of type %s is neither read from Parquet nor written to it; write Avro, with AvroBulkWriters"
                        % (field.name, schema.kind))
    return name, nullable


def _sql_column(field):
    """Returns the type of a field's column."""
    data_type = field.data_type
    base = data_type._name.partition("(")[0].partition("<")[0]
    if base == "DECIMAL":
        return "decimal128" + data_type._name[len("DECIMAL"):]
    if base not in _OF_SQL:
        raise TypeError("column %s: a value of type %s is neither read from Parquet nor written to it" % (field.name, data_type))
    return _OF_SQL[base]


def _record_schema(schema):
    if not isinstance(schema, AvroSchema):
        raise TypeError("expected an AvroSchema, got %r" % (schema,))
    if schema._schema.kind != "record":
        raise TypeError("expected the schema of a record, got %s" % schema._schema)
    return schema._schema


class _Columns(StreamFormat, BulkFormat):
    """Reads columns by their names, and makes elements of them."""

    format = "parquet"

    def __init__(self, names, type_info, sensitive=True):
        self.plan = {"columns": names, "ignore_case": not sensitive}
        self.type_info, self._names, self._sensitive = type_info, names, sensitive

    def columns(self, payload, name, key):
        """Returns the columns' values, in order; None in place of one that the file has not."""
        there = json.loads(bytes(key))
        values = dict(zip((c if self._sensitive else c.lower() for c, _ in there), unpack([t for _, t in there], bytes(payload))))
        return [values.get(n if self._sensitive else n.lower()) for n in self._names]


class _Records(_Columns):
    def __init__(self, schema):
        self._fields = _record_schema(schema).fields
        for field in self._fields:
            if field.schema.kind != "null":
                _avro_column(field)
        super().__init__([f.name for f in self._fields], GenericRecordAvroTypeInfo(schema))

    def decode(self, payload, name, target, key):
        """Returns the records of a piece."""
        columns = self.columns(payload, name, key)
        for i, (field, values) in enumerate(zip(self._fields, columns)):
            if values is not None:
                continue
            if not field.has_default and field.schema.kind != "null" and not any(b.kind == "null" for b in field.schema.branches or ()):
                raise ValueError("%s: the file has no column %s, and the schema has no default for it" % (name, field.name))
            value = default(field.schema, field.default) if field.has_default else None
            columns[i] = [value] * target
        return [dict(zip(self._names, row)) for row in zip(*columns)]


class AvroParquetReaders:
    """Reads files of Parquet, each row into a dict of the fields of a schema of Avro. What is a logical type is a date, time, datetime or Decimal.

    >>> schema = AvroSchema.parse_string('{"type": "record", "name": "Word", "fields": [{"name": "word", "type": "string"}]}')
    >>> source = FileSource.for_record_stream_format(AvroParquetReaders.for_generic_record(schema), "words.parquet").build()
    """

    @staticmethod
    def for_generic_record(schema: AvroSchema) -> StreamFormat:
        """Reads records of a schema."""
        return _Records(schema)


class ParquetColumnarRowInputFormat(_Columns):
    """Reads files of Parquet, each row into a Row of a type's fields, by their names. A field that a file has not is None.

    >>> row_type = DataTypes.ROW([DataTypes.FIELD("word", DataTypes.STRING()), DataTypes.FIELD("count", DataTypes.BIGINT())])
    >>> source = FileSource.for_bulk_file_format(ParquetColumnarRowInputFormat(row_type), "words.parquet").build()
    """

    def __init__(
            self, row_type: RowType, hadoop_config: Configuration = None, batch_size: int = 2048, is_utc_timestamp: bool = False,
            is_case_sensitive: bool = True
    ):
        if not isinstance(row_type, RowType):
            raise TypeError("expected a row type, as DataTypes.ROW, got %r" % (row_type,))
        for field in row_type:
            _sql_column(field)
        super().__init__(row_type.field_names(), row_type.type_info(), is_case_sensitive)
        self._converts = [_instant if t == Types.INSTANT() else _naive if t == Types.SQL_TIMESTAMP() else None for t in self.type_info.get_field_types()]

    def decode(self, payload, name, target, key):
        """Returns the rows of a piece."""
        columns = []
        for values, convert in zip(self.columns(payload, name, key), self._converts):
            if values is None:
                values = [None] * target
            columns.append(values if convert is None else [convert(v) for v in values])
        out = []
        for values in zip(*columns):
            row = Row(*values)
            row.set_field_names(self._names)
            out.append(row)
        return out


def _instant(value):
    if not isinstance(value, datetime.datetime):
        return value
    micros = (value.replace(tzinfo=None) - datetime.datetime(1970, 1, 1)) // datetime.timedelta(microseconds=1)
    return Instant(micros // 1_000_000, micros % 1_000_000 * 1000)


def _naive(value):
    return value.replace(tzinfo=None) if isinstance(value, datetime.datetime) else value


class _Gather:
    """Gathers rows as columns."""

    def __init__(self, names, types, nullable, get):
        self._names, self._types, self._get, self._nullable = names, types, get, nullable
        self._converts = [to_plain(t) for t in types]
        self._rows = []

    def add(self, value):
        """Appends a row, and tells whether it is time to take what was gathered."""
        values, row = self._get(value), []
        if len(values) != len(self._names):
            raise ValueError("the row %.200r has %d values, expected %d" % (value, len(values), len(self._names)))
        for name, field, convert, nullable in zip(self._names, values, self._converts, self._nullable):
            if field is None and not nullable:
                raise ValueError("the row %.200r is not of the schema: column %s: it is None" % (value, name))
            try:
                row.append(None if field is None else convert(field))
            except (TypeError, ValueError, AttributeError, ArithmeticError) as e:
                raise ValueError("the row %.200r is not of the schema: column %s: %s" % (value, name, e)) from None
        self._rows.append(row)
        return len(self._rows) >= _ROWS

    def take(self):
        """Returns how many rows were gathered and their bytes, and forgets them."""
        rows, self._rows = self._rows, []
        if not rows:
            return 0, b""
        try:
            return len(rows), pack(list(zip(self._types, zip(*rows))))
        except OverflowError as e:
            raise ValueError("a number is too large for its column: %s" % e) from None


def _writes(factory, names, types, nullable, get):
    factory.plan = {"format": "parquet", "columns": [[n, t + ("" if null else "!")] for n, t, null in zip(names, types, nullable)]}
    factory.encoder = lambda: _Gather(names, types, nullable, get)
    return factory


class AvroParquetWriters:
    """Writes files of Parquet, for FileSink.for_bulk_format, of records of Avro.

    >>> schema = AvroSchema.parse_string('{"type": "record", "name": "Word", "fields": [{"name": "word", "type": "string"}]}')
    >>> sink = FileSink.for_bulk_format("out", AvroParquetWriters.for_generic_record(schema)).build()
    """

    @staticmethod
    def for_generic_record(schema: AvroSchema) -> BulkWriterFactory:
        """Writes records of a schema: dicts."""
        fields = [f for f in _record_schema(schema).fields if f.schema.kind != "null"]
        columns = [_avro_column(f) for f in fields]

        def get(value):
            if not isinstance(value, dict):
                raise TypeError("expected a record as a dict, got %s" % type(value).__name__)
            return [value[f.name] if f.name in value else default(f.schema, f.default) if f.has_default else None for f in fields]

        return _writes(BulkWriterFactory(), [f.name for f in fields], [c[0] for c in columns], [c[1] for c in columns], get)


class ParquetBulkWriters:
    """Writes files of Parquet, for FileSink.for_bulk_format, of Rows.

    >>> row_type = DataTypes.ROW([DataTypes.FIELD("word", DataTypes.STRING()), DataTypes.FIELD("count", DataTypes.BIGINT())])
    >>> sink = FileSink.for_bulk_format("out", ParquetBulkWriters.for_row_type(row_type)).build()
    """

    @staticmethod
    def for_row_type(row_type: RowType, hadoop_config: Configuration = None, utc_timestamp: bool = False) -> BulkWriterFactory:
        """Writes rows of a type. Times without zone are written as such, whatever utc_timestamp says: the sandbox's clock has no zone."""
        if not isinstance(row_type, RowType):
            raise TypeError("expected a row type, as DataTypes.ROW, got %r" % (row_type,))
        return _writes(RowDataBulkWriterFactory(row_type), row_type.field_names(), [_sql_column(f) for f in row_type],
                       [f.data_type._nullable for f in row_type], list)
