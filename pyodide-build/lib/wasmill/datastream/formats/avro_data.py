"""Avro's schemas and the binary encoding of what they describe (the Avro specification, 1.11). Records are dicts.

Logical types: date, time-millis, time-micros, timestamp-millis, timestamp-micros and decimal are Python's dates, times, datetimes in UTC and
decimals; others are their underlying type."""

import datetime
import decimal
import json
import struct

__all__ = ["Schema", "parse", "reader", "writer"]

PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
_LOGICAL = {
    ("int", "date"), ("int", "time-millis"), ("long", "time-micros"), ("long", "timestamp-millis"), ("long", "timestamp-micros"),
    ("bytes", "decimal"), ("fixed", "decimal"),
}
_BOUNDS = {"int": 1 << 31, "long": 1 << 63}
# An array may say that it has any number of elements which take no bytes. So many are believed.
_FREE = 1 << 20
_DAY = datetime.date(1970, 1, 1).toordinal()
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_MICROSECOND = datetime.timedelta(microseconds=1)


class Schema:
    """A schema. `kind` is its type's name; which of the rest is set goes by that."""

    __slots__ = ("kind", "name", "fields", "items", "branches", "symbols", "size", "logical", "precision", "scale", "source")

    def __init__(self, kind, name=None, source=None):
        self.kind, self.name, self.source = kind, name, source
        self.fields = self.items = self.branches = self.symbols = self.size = self.logical = self.precision = None
        self.scale = 0

    def __str__(self):
        return self.name or self.logical or self.kind


class Field:
    """A record's field. Its default is that of JSON; `has_default` tells None from none."""

    __slots__ = ("name", "schema", "default", "has_default")

    def __init__(self, name, schema, declared):
        self.name, self.schema = name, schema
        self.default, self.has_default = declared.get("default"), "default" in declared


def parse(text):
    """Returns the Schema of a text of JSON. Raises ValueError."""
    try:
        declared = json.loads(text)
    except ValueError:
        if str(text).strip() not in PRIMITIVES:
            raise ValueError("the Avro schema is no JSON: %.100r" % (text,)) from None
        declared = str(text).strip()
    try:
        return _parse(declared, {}, "")
    except (KeyError, TypeError, AttributeError) as e:
        raise ValueError("the Avro schema is not complete: %s" % (e,)) from None


def _parse(declared, named, space):
    if isinstance(declared, str):
        if declared in PRIMITIVES:
            return Schema(declared, source=declared)
        known = named.get(declared if "." in declared or not space else space + "." + declared) or named.get(declared)
        if known is None:
            raise ValueError("the Avro schema has no type %r" % declared)
        return known
    if isinstance(declared, list):
        out = Schema("union", source=declared)
        out.branches = [_parse(branch, named, space) for branch in declared]
        return out
    kind = declared["type"]
    if not isinstance(kind, str) or kind in named:
        return _parse(kind, named, space)
    if kind in ("record", "error", "enum", "fixed"):
        name = declared["name"]
        space = declared.get("namespace", space) if "." not in name else name.rpartition(".")[0]
        name = name if "." in name or not space else space + "." + name
        if name in named:
            raise ValueError("the Avro schema has two types %r" % name)
        out = named[name] = Schema("record" if kind == "error" else kind, name, declared)
        if kind == "enum":
            out.symbols = list(declared["symbols"])
        elif kind == "fixed":
            out.size = int(declared["size"])
        else:
            out.fields = [Field(f["name"], _parse(f["type"], named, space), f) for f in declared["fields"]]
    else:
        out = Schema(kind, source=declared)
        if kind == "array":
            out.items = _parse(declared["items"], named, space)
        elif kind == "map":
            out.items = _parse(declared["values"], named, space)
        elif kind not in PRIMITIVES:
            return _parse(kind, named, space)
    if (out.kind, declared.get("logicalType")) in _LOGICAL:
        out.logical = declared["logicalType"]
        out.precision, out.scale = declared.get("precision"), int(declared.get("scale", 0))
    return out


# Reading: a function takes bytes and an offset, and returns the value and the offset behind it.

