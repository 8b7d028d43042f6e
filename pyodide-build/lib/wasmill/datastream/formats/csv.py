"""Rows as lines of comma-separated values: schemas of messages, and formats of files."""

import csv
import datetime
import decimal

from ...common.row import Row
from ...common.serialization import DeserializationSchema, SerializationSchema
from ...common.typeinfo import BasicType, BasicTypeInfo, RowTypeInfo, SqlTimeTypeInfo, TypeInformation
from ...table import DataType, DataTypes, RowType
from ..connectors.file_system import BulkWriterFactory, RowDataBulkWriterFactory, StreamFormat
from ..sinks import lines

__all__ = [
    "CsvBulkWriters", "CsvReaderFormat", "CsvRowDeserializationSchema", "CsvRowSerializationSchema", "CsvSchema", "CsvSchemaBuilder",
]

# A text longer than this is quoted without a look at it.
_LOOK = 24


class _Dialect:
    """How lines are written: what separates fields and elements, quotes, escapes, what stands for null."""

    def __init__(self):
        self.delimiter, self.quote, self.escape, self.null, self.array, self.line = ",", '"', None, "", ";", "\n"
        self.comments = False

    def split(self, text):
        """Returns the fields of a line."""
        return next(csv.reader([text], delimiter=self.delimiter, quotechar=self.quote or None, escapechar=self.escape, strict=True,
                               quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE))

    def is_comment(self, text):
        return self.comments and text.lstrip().startswith("#")

    def field(self, text):
        """Returns a text as a field: in quotes when it is long or has a character that is not beyond those of the dialect, as Flink's
        writer does."""
        quote, escape = self.quote, self.escape
        if quote is None:
            return text
        bound = max(self.delimiter, quote, self.line[-1:])
        if len(text) <= _LOOK and all(c > bound and c != escape for c in text):
            return text
        if escape is not None:
            text = text.replace(escape, escape + escape)
        return quote + text.replace(quote, quote + quote) + quote

    def writers(self, types, separators):
        """Returns what writes each field of a row."""
        return [self._writer(info, self.array if separator is None else separator) for info, separator in zip(types, separators)]

    def _writer(self, info, separator):
        if isinstance(info, RowTypeInfo):
            texts = [t.text() for t in info.get_field_types()]
            return lambda row: self.field(separator.join(["" if v is None else text(v) for text, v in zip(texts, row)]))
        if hasattr(info, "_element_type"):
            text = info._element_type.text()
            return lambda values: self.field(separator.join(["" if v is None else text(v) for v in values]))
        if info == BasicTypeInfo(BasicType.STRING):
            return self.field
        return info.text()

    def joined(self, values, writers):
        """Returns the line of a row, without its end."""
        return self.delimiter.join([self.null if value is None else write(value) for value, write in zip(values, writers)])


class _Options:
    """What both builders of schemas take."""

    def __init__(self, type_info):
        if type_info is None:
            raise TypeError("Type information must not be None")
        if not isinstance(type_info, RowTypeInfo):
            raise TypeError("a row type is needed, as Types.ROW_NAMED(names, types), got %r" % (type_info,))
        self._type_info, self._dialect = type_info, _Dialect()

    def set_field_delimiter(self, delimiter: str):
        """Sets what separates fields: a comma, where nothing else is said."""
        self._dialect.delimiter = delimiter
        return self

    def set_quote_character(self, c: str):
        """Sets what is around text that has delimiters: a double quote, where nothing else is said."""
        self._dialect.quote = c
        return self

    def set_escape_character(self, c: str):
        """Sets what takes a character's meaning; none, where nothing is said."""
        self._dialect.escape = c
        return self

    def set_null_literal(self, null_literal: str):
        """Sets what stands for null: nothing, where nothing else is said."""
        self._dialect.null = null_literal
        return self

    def set_array_element_delimiter(self, delimiter: str):
        """Sets what separates the elements of a list: a semicolon, where nothing else is said."""
        self._dialect.array = delimiter
        return self


def _scalar(info):
    if isinstance(info, SqlTimeTypeInfo):
        return {"SqlDate": datetime.date.fromisoformat, "SqlTime": datetime.time.fromisoformat,
                "SqlTimestamp": lambda v: datetime.datetime.fromisoformat(v.replace("T", " "))}[info._name]
    if isinstance(info, BasicTypeInfo):
        basic = info._basic_type
        if basic in (BasicType.STRING, BasicType.CHAR):
            return lambda text: text
        if basic == BasicType.BIG_DEC:
            return lambda text: decimal.Decimal(text.strip())
        if basic == BasicType.BOOLEAN:
            return lambda text: text.strip().lower() == "true"
        if basic in (BasicType.FLOAT, BasicType.DOUBLE):
            return lambda text: float(text.strip())
        return lambda text: int(text.strip())
    raise TypeError("CSV has no values of type %s" % info)


