"""Types: what a stream's elements are.

A type checks and converts values where a stream declares it, and writes them as PyFlink's sinks do. A stream without a
declared type carries Python objects as they are.
"""

import datetime
import decimal
import struct
from enum import Enum
from typing import List

from .row import Row, _restore
from .time import Instant

__all__ = [
    "BasicArrayTypeInfo", "BasicType", "BasicTypeInfo", "DateTypeInfo", "InstantTypeInfo", "ListTypeInfo",
    "LocalTimeTypeInfo", "MapTypeInfo",
    "ObjectArrayTypeInfo", "PickledBytesTypeInfo", "PrimitiveArrayTypeInfo", "RowTypeInfo", "SqlTimeTypeInfo", "TimeTypeInfo",
    "TupleTypeInfo", "TypeInformation", "Types",
]


class TypeInformation:
    """The base of all types. Two types are equal when they describe the same values."""

    def converter(self):
        """Returns a function that makes a value of this type out of what a function returned, or None when values are
        taken as they are. It raises TypeError, ValueError or OverflowError for a value that does not fit."""
        return None

    def _test(self, v):
        """Returns the source of an expression that is true when the value in the variable v is one that the converter would return as it
        is; None when that takes more than a look."""
        return None

    def text(self):
        """Returns a function that writes a value as a sink of text does."""
        return _own_text(self) or to_text

    def _text_source(self, v):
        """Returns the source of an expression that is true when the value in the variable v is one that most are, and the inside of an
        f-string that writes such a one as text() does; None when the type has none."""
        return None

    def need_conversion(self):
        """Tells whether values are converted for the JVM: no."""
        return False

    def to_internal_type(self, obj):
        """Returns the value."""
        return obj

    def from_internal_type(self, obj):
        """Returns the value."""
        return obj

    def get_java_type_info(self):
        """There is no JVM here; the type stands for itself."""
        return self

    def _signature(self):
        return ()

    def __eq__(self, other):
        return self.__class__ is other.__class__ and self._signature() == other._signature()

    def __hash__(self):
        return hash((self.__class__.__name__, str(self)))

    def __repr__(self):
        return str(self)


def to_text(value):
    """Writes a value of a declared type: null for None, true and false, lists and maps as a sink prints them."""
    kind = type(value)
    if kind is str:
        return value
    if kind is int:
        return str(value)
    if kind is tuple:
        # Most of what sinks write is a tuple of these two.
        return "(%s)" % ",".join([v if type(v) is str else str(v) if type(v) is int else to_text(v) for v in value])
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if kind is float:
        return _float_text(value)
    if isinstance(value, Row):
        return "%s[%s]" % (value.get_row_kind(), ", ".join(map(to_text, value)))
    if isinstance(value, (list, tuple)):
        return "[%s]" % ", ".join(map(to_text, value))
    if isinstance(value, dict):
        return "{%s}" % ", ".join("%s=%s" % (to_text(k), to_text(v)) for k, v in value.items())
    if isinstance(value, (bytes, bytearray)):
        return "[%s]" % ", ".join(str(b - 256 if b > 127 else b) for b in value)
    if kind is datetime.time:
        return value.strftime("%H:%M:%S")
    if kind is datetime.datetime:
        text = value.strftime("%Y-%m-%d %H:%M:%S")
        fraction = ("%06d" % value.microsecond).rstrip("0")
        return "%s.%s" % (text, fraction or "0")
    return str(value)


def _float_text(value):
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        text = repr(value)
        if "e" in text:
            text = format(decimal.Decimal(text), "f")
        return text if "." in text else text + ".0"
    digits, _, exponent = repr(value).partition("e")
    if not exponent:
        sign, figures, power = decimal.Decimal(repr(value)).as_tuple()
        figures = "".join(map(str, figures))
        power += len(figures) - 1
        figures = figures.rstrip("0") or "0"
        digits = ("-" if sign else "") + figures[0] + "." + (figures[1:] or "0")
        exponent = str(power)
    elif "." not in digits:
        digits += ".0"
    return "%sE%d" % (digits, int(exponent))