def _long(data, at):
    byte = data[at]
    at += 1
    value, shift = byte & 127, 7
    while byte > 127:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if shift > 70:
            raise ValueError("a number has more than 10 bytes")
    return (value >> 1) ^ -(value & 1), at


def _size(data, at):
    size, at = _long(data, at)
    if size < 0 or size > len(data) - at:
        raise IndexError(size)
    return size, at


def _bytes(data, at):
    size, at = _size(data, at)
    return data[at:at + size], at + size


def _string(data, at):
    size, at = _size(data, at)
    return data[at:at + size].decode(), at + size


def _boolean(data, at):
    return data[at] != 0, at + 1


def _packed(form):
    unpack, size = struct.Struct(form).unpack_from, struct.calcsize(form)

    def read(data, at):
        if size > len(data) - at:
            raise IndexError(size)
        return unpack(data, at)[0], at + size

    return read


_READERS = {"null": lambda data, at: (None, at), "boolean": _boolean, "int": _long, "long": _long, "float": _packed("<f"), "double": _packed("<d"),
            "bytes": _bytes, "string": _string}


def _fixed(size):
    def read(data, at):
        if size > len(data) - at:
            raise IndexError(size)
        return data[at:at + size], at + size

    return read


def _blocks(data, at):
    """Yields where each block of an array or map begins and how many items it has; it is sent where the block ends."""
    while True:
        count, at = _long(data, at)
        if count < 0:
            count = -count
            _, at = _long(data, at)
        if count > len(data) - at and count > _FREE:
            raise ValueError("a list has %d elements, in %d bytes" % (count, len(data) - at))
        at = yield count, at
        if count == 0:
            return


def _sequence(read):
    def read_list(data, at):
        out = []
        blocks = _blocks(data, at)
        count, at = next(blocks)
        while count:
            for _ in range(count):
                value, at = read(data, at)
                out.append(value)
            count, at = blocks.send(at)
        return out, at

    return read_list


def _mapping(read):
    def read_map(data, at):
        out = {}
        blocks = _blocks(data, at)
        count, at = next(blocks)
        while count:
            for _ in range(count):
                key, at = _string(data, at)
                out[key], at = read(data, at)
            count, at = blocks.send(at)
        return out, at

    return read_map


def _branch(readers):
    def read(data, at):
        index, at = _long(data, at)
        if not 0 <= index < len(readers):
            raise ValueError("a union has no branch %d" % index)
        return readers[index](data, at)

    return read


def _symbol(symbols):
    def read(data, at):
        index, at = _long(data, at)
        if not 0 <= index < len(symbols):
            raise ValueError("an enum has no symbol %d" % index)
        return symbols[index], at

    return read


def _record(steps, defaults, names):
    """Steps are pairs of a name and a reader; a name that is None is read and left out. Names are those of the result, in order."""
    order = None if [name for name, _ in steps if name is not None] == names else names

    def read(data, at):
        out = {}
        for name, step in steps:
            value, at = step(data, at)
            if name is not None:
                out[name] = value
        if order is None:
            return out, at
        for name, value in defaults:
            out[name] = value()
        return {name: out[name] for name in order}, at

    return read


def _logical(schema):
    """Returns what makes a value of a logical type out of its underlying one, or None."""
    logical, scale = schema.logical, schema.scale
    if logical == "date":
        return lambda v: datetime.date.fromordinal(v + _DAY)
    if logical in ("time-millis", "time-micros"):
        factor = 1000 if logical == "time-millis" else 1
        return lambda v: (_EPOCH + v * factor * _MICROSECOND).time()
    if logical in ("timestamp-millis", "timestamp-micros"):
        factor = 1000 if logical == "timestamp-millis" else 1
        return lambda v: _EPOCH + v * factor * _MICROSECOND
    if logical == "decimal":
        return lambda v: decimal.Decimal(int.from_bytes(v, "big", signed=True)).scaleb(-scale, _EXACT)
    return None


_EXACT = decimal.Context(prec=decimal.MAX_PREC, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)