def _reader(info, separator):
    """Returns what makes a value of a field's text."""
    if isinstance(info, RowTypeInfo):
        readers = [_scalar(t) for t in info.get_field_types()]
        names = info.get_field_names()

        def nested(text):
            row = Row(*[read(part) for read, part in zip(readers, text.split(separator))])
            row.set_field_names(names)
            return row

        return nested
    if hasattr(info, "_element_type"):
        read = _scalar(info._element_type)
        return lambda text: [read(part) for part in text.split(separator)] if text else []
    return _scalar(info)


class _Lines:
    """Makes rows of lines."""

    def __init__(self, type_info, dialect, separators):
        self.names, self.dialect = type_info.get_field_names(), dialect
        types = type_info.get_field_types()
        self.readers = [_reader(t, separator) for t, separator in zip(types, separators)]
        self.texts = [t == BasicTypeInfo(BasicType.STRING) for t in types]

    def row(self, text):
        """Returns the row of a line. Raises ValueError."""
        try:
            fields = self.dialect.split(text)
        except csv.Error as e:
            raise ValueError(str(e)) from None
        if len(fields) != len(self.readers):
            raise ValueError("Row length mismatch. %d fields expected but was %d." % (len(self.readers), len(fields)))
        null = self.dialect.null
        try:
            row = Row(*[None if f == null and not (is_text and null == "") else read(f) for f, read, is_text in zip(fields, self.readers, self.texts)])
        except ArithmeticError:
            raise ValueError("a field is no number") from None
        row.set_field_names(self.names)
        return row


class CsvRowDeserializationSchema(DeserializationSchema):
    """Reads a line into a Row of the type's fields.

    >>> from pyflink.common import Types
    >>> schema = CsvRowDeserializationSchema.Builder(Types.ROW_NAMED(["id", "name"], [Types.INT(), Types.STRING()])).build()
    >>> schema.deserialize(b'1,"a, b"')
    Row(id=1, name='a, b')
    """

    def __init__(self, type_info, dialect, ignore_parse_errors):
        self.output_type = type_info
        self._lines = _Lines(type_info, dialect, [dialect.array] * len(type_info.get_field_types()))
        self._ignore = ignore_parse_errors

    def deserialize(self, data):
        """Returns the Row; None for a comment, an empty line, and with ignore_parse_errors for bad data."""
        text = bytes(data).decode().rstrip("\r\n")
        if not text.strip() or self._lines.dialect.is_comment(text):
            return None
        try:
            return self._lines.row(text)
        except ValueError as e:
            if self._ignore:
                return None
            raise ValueError("Failed to deserialize CSV row %r: %s" % (text[:200], e)) from None

    class Builder(_Options):
        """Builds a CsvRowDeserializationSchema of a row type."""

        def __init__(self, type_info: TypeInformation):
            super().__init__(type_info)
            self._ignore = False

        def set_allow_comments(self, allow_comments: bool):
            """Passes over lines that begin with #."""
            self._dialect.comments = allow_comments
            return self

        def set_ignore_parse_errors(self, ignore_parse_errors: bool):
            """Leaves bad lines out, in place of failing."""
            self._ignore = ignore_parse_errors
            return self

        def build(self) -> "CsvRowDeserializationSchema":
            """Returns the schema."""
            return CsvRowDeserializationSchema(self._type_info, self._dialect, self._ignore)


