"""Rows as lines of comma-separated values."""

import csv
import datetime
import decimal
import io

from ...common.row import Row
from ...common.serialization import DeserializationSchema, SerializationSchema
from ...common.typeinfo import BasicType, BasicTypeInfo, RowTypeInfo, SqlTimeTypeInfo, to_text

__all__ = ["CsvRowDeserializationSchema", "CsvRowSerializationSchema"]


class _Options:
    """What both builders take."""

    def __init__(self):
        self._delimiter, self._quote, self._escape, self._null, self._array, self._line = ",", '"', None, "", ";", "\n"

    def set_field_delimiter(self, delimiter):
        self._delimiter = delimiter
        return self

    def set_quote_character(self, c):
        self._quote = c
        return self

    def disable_quote_character(self):
        self._quote = None
        return self

    def set_escape_character(self, c):
        self._escape = c
        return self

    def set_null_literal(self, s):
        self._null = s
        return self

    def set_array_element_delimiter(self, delimiter):
        self._array = delimiter
        return self

    def set_line_delimiter(self, delimiter):
        self._line = delimiter
        return self

    def _dialect(self):
        return {"delimiter": self._delimiter, "quotechar": self._quote or None, "escapechar": self._escape, "lineterminator": self._line,
                "quoting": csv.QUOTE_MINIMAL if self._quote else csv.QUOTE_NONE}

    @staticmethod
    def _rows(type_info):
        if not isinstance(type_info, RowTypeInfo):
            raise TypeError("a row type is needed, as Types.ROW_NAMED(names, types), got %r" % (type_info,))
        return type_info


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


class CsvRowDeserializationSchema(DeserializationSchema):
    """Reads a line into a Row of the type's fields."""

    def __init__(self, type_info, builder):
        self.output_type = type_info
        self._names, self._builder = type_info.get_field_names(), builder
        array = builder._array
        self._readers = []
        for field in type_info.get_field_types():
            if hasattr(field, "_element_type"):
                read = _scalar(field._element_type)
                self._readers.append(lambda text, read=read: [read(part) for part in text.split(array)])
            else:
                self._readers.append(_scalar(field))

    def deserialize(self, data):
        """Returns the Row; None for a comment, an empty line, and with ignore_parse_errors for bad data."""
        text = bytes(data).decode()
        if not text.strip() or self._builder._comments and text.lstrip().startswith("#"):
            return None
        try:
            fields = next(csv.reader([text], strict=True, **self._builder._dialect()))
            if len(fields) != len(self._readers):
                raise ValueError("Row length mismatch. %d fields expected but was %d." % (len(self._readers), len(fields)))
            null = self._builder._null
            row = Row(*[None if f == null and not (null == "" and t == BasicTypeInfo(BasicType.STRING)) else read(f)
                        for f, read, t in zip(fields, self._readers, self.output_type.get_field_types())])
        except (ValueError, ArithmeticError, csv.Error) as e:
            if self._builder._ignore:
                return None
            raise ValueError("Failed to deserialize CSV row %r: %s" % (text[:200], e)) from None
        row.set_field_names(self._names)
        return row

    class Builder(_Options):
        def __init__(self, type_info):
            super().__init__()
            self._type_info, self._comments, self._ignore = self._rows(type_info), False, False

        def set_allow_comments(self, allow_comments):
            self._comments = allow_comments
            return self

        def set_ignore_parse_errors(self, ignore_parse_errors):
            self._ignore = ignore_parse_errors
            return self

        def build(self):
            return CsvRowDeserializationSchema(self._type_info, self)


class CsvRowSerializationSchema(SerializationSchema):
    """Writes a Row as a line."""

    def __init__(self, builder):
        self._builder = builder

    def serialize(self, element):
        builder, out = self._builder, io.StringIO()
        fields = [builder._null if v is None else builder._array.join(map(to_text, v)) if isinstance(v, (list, tuple)) else to_text(v) for v in element]
        csv.writer(out, **builder._dialect()).writerow(fields)
        return out.getvalue().encode()

    class Builder(_Options):
        def __init__(self, type_info):
            super().__init__()
            self._type_info = self._rows(type_info)

        def build(self):
            return CsvRowSerializationSchema(self)