def reader(schema, expected=None):
    """Returns a function (bytes, offset) -> (value, offset behind it) of what was written with a schema. Expected is the schema that is wanted:
    fields are found by name, those that it has not are left out, those that were not written have its defaults, and numbers become wider.

    The function raises ValueError or IndexError for bytes that are not of the schema."""
    return _reader(schema, expected or schema, {})


def _reader(schema, expected, known):
    if schema.kind == "union":
        if expected.kind != "union":
            return _branch([_reader_or_fault(b, expected, known) for b in schema.branches])
        return _branch([_reader_or_fault(b, _match(b, expected), known) for b in schema.branches])
    if expected.kind == "union":
        expected = _match(schema, expected)
    if expected is None or not _fits(schema, expected):
        raise ValueError("the file has %s where %s is expected" % (schema, expected if expected is not None else "another type"))
    if schema.kind == "record":
        key = (id(schema), id(expected))
        if key in known:
            return lambda data, at: known[key](data, at)
        known[key] = None
        wanted = {f.name: f for f in expected.fields}
        there = {f.name for f in schema.fields}
        steps = [(f.name, _reader(f.schema, wanted[f.name].schema, known)) if f.name in wanted else (None, _reader(f.schema, f.schema, known))
                 for f in schema.fields]
        missing = [f for f in expected.fields if f.name not in there]
        for f in missing:
            if not f.has_default:
                raise ValueError("the file has no field %s of %s, and the schema has no default for it" % (f.name, expected))
        read = known[key] = _record(steps, [(f.name, lambda f=f: default(f.schema, f.default)) for f in missing],
                                    [f.name for f in expected.fields])
        return read
    if schema.kind == "array":
        return _sequence(_reader(schema.items, expected.items, known))
    if schema.kind == "map":
        return _mapping(_reader(schema.items, expected.items, known))
    if schema.kind == "enum":
        return _symbol(schema.symbols)
    read = _fixed(schema.size) if schema.kind == "fixed" else _READERS[schema.kind]
    convert = _logical(expected) if schema.kind == expected.kind else float if expected.kind in ("float", "double") else None
    if convert is None:
        if schema.kind == "string" and expected.kind == "bytes":
            convert = str.encode
        elif schema.kind == "bytes" and expected.kind == "string":
            convert = bytes.decode
        else:
            return read

    def converted(data, at):
        value, at = read(data, at)
        return convert(value), at

    return converted


def _reader_or_fault(schema, expected, known):
    """A branch that does not fit is a fault only where it was written."""
    try:
        return _reader(schema, expected, known)
    except ValueError as e:
        text = str(e)
    except AttributeError:
        text = "the file has %s where the schema has no such branch" % schema

    def fail(data, at):
        raise ValueError(text)

    return fail


_WIDER = {("int", "long"), ("int", "float"), ("int", "double"), ("long", "float"), ("long", "double"), ("float", "double"), ("string", "bytes"),
          ("bytes", "string")}


def _fits(schema, expected):
    if schema.kind != expected.kind:
        return (schema.kind, expected.kind) in _WIDER
    if schema.kind == "fixed":
        return schema.size == expected.size
    return True


def _match(schema, union):
    """Returns the branch of a union that a value of a schema is read as: one of the same type, or of a wider one."""
    same = [b for b in union.branches if b.kind == schema.kind and (b.name is None or b.name == schema.name)]
    same.sort(key=lambda b: b.logical != schema.logical)
    same += [b for b in union.branches if _fits(schema, b)]
    return same[0] if same else None


def default(schema, value):
    """Returns the value of a field's default, which JSON has."""
    if schema.kind == "union":
        schema = schema.branches[0]
    if schema.kind == "record":
        return {f.name: default(f.schema, value[f.name] if f.name in value else f.default) for f in schema.fields}
    if schema.kind == "array":
        return [default(schema.items, v) for v in value]
    if schema.kind == "map":
        return {k: default(schema.items, v) for k, v in value.items()}
    if schema.kind in ("bytes", "fixed"):
        value = value.encode("latin-1")
    elif schema.kind in ("float", "double"):
        value = float(value)
    convert = _logical(schema)
    return convert(value) if convert else value


# Writing: a function takes a value and a bytearray, which it appends to. It raises TypeError or ValueError for a value that does not fit.