def _single_text(value):
    """Writes a number of single precision with no more digits than tell it from its neighbours."""
    if value is None:
        return "null"
    for digits in range(6, 9):
        short = float("%.*g" % (digits, value))
        if _single(short) == value:
            return _float_text(short)
    return _float_text(float("%.9g" % value))


def _own_text(info):
    """Returns what writes values of a type that has numbers of single precision in it, or None: to_text does the others."""
    if isinstance(info, BasicTypeInfo):
        return _single_text if info._basic_type == BasicType.FLOAT else None
    if isinstance(info, (RowTypeInfo, TupleTypeInfo)):
        texts = [_own_text(t) for t in info.get_field_types()]
        if not any(texts):
            return None
        texts = [text or to_text for text in texts]
        if isinstance(info, TupleTypeInfo):
            return lambda value: "null" if value is None else "(%s)" % ",".join([text(v) for text, v in zip(texts, value)])
        return lambda value: "null" if value is None else "%s[%s]" % (value.get_row_kind(), ", ".join([text(v) for text, v in zip(texts, value)]))
    if isinstance(info, _Sequence):
        text = _own_text(info._element_type)
        return text and (lambda value: "null" if value is None else "[%s]" % ", ".join(map(text, value)))
    if isinstance(info, MapTypeInfo):
        key, own = _own_text(info._key_type_info) or to_text, _own_text(info._value_type_info)
        return own and (lambda value: "null" if value is None else "{%s}" % ", ".join("%s=%s" % (key(k), own(v)) for k, v in value.items()))
    return None


# What to_text writes as str does.
_PLAIN = {"String": "str", "Integer": "int", "Long": "int"}


def wrapping(info):
    """Returns a function that cuts numbers of a type to its bits, as Flink does with the elements of a collection; None for types
    that have no numbers of fewer than 64 bits."""
    if isinstance(info, BasicTypeInfo):
        bits = {BasicType.BYTE: 8, BasicType.SHORT: 16, BasicType.INT: 32}.get(info._basic_type)
        if bits is None:
            return None
        half, mask = 1 << (bits - 1), (1 << bits) - 1
        return lambda value: ((value + half) & mask) - half if type(value) is int else value
    if not isinstance(info, (RowTypeInfo, TupleTypeInfo)):
        return None
    cuts = [wrapping(t) for t in info.get_field_types()]
    if not any(cuts):
        return None

    def cut(value):
        if not isinstance(value, (tuple, list, Row)) or len(value) != len(cuts):
            return value
        fields = [v if c is None else c(v) for c, v in zip(cuts, value)]
        if not isinstance(value, Row):
            return tuple(fields)
        row = Row.of_kind(value.get_row_kind(), *fields)
        if value.get_field_names() is not None:
            row.set_field_names(value.get_field_names())
        return row

    return cut


def _integers(name, bits):
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1

    def convert(value):
        if value is None or type(value) is int and low <= value <= high:
            return value
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise TypeError("expected %s, got %s" % (name, _named(value)))
        value = value.__index__()
        if not low <= value <= high:
            raise OverflowError("%d does not fit into %s (%d bits)" % (value, name, bits))
        return value

    return convert


def _instances(name, *classes):
    def convert(value):
        if value is None or isinstance(value, classes):
            return value
        raise TypeError("expected %s, got %s" % (name, _named(value)))

    return convert


def _named(value):
    text = repr(value)
    return "%s: %s" % (type(value).__name__, text if len(text) <= 80 else text[:77] + "...")


def _single(value):
    return value if value is None else struct.unpack("f", struct.pack("f", value))[0]


def _double(value):
    if value is None or type(value) is float:
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    raise TypeError("expected Double, got %s" % _named(value))


def _float(value):
    return _single(_double(value))


def _boolean(value):
    if value is None or type(value) is bool:
        return value
    raise TypeError("expected Boolean, got %s" % _named(value))


class BasicType:
    """The names of the basic types."""

    STRING = "String"
    BYTE = "Byte"
    BOOLEAN = "Boolean"
    SHORT = "Short"
    INT = "Integer"
    LONG = "Long"
    FLOAT = "Float"
    DOUBLE = "Double"
    CHAR = "Character"
    BIG_INT = "BigInteger"
    BIG_DEC = "BigDecimal"
    INSTANT = "Instant"