class CsvRowSerializationSchema(SerializationSchema):
    """Writes a Row as a line.

    >>> from pyflink.common import Row, Types
    >>> CsvRowSerializationSchema.Builder(Types.ROW([Types.INT(), Types.STRING()])).build().serialize(Row(1, "a, b"))
    b'1,"a, b"\\n'
    """

    def __init__(self, type_info, dialect):
        types = type_info.get_field_types()
        self._dialect, self._writers = dialect, dialect.writers(types, [None] * len(types))

    def serialize(self, element):
        """Returns the line, with its end."""
        return (self._dialect.joined(element, self._writers) + self._dialect.line).encode()

    class Builder(_Options):
        """Builds a CsvRowSerializationSchema of a row type."""

        def set_field_delimiter(self, c: str):
            """Sets what separates fields: a comma, where nothing else is said."""
            return super().set_field_delimiter(c)

        def set_null_literal(self, s: str):
            """Sets what stands for null: nothing, where nothing else is said."""
            return super().set_null_literal(s)

        def set_line_delimiter(self, delimiter: str):
            """Sets what ends a line: a line feed, where nothing else is said."""
            self._dialect.line = delimiter
            return self

        def disable_quote_character(self):
            """Writes text without quotes."""
            self._dialect.quote = None
            return self

        def build(self) -> "CsvRowSerializationSchema":
            """Returns the schema."""
            return CsvRowSerializationSchema(self._type_info, self._dialect)


class CsvSchema:
    """The columns of a CSV file, and how its lines are written.

    >>> schema = CsvSchema.builder().add_number_column("id", DataTypes.INT()).add_string_column("name").set_column_separator("|").build()
    >>> len(schema), schema.get_type_info()
    (2, RowTypeInfo(id: Integer, name: String))
    """

    def __init__(self, row_type: RowType, dialect, separators, header, strict, skip):
        self._row_type, self._dialect, self._separators = row_type, dialect, separators
        self._header, self._strict, self._skip = header, strict, skip

    @staticmethod
    def builder() -> "CsvSchemaBuilder":
        """Begins a schema."""
        return CsvSchemaBuilder()

    def get_type_info(self) -> TypeInformation:
        """Returns the type of the rows."""
        return self._row_type.type_info()

    def size(self) -> int:
        """Returns how many columns there are."""
        return len(self._row_type)

    __len__ = size

    def __str__(self):
        return "CsvSchema(%s)" % ", ".join(map(str, self._row_type))

    __repr__ = __str__


class CsvSchemaBuilder:
    """Builds a CsvSchema, column by column."""

    def __init__(self):
        self._fields, self._separators, self._dialect = [], [], _Dialect()
        self._header = self._strict = self._skip = False

    def _column(self, name, data_type, separator=None):
        self._fields.append(DataTypes.FIELD(name, data_type))
        self._separators.append(separator)
        return self

    def add_array_column(self, name: str, separator: str = ";", element_type: DataType = DataTypes.STRING()) -> "CsvSchemaBuilder":
        """Adds a column of lists, whose elements a separator is between."""
        return self._column(name, DataTypes.ARRAY(element_type), separator)

    def add_boolean_column(self, name: str) -> "CsvSchemaBuilder":
        """Adds a column of true and false."""
        return self._column(name, DataTypes.BOOLEAN())

    def add_number_column(self, name: str, number_type: DataType = DataTypes.BIGINT()) -> "CsvSchemaBuilder":
        """Adds a column of numbers."""
        return self._column(name, number_type)

    def add_string_column(self, name: str) -> "CsvSchemaBuilder":
        """Adds a column of text."""
        return self._column(name, DataTypes.STRING())

    def add_columns_from(self, schema: CsvSchema) -> "CsvSchemaBuilder":
        """Adds the columns of another schema."""
        self._fields.extend(schema._row_type.fields)
        self._separators.extend(schema._separators)
        return self

    def clear_columns(self):
        """Removes all columns."""
        self._fields, self._separators = [], []
        return self

    def set_allow_comments(self, allow: bool = True):
        """Passes over lines that begin with #."""
        self._dialect.comments = allow
        return self

    def set_any_property_name(self, name: str):
        """Refuses: what is beyond the columns of a schema has no place in its rows."""
        raise TypeError("set_any_property_name: rows have the columns of their schema and no others; add a column")

    def disable_array_element_separator(self):
        """Takes lists for one element each."""
        return self.set_array_element_separator("")

    def remove_array_element_separator(self, index: int):
        """Takes the lists of a column for one element each."""
        self._separators[index] = ""
        return self

    def set_array_element_separator(self, separator: str):
        """Sets what is between elements where the column does not say."""
        self._dialect.array = separator
        return self

    def _one(self, what, char):
        if len(char) != 1:
            raise ValueError("%s must be a single char, got %s" % (what, char))
        return char

    def set_column_separator(self, char: str):
        """Sets what separates columns: a comma, where nothing else is said."""
        self._dialect.delimiter = self._one("Column separator", char)
        return self

    def disable_escape_char(self):
        """Lets no character take another's meaning."""
        self._dialect.escape = None
        return self

    def set_escape_char(self, char: str):
        """Sets what takes a character's meaning."""
        self._dialect.escape = self._one("Escape char", char)
        return self

    def set_line_separator(self, separator: str):
        """Sets what ends a line; files that are written have line feeds."""
        self._dialect.line = separator
        return self

    def set_null_value(self, null_value: str):
        """Sets what stands for null."""
        self._dialect.null = null_value
        return self

    def disable_quote_char(self):
        """Reads and writes text without quotes."""
        self._dialect.quote = None
        return self

    def set_quote_char(self, char: str):
        """Sets what is around text that has separators."""
        self._dialect.quote = self._one("Quote char", char)
        return self

    def set_skip_first_data_row(self, skip: bool = True):
        """Passes over the first line, or with a header over the one behind it."""
        self._skip = skip
        return self

    def set_strict_headers(self, strict: bool = True):
        """Fails when the header is not that of the columns."""
        self._strict = strict
        return self

    def set_use_header(self, use: bool = True):
        """Takes the first line of each file for a header."""
        self._header = use
        return self

    def build(self) -> CsvSchema:
        """Returns the schema."""
        return CsvSchema(DataTypes.ROW(self._fields), self._dialect, list(self._separators), self._header, self._strict, self._skip)

    def size(self) -> int:
        """Returns how many columns there are so far."""
        return len(self._fields)

    __len__ = size