def _put_long(value, out):
    value = (value << 1) ^ (value >> 63)
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)


def _put_integer(kind):
    bound = _BOUNDS[kind]

    def write(value, out):
        if type(value) is not int:
            value = _wrong(value, kind) if isinstance(value, bool) or not hasattr(value, "__index__") else value.__index__()
        if not -bound <= value < bound:
            raise ValueError("%d is no %s" % (value, kind))
        _put_long(value, out)

    return write


def _wrong(value, expected):
    raise TypeError("expected %s, got %s" % (expected, type(value).__name__))


def _put_bytes(value, out):
    if not isinstance(value, (bytes, bytearray, memoryview)):
        _wrong(value, "bytes")
    _put_long(len(value), out)
    out += value


def _put_string(value, out):
    if not isinstance(value, str):
        _wrong(value, "string")
    value = value.encode()
    _put_long(len(value), out)
    out += value


def _put_boolean(value, out):
    if not isinstance(value, bool):
        _wrong(value, "boolean")
    out.append(value)


def _put_null(value, out):
    if value is not None:
        _wrong(value, "null")


def _put_packed(form, kind):
    pack = struct.Struct(form).pack

    def write(value, out):
        if isinstance(value, bool) or not isinstance(value, (int, float, decimal.Decimal)):
            _wrong(value, kind)
        try:
            out += pack(value)
        except OverflowError:
            raise ValueError("%r is no %s" % (value, kind)) from None

    return write


_WRITERS = {"null": _put_null, "boolean": _put_boolean, "int": _put_integer("int"), "long": _put_integer("long"), "float": _put_packed("<f", "float"),
            "double": _put_packed("<d", "double"), "bytes": _put_bytes, "string": _put_string}


def _plain(schema):
    """Returns what makes the underlying value of a logical type's, or None. Values of the underlying type are taken as they are."""
    logical = schema.logical
    if logical == "date":
        return lambda v: v.toordinal() - _DAY if isinstance(v, datetime.date) else v
    if logical in ("time-millis", "time-micros"):
        factor = 1000 if logical == "time-millis" else 1
        return lambda v: (((v.hour * 60 + v.minute) * 60 + v.second) * 1000000 + v.microsecond) // factor if isinstance(v, datetime.time) else v
    if logical in ("timestamp-millis", "timestamp-micros"):
        factor = 1000 if logical == "timestamp-millis" else 1

        def instant(v):
            if isinstance(v, datetime.datetime):
                return (v.replace(tzinfo=v.tzinfo or datetime.timezone.utc) - _EPOCH) // _MICROSECOND // factor
            return v.to_epoch_milli() * 1000 // factor if hasattr(v, "to_epoch_milli") else v

        return instant
    if logical == "decimal":
        return lambda v: _unscaled(v, schema) if isinstance(v, (decimal.Decimal, int)) else v
    return None


def _unscaled(value, schema):
    scaled = decimal.Decimal(value).scaleb(schema.scale, _EXACT)
    if scaled != scaled.to_integral_value():
        raise ValueError("%s has more than %d digits behind the point" % (value, schema.scale))
    number = int(scaled)
    if schema.precision and len(str(abs(number))) > schema.precision:
        raise ValueError("%s has more than %d digits" % (value, schema.precision))
    size = schema.size or number.bit_length() // 8 + 1
    try:
        return number.to_bytes(size, "big", signed=True)
    except OverflowError:
        raise ValueError("%s does not fit in %d bytes" % (value, size)) from None


def writer(schema):
    """Returns a function (value, bytearray) that appends the bytes of a value."""
    return _writer(schema, {})