_CONVERTERS = {
    BasicType.STRING: _instances("String", str),
    BasicType.BYTE: _integers("Byte", 8),
    BasicType.BOOLEAN: _boolean,
    BasicType.SHORT: _integers("Short", 16),
    BasicType.INT: _integers("Integer", 32),
    BasicType.LONG: _integers("Long", 64),
    BasicType.FLOAT: _float,
    BasicType.DOUBLE: _double,
    BasicType.CHAR: _instances("Character", str),
    BasicType.BIG_INT: _instances("BigInteger", int),
    BasicType.BIG_DEC: _instances("BigDecimal", decimal.Decimal, int),
    BasicType.INSTANT: _instances("Instant", Instant),
}


class BasicTypeInfo(TypeInformation):
    """A number, text, boolean or instant."""

    def __init__(self, basic_type):
        self._basic_type = basic_type

    def converter(self):
        return _CONVERTERS[self._basic_type]

    def _test(self, v):
        exact = _EXACT.get(self._basic_type)
        if exact is None:
            return None
        test, bits = "type(%s) is %s" % (v, exact.__name__), _BITS.get(self._basic_type)
        return test if bits is None else "%s and -%d <= %s < %d" % (test, 1 << (bits - 1), v, 1 << (bits - 1))

    def _text_source(self, v):
        plain = _PLAIN.get(self._basic_type)
        return plain and ("type(%s) is %s" % (v, plain), "{%s}" % v)

    def _signature(self):
        return self._basic_type

    def __str__(self):
        return self._basic_type


def _maker(name):
    def make():
        return BasicTypeInfo(getattr(BasicType, name))

    make.__name__, make.__qualname__, make.__doc__ = name + "_TYPE_INFO", "BasicTypeInfo.%s_TYPE_INFO" % name, "Returns the type Types.%s()." % name
    return staticmethod(make)


for _name in ("STRING", "BYTE", "BOOLEAN", "SHORT", "INT", "LONG", "FLOAT", "DOUBLE", "CHAR", "BIG_INT", "BIG_DEC", "INSTANT"):
    setattr(BasicTypeInfo, _name + "_TYPE_INFO", _maker(_name))

InstantTypeInfo = BasicTypeInfo


class SqlTimeTypeInfo(TypeInformation):
    """A date, a time of day or a timestamp without zone."""

    _CLASSES = {"SqlDate": datetime.date, "SqlTime": datetime.time, "SqlTimestamp": datetime.datetime}

    def __init__(self, name):
        self._name = name

    def converter(self):
        return _instances(self._name, self._CLASSES[self._name])

    def _signature(self):
        return self._name

    def __str__(self):
        return self._name + "TypeInfo"

    @staticmethod
    def DATE():
        """A datetime.date."""
        return SqlTimeTypeInfo("SqlDate")

    @staticmethod
    def TIME():
        """A datetime.time."""
        return SqlTimeTypeInfo("SqlTime")

    @staticmethod
    def TIMESTAMP():
        """A datetime.datetime."""
        return SqlTimeTypeInfo("SqlTimestamp")


DateTypeInfo = TimeTypeInfo = TimestampTypeInfo = SqlTimeTypeInfo


class LocalTimeTypeInfo(TypeInformation):
    """A date, a time of day or both, of no zone."""

    class TimeType(Enum):
        """Which of them."""

        LOCAL_DATE = 0
        LOCAL_TIME = 1
        LOCAL_DATE_TIME = 2

    def __init__(self, time_type):
        self._time_type = time_type

    def converter(self):
        kinds = {self.TimeType.LOCAL_DATE: datetime.date, self.TimeType.LOCAL_TIME: datetime.time, self.TimeType.LOCAL_DATE_TIME: datetime.datetime}
        return _instances(self._time_type.name, kinds[self._time_type])

    def text(self):
        return _local_text

    def _signature(self):
        return self._time_type

    def __str__(self):
        return "LocalTimeTypeInfo<%s>" % self._time_type.name


