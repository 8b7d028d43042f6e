"""Keys: what tells them apart, their bytes, and which subtask they belong to."""

import pickle
import struct

from ...common.row import Row

_double = struct.Struct(">d").pack


def slot(key):
    """Returns what stands for a key in a dict: the key itself where equal keys are equal bytes, else its bytes.

    Python holds 1, 1.0 and True for the same; as keys they are three."""
    kind = type(key)
    if kind is str or kind is int or kind is bytes:
        return key
    return _Encoded(encode(key))


class _Encoded(bytes):
    """A key's bytes in place of the key, never equal to a key that is bytes."""

    def __eq__(self, other):
        return type(other) is _Encoded and bytes.__eq__(self, other)

    def __hash__(self):
        return bytes.__hash__(self) ^ 1


def slot_bytes(slot):
    """Returns the bytes of the key that a slot stands for."""
    if type(slot) is str and slot.isascii():
        return b"s" + slot.encode()
    return bytes(slot) if type(slot) is _Encoded else encode(slot)


def encode(key):
    """Returns a key's bytes: a tag for its type, then its value. Equal keys of one type have equal bytes."""
    kind = type(key)
    if kind is str:
        return b"s" + (key.encode() if key.isascii() else key.encode("utf-8", "surrogatepass"))
    if kind is int:
        return b"i" + key.to_bytes(key.bit_length() // 8 + 1, "big", signed=True)
    if kind is bytes or kind is bytearray:
        return b"b" + key
    if key is None:
        return b"n"
    if kind is bool:
        return b"t" if key else b"f"
    if kind is float:
        return b"d" + (b"\x7f\xf8\0\0\0\0\0\0" if key != key else _double(key + 0.0))
    if kind is tuple:
        return b"(" + _parts(key)
    if kind is list:
        return b"[" + _parts(key)
    if isinstance(key, Row):
        return b"r" + _parts(key)
    return b"p" + pickle.dumps(key, 5)


def _parts(values):
    out = []
    for value in values:
        part = encode(value)
        out.append(len(part).to_bytes(4, "big"))
        out.append(part)
    return b"".join(out)


def decode(data):
    """Returns the key of the bytes."""
    tag, rest = data[:1], data[1:]
    if tag == b"s":
        return rest.decode("utf-8", "surrogatepass")
    if tag == b"i":
        return int.from_bytes(rest, "big", signed=True)
    if tag == b"b":
        return bytes(rest)
    if tag in b"ntf":
        return {b"n": None, b"t": True, b"f": False}[tag]
    if tag == b"d":
        return struct.unpack(">d", rest)[0]
    if tag == b"p":
        return pickle.loads(rest)
    values = []
    while rest:
        size = int.from_bytes(rest[:4], "big")
        values.append(decode(rest[4:4 + size]))
        rest = rest[4 + size:]
    return {b"(": tuple, b"[": list, b"r": lambda v: Row(*v)}[tag](values)


def partition(data, partitions):
    """Returns the partition of a key's bytes: their 32-bit FNV-1a hash modulo partitions."""
    h = 2166136261
    for byte in data:
        h = (h ^ byte) * 16777619 & 0xFFFFFFFF
    return h % partitions


def owner(partition, partitions, parallelism):
    """Returns which of the subtasks owns a partition."""
    return partition * parallelism // partitions
