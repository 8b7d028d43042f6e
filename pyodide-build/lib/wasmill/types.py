"""Types of columns: those of Arrow that cross into functions, and how Python's annotations name them.

int is int64, float float64, str utf8, bytes binary, bool, datetime timestamp[us, UTC], date date32, time time64[us], timedelta
duration[us], Decimal decimal128(38, 18); list[T], dict[str, T] and classes with fields hold others. Optional[T] takes nulls.
Other types of Arrow are named by this module, with Annotated where a checker of types shall see Python's:

    Celsius = Annotated[float, wasmill.types.float32]
"""

import collections.abc
import dataclasses
import datetime
import decimal
import types as _types
import typing

from _wasmill import Row

__all__ = [
    "Field", "Type", "binary", "boolean", "date32", "decimal128", "dictionary", "document", "duration", "fixed_size_binary", "float32", "float64",
    "int16", "int32", "int64", "int8", "large_binary", "large_utf8", "list_of", "map_of", "null", "struct", "time32", "time64", "timestamp",
    "uint16", "uint32", "uint64", "uint8", "utf8",
]


class Field(typing.NamedTuple):
    """A named column or a value inside of one."""

    name: str
    type: "Type"
    nullable: bool

    def text(self):
        return str(self.type) + ("" if self.nullable else "!")

    def spec(self):
        """Returns what the C module learns a type from."""
        return (self.name, self.type.format, self.nullable, tuple(c.spec() for c in self.type.children), self.type.maker)


class Type:
    """A type of Arrow. str() writes it in the grammar of pipelines."""

    __slots__ = ("_text", "format", "children", "maker")

    def __init__(self, text, format, children=(), maker=None):
        self._text, self.format, self.children, self.maker = text, format, tuple(children), maker

    def __str__(self):
        return self._text

    def __repr__(self):
        return "wasmill.types: " + self._text

    def __call__(self):  # an annotation has to be callable for some checks of typing
        raise TypeError("%s is a type of columns, not a class" % self._text)


null = Type("null", "n")
boolean = Type("bool", "b")
int8, int16, int32, int64 = (Type("int%d" % n, f) for n, f in ((8, "c"), (16, "s"), (32, "i"), (64, "l")))
uint8, uint16, uint32, uint64 = (Type("uint%d" % n, f) for n, f in ((8, "C"), (16, "S"), (32, "I"), (64, "L")))
float32, float64 = Type("float32", "f"), Type("float64", "g")
utf8, large_utf8 = Type("utf8", "u"), Type("large_utf8", "U")
binary, large_binary = Type("binary", "z"), Type("large_binary", "Z")
date32 = Type("date32", "tdD")
document = Type("json", "j")


def _unit(unit, units):
    if unit not in units:
        raise ValueError("expected a unit of %s, got %r" % (", ".join(units), unit))
    return unit


def time32(unit="ms"):
    return Type("time32[%s]" % _unit(unit, ("s", "ms")), "tt" + unit[0])


def time64(unit="us"):
    return Type("time64[%s]" % _unit(unit, ("us", "ns")), "tt" + unit[0])


def duration(unit="us"):
    return Type("duration[%s]" % _unit(unit, ("s", "ms", "us", "ns")), "tD" + unit[0])


def timestamp(unit="us", zone="UTC"):
    """A moment; zone None for the time of a clock on the wall, whose zone nobody told."""
    _unit(unit, ("s", "ms", "us", "ns"))
    if not zone:
        return Type("timestamp[%s]" % unit, "ts%s:" % unit[0])
    return Type("timestamp[%s, %s]" % (unit, zone), "ts%s:%s" % (unit[0], zone))


def decimal128(precision=38, scale=18):
    if not 1 <= precision <= 38:
        raise ValueError("expected a precision of 1 to 38, got %r" % (precision,))
    return Type("decimal128(%d, %d)" % (precision, scale), "d:%d,%d" % (precision, scale))


def fixed_size_binary(size):
    return Type("fixed_size_binary[%d]" % size, "w:%d" % size)


