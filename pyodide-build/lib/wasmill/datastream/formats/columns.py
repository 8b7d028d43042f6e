"""Rows as columns of bytes, which is how files of Parquet come from the host and go to it; docs/tasks.md has the layout. Types are named as in
pipelines."""

import array
import datetime
import decimal
import itertools
import struct

from ...common.time import Instant

__all__ = ["pack", "unpack"]

_CODES = {"bool": "b", "int8": "b", "int16": "h", "int32": "i", "int64": "q", "uint8": "B", "uint16": "H", "uint32": "I", "uint64": "Q",
          "float32": "f", "float64": "d", "date32": "i", "time32": "i", "time64": "q", "timestamp": "q"}
# Nanoseconds of a unit.
_UNITS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1000, "ns": 1}
_DAY = datetime.date(1970, 1, 1).toordinal()
_NAIVE = datetime.datetime(1970, 1, 1)
_EPOCH = _NAIVE.replace(tzinfo=datetime.timezone.utc)
_MICROSECOND = datetime.timedelta(microseconds=1)
_EXACT = decimal.Context(prec=decimal.MAX_PREC, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
_DECIMAL = 16  # bytes


def _parts(name):
    """Returns a type's name and its parameters: timestamp[us, UTC] gives timestamp, us, UTC."""
    base, _, rest = name.rstrip(")]").replace("(", "[").partition("[")
    return [base, *(part.strip() for part in rest.split(",") if part.strip())]


def from_plain(name):
    """Returns what makes Python's value of a type out of a number or bytes, or None."""
    base, *rest = _parts(name)
    if base == "bool":
        return bool
    if base == "date32":
        return lambda v: datetime.date.fromordinal(v + _DAY)
    if base in ("time32", "time64"):
        unit = _UNITS[rest[0]]
        return lambda v: (_NAIVE + v * unit // 1000 * _MICROSECOND).time()
    if base == "timestamp":
        unit, epoch = _UNITS[rest[0]], _EPOCH if len(rest) > 1 else _NAIVE
        return lambda v: epoch + v * unit // 1000 * _MICROSECOND
    if base == "decimal128":
        scale = int(rest[1])
        return lambda v: decimal.Decimal(int.from_bytes(v, "little", signed=True)).scaleb(-scale, _EXACT)
    return bytes.decode if base == "utf8" else None


def to_plain(name):
    """Returns what makes a number or bytes of Python's value of a type. It raises TypeError or ValueError for a value that does not fit."""
    base, *rest = _parts(name)
    if base == "bool":
        return lambda v: v if isinstance(v, bool) else _wrong(v, "a bool")
    if base == "date32":
        return lambda v: v.toordinal() - _DAY
    if base in ("time32", "time64"):
        unit = _UNITS[rest[0]]
        return lambda v: (((v.hour * 60 + v.minute) * 60 + v.second) * 1_000_000 + v.microsecond) * 1000 // unit
    if base == "timestamp":
        unit = _UNITS[rest[0]]

        def instant(v):
            if isinstance(v, Instant):
                return (v.seconds * 1_000_000_000 + v.nanos) // unit
            if not isinstance(v, datetime.datetime):
                _wrong(v, "a datetime")
            return (v.replace(tzinfo=v.tzinfo or datetime.timezone.utc) - _EPOCH) // _MICROSECOND * 1000 // unit

        return instant
    if base == "decimal128":
        return _unscaled(int(rest[0]), int(rest[1]))
    if base == "utf8":
        return lambda v: v.encode() if isinstance(v, str) else _wrong(v, "text")
    if base == "binary":
        return lambda v: bytes(v) if isinstance(v, (bytes, bytearray)) else _wrong(v, "bytes")
    if base.startswith("float"):
        return float
    return lambda v: v if isinstance(v, int) and not isinstance(v, bool) else _wrong(v, "an int")


def _wrong(value, expected):
    raise TypeError("expected %s, got %s" % (expected, type(value).__name__))


def _unscaled(precision, scale):
    unit = decimal.Decimal(1).scaleb(-scale)

    def convert(value):
        if not isinstance(value, (decimal.Decimal, int)):
            _wrong(value, "a Decimal")
        number = int(decimal.Decimal(value).quantize(unit, decimal.ROUND_HALF_UP, _EXACT).scaleb(scale, _EXACT))
        if len(str(abs(number))) > precision:
            raise ValueError("%s has more than %d digits" % (value, precision))
        return number.to_bytes(_DECIMAL, "little", signed=True)

    return convert


def pack(columns):
    """Returns the bytes of columns, pairs of a type's name and plain values of which None are null."""
    count = len(columns[0][1]) if columns else 0
    out = [struct.pack("<I", count)]
    for name, values in columns:
        base = _parts(name)[0]
        out.append(bytes([v is not None for v in values]))
        if base in _CODES:
            out.append(array.array(_CODES[base], [0 if v is None else v for v in values]).tobytes())
        elif base == "decimal128":
            out.extend(bytes(_DECIMAL) if v is None else v for v in values)
        else:
            out.append(array.array("i", [0 if v is None else len(v) for v in values]).tobytes())
            out.extend(v for v in values if v)
    return b"".join(out)


def unpack(types, data):
    """Returns the values of columns, one list each, that pack or the host made."""
    count, at, out = struct.unpack_from("<I", data)[0], 4, []
    for name in types:
        base, *rest = _parts(name)
        valid = data[at:at + count]
        at += count
        if base in _CODES or base in ("decimal128", "fixed_size_binary"):
            code = _CODES.get(base)
            size = array.array(code).itemsize if code else _DECIMAL if base == "decimal128" else int(rest[0])
            piece = data[at:at + count * size]
            at += count * size
            values = array.array(code, piece).tolist() if code else [piece[i:i + size] for i in range(0, count * size, size)] if size else [b""] * count
        else:
            sizes = array.array("i", data[at:at + 4 * count])
            at += 4 * count
            ends = list(itertools.accumulate(sizes, initial=at))
            values = [data[i:j] for i, j in zip(ends, ends[1:])]
            at = ends[-1]
        convert = from_plain(name)
        if 0 in valid:
            out.append([None if not ok else v if convert is None else convert(v) for ok, v in zip(valid, values)])
        else:
            out.append(values if convert is None else [convert(v) for v in values])
    return out