class CsvReaderFormat(StreamFormat):
    """Reads files of CSV, each line into a Row of the schema's columns.

    >>> from pyflink.datastream.connectors.file_system import FileSource
    >>> schema = CsvSchema.builder().add_string_column("name").add_number_column("count").set_use_header().build()
    >>> source = FileSource.for_record_stream_format(CsvReaderFormat.for_schema(schema), "counts.csv").build()
    """

    format = "lines"

    def __init__(self, schema):
        self._schema = schema
        self.type_info = schema.get_type_info()
        dialect = schema._dialect
        self._lines = _Lines(self.type_info, dialect, [dialect.array if s is None else s for s in schema._separators])
        self._scales = [(i, decimal.Decimal(1).scaleb(-t._scale)) for i, t in enumerate(schema._row_type.field_types()) if t._scale is not None]
        self._convert = self.type_info.converter()
        self.parallel = not (schema._header or schema._skip)  # the first line is the first in one place alone
        self._skipped = {}  # lines to skip yet, by file

    @staticmethod
    def for_schema(schema: CsvSchema) -> "CsvReaderFormat":
        """Reads files of a schema."""
        return CsvReaderFormat(schema)

    def decode(self, payload, name, target, key):
        """Returns the rows of a piece of a file. With target 0 it is the first; a job that goes on begins in the middle, behind the header."""
        out, schema = [], self._schema
        skip = schema._header + schema._skip if target == 0 else self._skipped.get(name, 0)
        for text in lines(payload, "utf-8"):
            if not text.strip() or schema._dialect.is_comment(text):
                continue
            if skip:
                if schema._header and skip == schema._header + schema._skip:
                    self._check_header(text)
                skip -= 1
                continue
            try:
                row = self._lines.row(text)
            except ValueError as e:
                raise ValueError("%s: Failed to deserialize CSV row %r: %s" % (name, text[:200], e)) from None
            for i, unit in self._scales:
                if row[i] is not None:
                    row[i] = row[i].quantize(unit, decimal.ROUND_HALF_UP)
            out.append(self._convert(row))
        self._skipped[name] = skip
        return out

    def _check_header(self, text):
        if self._schema._strict:
            header = [field.strip() for field in self._schema._dialect.split(text)]
            if header != self._lines.names:
                raise ValueError("expected the header %s, got %s" % (", ".join(self._lines.names), ", ".join(header)))


class CsvBulkWriters:
    """Writes files of CSV, for FileSink.for_bulk_format.

    >>> from pyflink.datastream.connectors.file_system import FileSink
    >>> schema = CsvSchema.builder().add_string_column("name").add_number_column("count").build()
    >>> sink = FileSink.for_bulk_format("out", CsvBulkWriters.for_schema(schema)).build()
    """

    @staticmethod
    def for_schema(schema: CsvSchema) -> BulkWriterFactory:
        """Writes rows of a schema."""
        factory = RowDataBulkWriterFactory(schema._row_type)
        writers = schema._dialect.writers(schema.get_type_info().get_field_types(), schema._separators)
        factory.plan = {"format": "lines"}
        factory.text = lambda row: schema._dialect.joined(row, writers)
        return factory