def _field(name, annotation):
    type, nullable = of(annotation)
    return Field(name, type, nullable)


def list_of(item):
    """A list; item is a type of this module or an annotation."""
    item = _field("item", item)
    return Type("list<%s>" % item.text(), "+l", [item])


def map_of(key, value):
    key, value = _field("key", key), _field("value", value)
    if key.nullable:
        raise TypeError("the keys of a map are never None")
    entries = struct([key, value])
    return Type("map<%s, %s>" % (key.type, value.text()), "+m", [Field("entries", entries, False)])


def struct(fields, maker=None):
    """A value with named fields, given as Fields. maker is the class of its objects; dicts without."""
    fields = list(fields)
    return Type("struct<%s>" % ", ".join("%s: %s" % (f.name, f.text()) for f in fields), "+s", fields, maker)


def dictionary(index, value):
    """Values that are kept once, and an index per row: for few values that occur often."""
    return Type("dictionary<%s, %s>" % (index, value), "?", [Field("index", index, True), Field("value", value, True)])


_PLAIN = {
    bool: boolean, int: int64, float: float64, str: utf8, bytes: binary, bytearray: binary, datetime.datetime: timestamp(), datetime.date: date32,
    datetime.time: time64(), datetime.timedelta: duration(), decimal.Decimal: decimal128(), type(None): null,
}
_DOCUMENTS = (dict, object, typing.Any, collections.abc.Mapping, collections.abc.MutableMapping, typing.Dict, typing.Mapping)


class Unknown(TypeError):
    """An annotation that is no type of columns."""


def is_document(annotation):
    """Tells whether an annotation says no more than that there is something: dict, Any, dict[str, Any]."""
    if annotation in _DOCUMENTS:
        return True
    origin = typing.get_origin(annotation)
    return origin in (dict, collections.abc.Mapping, collections.abc.MutableMapping) and typing.get_args(annotation)[1:] in ((typing.Any,), (object,))


def optional(annotation):
    """Splits Optional[T] into T and True; anything else is itself and False."""
    if typing.get_origin(annotation) in (typing.Union, _types.UnionType):
        rest = [a for a in typing.get_args(annotation) if a is not type(None)]
        if len(rest) == 1:
            return rest[0], True
        if len(rest) < len(typing.get_args(annotation)):
            raise Unknown("%s: a column has one type" % show(annotation))
    return annotation, False


def show(annotation):
    return annotation.__name__ if isinstance(annotation, type) and not typing.get_args(annotation) else str(annotation).replace("typing.", "")


def of(annotation):
    """Returns the type that an annotation names, and whether it takes None. Raises Unknown."""
    annotation, nullable = optional(annotation)
    if isinstance(annotation, Type):
        return annotation, nullable
    if isinstance(annotation, typing.NewType):
        return _nullable(of(annotation.__supertype__), nullable)
    if isinstance(annotation, typing.TypeAliasType):
        return _nullable(of(annotation.__value__), nullable)
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        for extra in args[1:]:
            if isinstance(extra, Type):
                return extra, nullable or optional(args[0])[1]
        return _nullable(of(args[0]), nullable)
    if origin in (typing.Required, typing.NotRequired, typing.ReadOnly):
        return _nullable(of(args[0]), nullable or origin is typing.NotRequired)
    if origin is typing.Literal and len({type(a) for a in args}) == 1:
        return _nullable(of(type(args[0])), nullable)
    if annotation is type(None):
        return null, True
    if annotation in _PLAIN:
        return _PLAIN[annotation], nullable
    if is_document(annotation):
        return document, nullable
    if origin in (list, set, frozenset, collections.abc.Sequence, collections.abc.Iterable) or (origin is tuple and args[1:] == (...,)):
        return list_of(args[0]), nullable
    if annotation in (list, tuple, typing.List):
        return document, nullable
    if origin in (dict, collections.abc.Mapping):
        return map_of(*args), nullable
    columns = fields(annotation)
    if columns is not None:
        return struct(columns, maker(annotation)), nullable
    described = _of_type_information(annotation)
    if described is not None:
        return described, nullable
    raise Unknown("%s is no type of columns" % show(annotation))