def _local_text(value):
    """Writes a local time as Java does: without seconds where they are 0, and a fraction of 3, 6 or 9 digits."""
    if value is None:
        return "null"
    if not isinstance(value, (datetime.datetime, datetime.time)):
        return str(value)
    text = value.strftime("%Y-%m-%dT%H:%M" if isinstance(value, datetime.datetime) else "%H:%M")
    if value.second or value.microsecond:
        text += ":%02d" % value.second
    if value.microsecond:
        text += ".%06d" % value.microsecond if value.microsecond % 1000 else ".%03d" % (value.microsecond // 1000)
    return text


class PickledBytesTypeInfo(TypeInformation):
    """Any Python object."""

    def text(self):
        return _object_text

    def __str__(self):
        return "PickledByteArrayTypeInfo"


def _object_text(value):
    return value if type(value) is str else str(value)


class _Sequence(TypeInformation):
    """Values of one type in a row."""

    def __init__(self, element_type):
        self._element_type = element_type

    def converter(self):
        element = self._element_type.converter()

        def convert(value):
            if value is None:
                return None
            if isinstance(value, (str, dict)) or not hasattr(value, "__iter__"):
                raise TypeError("expected %s, got %s" % (self, _named(value)))
            return list(value) if element is None else [element(v) for v in value]

        return convert

    def _signature(self):
        return self._element_type

    def __str__(self):
        return "%s<%s>" % (self.__class__.__name__, self._element_type)


class PrimitiveArrayTypeInfo(_Sequence):
    """An array of numbers, without nulls; of bytes it is a byte string."""

    def converter(self):
        if self._element_type == Types.BYTE():
            return _instances("bytes", bytes, bytearray)
        return super().converter()


class BasicArrayTypeInfo(_Sequence):
    """An array of basic values or nulls."""


class ObjectArrayTypeInfo(_Sequence):
    """An array of values of any type."""


class ListTypeInfo(_Sequence):
    """A list."""

    @property
    def elem_type(self):
        return self._element_type


class MapTypeInfo(TypeInformation):
    """A dict of keys of one type to values of one type."""

    def __init__(self, key_type_info, value_type_info):
        self._key_type_info = key_type_info
        self._value_type_info = value_type_info

    def converter(self):
        key, value = self._key_type_info.converter() or _same, self._value_type_info.converter() or _same

        def convert(mapping):
            if mapping is None:
                return None
            if not isinstance(mapping, dict):
                raise TypeError("expected %s, got %s" % (self, _named(mapping)))
            return {key(k): value(v) for k, v in mapping.items()}

        return convert

    def _signature(self):
        return self._key_type_info, self._value_type_info

    def __str__(self):
        return "MapTypeInfo<%s, %s>" % (self._key_type_info, self._value_type_info)


def _same(value):
    return value


# Types whose values are of one class and taken as they are, where numbers have so many bits.
_EXACT = {
    BasicType.STRING: str, BasicType.BYTE: int, BasicType.BOOLEAN: bool, BasicType.SHORT: int, BasicType.INT: int, BasicType.LONG: int,
    BasicType.DOUBLE: float, BasicType.CHAR: str, BasicType.BIG_INT: int,
}
_BITS = {BasicType.BYTE: 8, BasicType.SHORT: 16, BasicType.INT: 32, BasicType.LONG: 64}


def _tests(types, v):
    """Returns the source of an expression that tells of the list or tuple in the variable v whether its values are of these types and taken as
    they are; None when there is a type whose values need more than a look."""
    tests = [t._test("%s[%d]" % (v, i)) for i, t in enumerate(types)]
    return None if None in tests or not tests else " and ".join(["len(%s) == %d" % (v, len(types)), *tests])


def _as_they_are(types):
    """Returns a function that does so, in a fraction of the time that converting the values takes, or None."""
    test = _tests(types, "v")
    return test and eval("lambda v: " + test)


def _fields(info, value, converters):
    """Converts the values of a row or tuple one by one, and says which does not fit."""
    if len(value) != len(converters):
        raise ValueError("expected %d fields for %s, got %d: %s" % (len(converters), info, len(value), _named(value)))
    out = []
    for i, convert in enumerate(converters):
        field = value[i]
        if convert is not None and field is not None:
            try:
                field = convert(field)
            except (TypeError, ValueError, OverflowError) as e:
                names = getattr(info, "get_field_names", lambda: None)()
                raise type(e)("field %s: %s" % (names[i] if names else i, e)) from None
        out.append(field)
    return out


class RowTypeInfo(TypeInformation):
    """A Row: named fields, each of its type. Tuples and lists of as many values are taken as well."""

    def __init__(self, field_types, field_names=None):
        self._field_types = field_types
        self._field_names = list(field_names) if field_names is not None else ["f%d" % i for i in range(len(field_types))]
        if len(self._field_names) != len(field_types):
            raise ValueError("expected as many names as types, got %d names and %d types" % (len(self._field_names), len(field_types)))

    def get_field_names(self):
        """Returns the names."""
        return self._field_names

    def get_field_types(self):
        """Returns the types."""
        return self._field_types

    def get_field_index(self, field_name):
        """Returns the position of a name."""
        return self._field_names.index(field_name)

    def converter(self):
        converters = [t.converter() for t in self._field_types]
        names, look = self._field_names, _as_they_are(self._field_types)

        def convert(value):
            if look is not None and type(value) is Row and getattr(value, "_fields", names) == names and look(value._values):
                return _restore(names, value._values, value._row_kind)
            if value is None:
                return None
            if isinstance(value, Row):
                named = value.get_field_names()
                if named is not None and named != names and sorted(named) == sorted(names):
                    row = Row(*_fields(self, [value[n] for n in names], converters))
                else:
                    row = Row(*_fields(self, value, converters))
                row.set_row_kind(value.get_row_kind())
            elif isinstance(value, (tuple, list)):
                row = Row(*_fields(self, value, converters))
            elif isinstance(value, dict):
                row = Row(*_fields(self, [value.get(n) for n in names], converters))
            else:
                raise TypeError("expected a Row or tuple for %s, got %s" % (self, _named(value)))
            row.set_field_names(names)
            return row

        return convert

    def _signature(self):
        return self._field_types, self._field_names

    def __str__(self):
        return "RowTypeInfo(%s)" % ", ".join("%s: %s" % pair for pair in zip(self._field_names, self._field_types))


class TupleTypeInfo(TypeInformation):
    """A tuple, each field of its type. Rows and lists of as many values are taken as well."""

    def __init__(self, field_types):
        self._field_types = field_types

    def get_field_types(self):
        """Returns the types."""
        return self._field_types

    def converter(self):
        converters = [t.converter() for t in self._field_types]
        look = _as_they_are(self._field_types)

        def convert(value):
            if look is not None and type(value) is tuple and look(value):
                return value
            if value is None:
                return None
            if not isinstance(value, (tuple, list, Row)):
                raise TypeError("expected a tuple for %s, got %s" % (self, _named(value)))
            return tuple(_fields(self, value, converters))

        return convert

    def _test(self, v):
        test = _tests(self._field_types, v)
        return test and "type(%s) is tuple and %s" % (v, test)

    def _text_source(self, v):
        sources = [t._text_source("%s[%d]" % (v, i)) for i, t in enumerate(self._field_types)]
        if None in sources or not sources:
            return None
        test = " and ".join(["type(%s) is tuple" % v, "len(%s) == %d" % (v, len(sources)), *[test for test, _ in sources]])
        return test, "(%s)" % ",".join(text for _, text in sources)

    def _signature(self):
        return self._field_types

    def __str__(self):
        return "TupleTypeInfo(%s)" % ", ".join(map(str, self._field_types))


class Types:
    """Makes types.

    >>> Types.ROW_NAMED(["word", "count"], [Types.STRING(), Types.INT()])
    RowTypeInfo(word: String, count: Integer)
    """

    @staticmethod
    def STRING() -> TypeInformation:
        """Text."""
        return BasicTypeInfo(BasicType.STRING)

    @staticmethod
    def BYTE() -> TypeInformation:
        """A number of 8 bits."""
        return BasicTypeInfo(BasicType.BYTE)

    @staticmethod
    def BOOLEAN() -> TypeInformation:
        """True or false."""
        return BasicTypeInfo(BasicType.BOOLEAN)

    @staticmethod
    def SHORT() -> TypeInformation:
        """A number of 16 bits."""
        return BasicTypeInfo(BasicType.SHORT)

    @staticmethod
    def INT() -> TypeInformation:
        """A number of 32 bits."""
        return BasicTypeInfo(BasicType.INT)

    @staticmethod
    def LONG() -> TypeInformation:
        """A number of 64 bits."""
        return BasicTypeInfo(BasicType.LONG)

    @staticmethod
    def FLOAT() -> TypeInformation:
        """A number with a fraction, of single precision."""
        return BasicTypeInfo(BasicType.FLOAT)

    @staticmethod
    def DOUBLE() -> TypeInformation:
        """A number with a fraction, of double precision."""
        return BasicTypeInfo(BasicType.DOUBLE)

    @staticmethod
    def CHAR() -> TypeInformation:
        """A character."""
        return BasicTypeInfo(BasicType.CHAR)

    @staticmethod
    def BIG_INT() -> TypeInformation:
        """A number of any size."""
        return BasicTypeInfo(BasicType.BIG_INT)

    @staticmethod
    def BIG_DEC() -> TypeInformation:
        """A decimal.Decimal."""
        return BasicTypeInfo(BasicType.BIG_DEC)

    @staticmethod
    def INSTANT() -> TypeInformation:
        """An Instant, a point of time."""
        return BasicTypeInfo(BasicType.INSTANT)

    @staticmethod
    def SQL_DATE() -> TypeInformation:
        """A datetime.date."""
        return SqlTimeTypeInfo.DATE()

    @staticmethod
    def SQL_TIME() -> TypeInformation:
        """A datetime.time."""
        return SqlTimeTypeInfo.TIME()

    @staticmethod
    def SQL_TIMESTAMP() -> TypeInformation:
        """A datetime.datetime without zone."""
        return SqlTimeTypeInfo.TIMESTAMP()

    @staticmethod
    def PICKLED_BYTE_ARRAY() -> TypeInformation:
        """Any Python object. It is what a stream has that declares no type."""
        return PickledBytesTypeInfo()

    @staticmethod
    def ROW(field_types: List[TypeInformation]) -> TypeInformation:
        """A row whose fields are called f0, f1 and so on."""
        return RowTypeInfo(field_types)

    @staticmethod
    def ROW_NAMED(field_names: List[str], field_types: List[TypeInformation]) -> TypeInformation:
        """A row with names for its fields."""
        return RowTypeInfo(field_types, field_names)

    @staticmethod
    def TUPLE(field_types: List[TypeInformation]) -> TypeInformation:
        """A tuple."""
        return TupleTypeInfo(field_types)

    @staticmethod
    def PRIMITIVE_ARRAY(element_type: TypeInformation) -> TypeInformation:
        """An array of booleans, numbers or characters without nulls."""
        if element_type not in [Types.BOOLEAN(), Types.BYTE(), Types.SHORT(), Types.INT(), Types.LONG(), Types.FLOAT(), Types.DOUBLE(), Types.CHAR()]:
            raise TypeError("Invalid element type for a primitive array: %s" % element_type)
        return PrimitiveArrayTypeInfo(element_type)

    @staticmethod
    def BASIC_ARRAY(element_type: TypeInformation) -> TypeInformation:
        """An array of basic values, with nulls."""
        if not isinstance(element_type, BasicTypeInfo):
            raise TypeError("Invalid element type for a basic array: %s" % element_type)
        return BasicArrayTypeInfo(element_type)

    @staticmethod
    def OBJECT_ARRAY(element_type: TypeInformation) -> TypeInformation:
        """An array of values of any type."""
        return ObjectArrayTypeInfo(element_type)

    @staticmethod
    def LIST(element_type_info: TypeInformation) -> TypeInformation:
        """A list."""
        return ListTypeInfo(element_type_info)

    @staticmethod
    def MAP(key_type_info: TypeInformation, value_type_info: TypeInformation) -> TypeInformation:
        """A mapping."""
        return MapTypeInfo(key_type_info, value_type_info)


def _from_java_type(type_info):
    """There is no JVM here; the type stands for itself."""
    return type_info