def _writer(schema, known):
    kind = schema.kind
    if kind == "record":
        return _record_writer(schema, known)
    if kind == "union":
        return _union_writer(schema, known)
    if kind in ("array", "map"):
        write = _writer(schema.items, known)

        def write_items(value, out):
            if not isinstance(value, dict if kind == "map" else (list, tuple)):
                _wrong(value, kind)
            if value:
                _put_long(len(value), out)
                if kind == "array":
                    for item in value:
                        write(item, out)
                else:
                    for key, item in value.items():
                        _put_string(key, out)
                        write(item, out)
            out.append(0)

        return write_items
    if kind == "enum":
        symbols = {s: i for i, s in enumerate(schema.symbols)}

        def write_symbol(value, out):
            if not isinstance(value, str) or value not in symbols:
                raise ValueError("%r is none of %s" % (value, ", ".join(symbols)))
            _put_long(symbols[value], out)

        return write_symbol
    if kind == "fixed":
        def write(value, out):
            if not isinstance(value, (bytes, bytearray)) or len(value) != schema.size:
                raise ValueError("expected %d bytes, got %r" % (schema.size, value))
            out += value
    else:
        write = _WRITERS[kind]
    plain = _plain(schema)
    return write if plain is None else lambda value, out: write(plain(value), out)


def _record_writer(schema, known):
    if id(schema) in known:
        return lambda value, out: known[id(schema)](value, out)
    known[id(schema)] = None
    fields = [(f, _writer(f.schema, known)) for f in schema.fields]

    def write(value, out):
        if not isinstance(value, dict):
            value = _by_name(value, schema)
        for field, write_field in fields:
            name = field.name
            try:
                write_field(value[name] if name in value else default(field.schema, field.default) if field.has_default else None, out)
            except (TypeError, ValueError, AttributeError) as e:
                raise ValueError("%s: %s" % (name, e)) from None

    known[id(schema)] = write
    return write


def _by_name(value, schema):
    """Takes a Row or tuple for a record: by the order of its fields."""
    if not hasattr(value, "__iter__") or isinstance(value, (str, bytes)):
        _wrong(value, "a record as a dict or Row")
    values = list(value)
    if len(values) != len(schema.fields):
        raise ValueError("expected %d fields, got %d" % (len(schema.fields), len(values)))
    return dict(zip((f.name for f in schema.fields), values))


def _union_writer(schema, known):
    branches = [(i, b, _writer(b, known)) for i, b in enumerate(schema.branches)]

    def write(value, out):
        found = branch_of(branches, value)
        if found is None:
            raise TypeError("none of %s takes a %s" % (", ".join(map(str, schema.branches)), type(value).__name__))
        _put_long(found[0], out)
        found[2](value, out)

    return write


def branch_of(branches, value):
    """Returns the first of a union's branches, tuples whose second part is the schema, that a value is one of: as it is, rather than with some loss or change."""
    loose = None
    for found in branches:
        if takes(found[1], value):
            if _exactly(found[1], value):
                return found
            loose = loose or found
    return loose


def _exactly(schema, value):
    """Tells whether a value that a schema takes is what it is read as again."""
    if schema.kind in ("float", "double"):
        return schema.kind == "double" and isinstance(value, float)
    if schema.kind == "record" and isinstance(value, dict):
        return len(value) <= len(schema.fields) and {f.name for f in schema.fields}.issuperset(value)
    return True


def takes(schema, value):
    """Tells whether a value is one of a schema, as unions choose their branch."""
    kind, logical = schema.kind, schema.logical
    if kind == "null" or value is None:
        return kind == "null" and value is None
    if logical is not None:
        classes = {"date": datetime.date, "decimal": decimal.Decimal}.get(logical) or (datetime.time if logical.startswith("time-") else datetime.datetime)
        if isinstance(value, classes) and not (logical == "date" and isinstance(value, datetime.datetime)):
            return True
    if kind in ("int", "long"):
        return isinstance(value, int) and not isinstance(value, bool) and -_BOUNDS[kind] <= value < _BOUNDS[kind]
    if kind in ("float", "double"):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "record":
        return isinstance(value, dict) and all(f.has_default or f.name in value for f in schema.fields) or hasattr(value, "get_row_kind")
    if kind == "enum":
        return isinstance(value, str) and value in schema.symbols
    if kind == "fixed":
        return isinstance(value, (bytes, bytearray)) and len(value) == schema.size
    classes = {"boolean": bool, "string": str, "bytes": (bytes, bytearray), "array": (list, tuple), "map": dict}
    return isinstance(value, classes[kind])