def _nullable(found, nullable):
    return found[0], found[1] or nullable


def fields(annotation, taken=False):
    """Returns the Fields of a class that has some: a dataclass, NamedTuple, TypedDict or a Row with annotations; None for others. With
    taken those that its objects are made of, and not those that they make themselves."""
    if isinstance(annotation, type):
        if dataclasses.is_dataclass(annotation):
            names = [f.name for f in dataclasses.fields(annotation) if f.init or not taken]
        elif issubclass(annotation, tuple) and hasattr(annotation, "_fields"):
            names = list(annotation._fields)
        elif issubclass(annotation, Row) and isinstance(getattr(annotation, "_fields", None), tuple):
            names = list(annotation._fields)
        elif typing.is_typeddict(annotation):
            names = list(annotation.__annotations__)
        else:
            return None
        return _hinted(annotation, names)
    described = _of_type_information(annotation)
    return list(described.children) if described is not None and described.format == "+s" else None


def _hinted(cls, names):
    try:
        hints = typing.get_type_hints(cls, include_extras=True)
    except NameError as e:
        raise Unknown("%s: its annotations name `%s`, which is not there" % (cls.__name__, e.name)) from None
    absent = getattr(cls, "__optional_keys__", ())
    found = []
    for name in names:
        if name not in hints:
            raise Unknown("%s: the field `%s` has no type" % (cls.__name__, name))
        try:
            type, nullable = of(hints[name])
        except RecursionError:
            raise Unknown("%s holds itself, which columns cannot" % cls.__name__) from None
        except Unknown as e:
            raise Unknown("%s.%s: %s" % (cls.__name__, name, e)) from None
        found.append(Field(name, type, nullable or name in absent))
    if not found:
        raise Unknown("%s has no fields" % cls.__name__)
    return found


def maker(annotation):
    """Returns how objects of a class with fields are made: None for dicts, the class where its fields are set without calling it, and a
    tuple of the class where it has to be called, for it does more than to keep its fields."""
    if not isinstance(annotation, type):
        from ._rows import row_type

        return row_type(tuple(f.name for f in fields(annotation)))
    if typing.is_typeddict(annotation):
        return None
    if issubclass(annotation, tuple):
        return annotation if annotation.__bases__ == (tuple,) else (annotation,)
    if issubclass(annotation, Row):
        return annotation if annotation.__init__ is object.__init__ and annotation.__new__ is Row.__new__ and _keeps(annotation) else (annotation,)
    parameters = annotation.__dataclass_params__
    plain = _made_init(annotation) and not hasattr(annotation, "__post_init__") and annotation.__new__ is object.__new__
    plain = plain and (parameters.frozen or _keeps(annotation)) and all(f.init for f in dataclasses.fields(annotation))
    return annotation if plain else (annotation,)


def _made_init(cls):
    """Tells whether __init__ is the one that dataclass made: its code comes from no file."""
    code = getattr(cls.__init__, "__code__", None)
    return code is not None and code.co_filename == "<string>" and "__dataclass_params__" in vars(cls) and cls.__dataclass_params__.init


def _keeps(cls):
    return cls.__setattr__ is object.__setattr__


def _of_type_information(annotation):
    """Returns the type that a PyFlink TypeInformation stands for, or None for anything else."""
    name = str(annotation) if type(annotation).__name__.endswith("TypeInfo") else None
    if name is None:
        return None
    if hasattr(annotation, "get_field_names"):
        columns = zip(annotation.get_field_names(), annotation.get_field_types())
        return struct([Field(n, _of_type_information(t) or document, True) for n, t in columns], None)
    return {
        "Boolean": boolean, "Byte": int8, "Short": int16, "Integer": int32, "Long": int64, "BigInteger": decimal128(38, 0), "Float": float32,
        "Double": float64, "BigDecimal": decimal128(), "String": utf8, "Character": utf8, "SqlDate": date32, "SqlTime": time64(),
        "SqlTimestamp": timestamp("us", None), "Instant": timestamp(),
    }.get(name, document)
