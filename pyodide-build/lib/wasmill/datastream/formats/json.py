"""Rows as JSON objects."""

import base64
import datetime
import decimal
import json

from ...common.row import Row
from ...common.serialization import DeserializationSchema, SerializationSchema
from ...common.typeinfo import (
    BasicType, BasicTypeInfo, MapTypeInfo, PickledBytesTypeInfo, PrimitiveArrayTypeInfo, RowTypeInfo, SqlTimeTypeInfo, TupleTypeInfo, Types,
)

__all__ = ["JsonRowDeserializationSchema", "JsonRowSerializationSchema"]


class JsonRowDeserializationSchema(DeserializationSchema):
    """Reads a JSON object into a Row of the type's fields. A missing field is None.

    >>> info = Types.ROW_NAMED(["id", "name"], [Types.INT(), Types.STRING()])
    >>> JsonRowDeserializationSchema.builder().type_info(info).build().deserialize(b'{"id": 1}')
    Row(id=1, name=None)
    """

    def __init__(self, type_info, fail_on_missing_field, ignore_parse_errors):
        self.output_type = type_info
        self._read = reader(type_info, fail_on_missing_field)
        self._ignore = ignore_parse_errors

    def deserialize(self, data):
        """Returns the Row; None for bad data with ignore_parse_errors, which is then left out."""
        try:
            return self._read(json.loads(bytes(data).decode()))
        except (ValueError, TypeError, ArithmeticError) as e:
            if self._ignore:
                return None
            raise ValueError("Failed to deserialize JSON %r: %s" % (bytes(data[:200]), e)) from None

    @staticmethod
    def builder():
        """Begins one."""
        return JsonRowDeserializationSchema.Builder()

    class Builder:
        """Builds a JsonRowDeserializationSchema."""

        def __init__(self):
            self._type_info, self._fail, self._ignore = None, False, False

        def type_info(self, type_info):
            """Sets the type of the rows, whose names are those of the objects' fields."""
            self._type_info = type_info
            return self

        def json_schema(self, json_schema):
            """Takes the type of the rows from a JSON schema of an object. Numbers and integers are decimals, as in Flink."""
            if json_schema is None:
                raise TypeError("The json_schema must not be None.")
            try:
                schema = json.loads(json_schema)
            except ValueError as e:
                raise ValueError("the JSON schema is no JSON: %s" % e) from None
            self._type_info = type_of(schema, schema, "<root>")
            return self

        def fail_on_missing_field(self):
            """Fails where an object lacks a field."""
            self._fail = True
            return self

        def ignore_parse_errors(self):
            """Leaves bad data out, in place of failing."""
            self._ignore = True
            return self

        def build(self):
            """Returns the schema."""
            if not isinstance(self._type_info, RowTypeInfo):
                raise TypeError("a row type is needed, as type_info(Types.ROW_NAMED(names, types)), got %r" % (self._type_info,))
            if self._fail and self._ignore:
                raise ValueError("JSON format doesn't support failOnMissingField and ignoreParseErrors are both true.")
            return JsonRowDeserializationSchema(self._type_info, self._fail, self._ignore)


class JsonRowSerializationSchema(SerializationSchema):
    """Writes a Row as a JSON object of the type's fields.

    >>> info = Types.ROW_NAMED(["id", "name"], [Types.INT(), Types.STRING()])
    >>> JsonRowSerializationSchema.builder().with_type_info(info).build().serialize(Row(1, "a"))
    b'{"id":1,"name":"a"}'
    """

    def __init__(self, type_info):
        self._write = writer(type_info)

    def serialize(self, element):
        """Returns the object's bytes."""
        return json.dumps(self._write(element), separators=(",", ":"), ensure_ascii=False).encode()

    @staticmethod
    def builder():
        """Begins one."""
        return JsonRowSerializationSchema.Builder()

    class Builder:
        """Builds a JsonRowSerializationSchema."""

        def __init__(self):
            self._type_info = None

        def with_type_info(self, type_info):
            """Sets the type of the rows."""
            self._type_info = type_info
            return self

        def build(self):
            """Returns the schema."""
            if not isinstance(self._type_info, RowTypeInfo):
                raise TypeError("Typeinfo should be set, as with_type_info(Types.ROW_NAMED(names, types))")
            return JsonRowSerializationSchema(self._type_info)


_FORMATS = {"date": Types.SQL_DATE, "time": Types.SQL_TIME, "date-time": Types.SQL_TIMESTAMP}


def type_of(schema, root, path, depth=0):
    """Returns the type that a part of a JSON schema stands for; root is the schema that $ref looks in."""
    if not isinstance(schema, dict) or depth > 64:
        raise ValueError("the JSON schema has no type at %s" % path)
    if "$ref" in schema:
        target, place = root, str(schema["$ref"])
        if not place.startswith("#"):
            raise ValueError("the JSON schema refers to %s at %s; only references within it are followed" % (place, path))
        for step in filter(None, place[1:].split("/")):
            if not isinstance(target, dict) or step not in target:
                raise ValueError("the JSON schema refers to %s at %s, which is not there" % (place, path))
            target = target[step]
        return type_of(target, root, path, depth + 1)
    kinds = schema.get("type")
    kinds = [k for k in (kinds if isinstance(kinds, list) else [kinds]) if k != "null"]
    if len(kinds) != 1 or kinds[0] is None or "oneOf" in schema:
        raise ValueError("the JSON schema has no single type at %s" % path)
    kind = kinds[0]
    if kind == "object":
        fields = schema.get("properties", {})
        return Types.ROW_NAMED(list(fields), [type_of(f, root, "%s/%s" % (path, name), depth + 1) for name, f in fields.items()])
    if kind == "array":
        items = schema.get("items")
        if isinstance(items, list):
            return Types.ROW([type_of(f, root, "%s/%d" % (path, i), depth + 1) for i, f in enumerate(items)])
        return Types.OBJECT_ARRAY(type_of(items, root, path + "/items", depth + 1))
    if kind == "string":
        if schema.get("contentEncoding") == "base64":
            return Types.PRIMITIVE_ARRAY(Types.BYTE())
        return _FORMATS.get(schema.get("format"), Types.STRING)()
    if kind in ("number", "integer"):
        return Types.BIG_DEC()
    if kind == "boolean":
        return Types.BOOLEAN()
    raise ValueError("the JSON schema has the type %s at %s, expected object, array, string, number, integer, boolean or null" % (kind, path))


def reader(info, strict=False):
    """Returns a function that makes a value of a type out of what JSON gives."""
    if isinstance(info, RowTypeInfo):
        names = info.get_field_names()
        readers = [reader(t, strict) for t in info.get_field_types()]
        positional = names == ["f%d" % i for i in range(len(names))]

        def row(value):
            if value is None:
                return None
            if positional and isinstance(value, list) and len(value) == len(names):
                value = dict(zip(names, value))
            if not isinstance(value, dict):
                raise TypeError("expected an object, got %s" % type(value).__name__)
            out = Row()
            fields = []
            for name, read in zip(names, readers):
                if strict and name not in value:
                    raise ValueError("Could not find field with name %r." % name)
                field = value.get(name)
                fields.append(None if field is None else read(field))
            out._values = fields
            out.set_field_names(names)
            return out

        return row
    if isinstance(info, TupleTypeInfo):
        readers = [reader(t, strict) for t in info.get_field_types()]
        return lambda value: tuple(None if v is None else read(v) for read, v in zip(readers, value))
    if isinstance(info, MapTypeInfo):
        read = reader(info._value_type_info, strict)
        return lambda value: {k: None if v is None else read(v) for k, v in value.items()}
    if isinstance(info, PrimitiveArrayTypeInfo) and info._element_type == BasicTypeInfo(BasicType.BYTE):
        return base64.b64decode
    if hasattr(info, "_element_type"):
        read = reader(info._element_type, strict)
        return lambda value: [None if v is None else read(v) for v in value]
    if isinstance(info, SqlTimeTypeInfo):
        return {"SqlDate": datetime.date.fromisoformat, "SqlTime": lambda v: datetime.time.fromisoformat(v.rstrip("Z")),
                "SqlTimestamp": lambda v: datetime.datetime.fromisoformat(v.rstrip("Z").replace("T", " "))}[info._name]
    if isinstance(info, PickledBytesTypeInfo):
        return lambda value: value
    basic = info._basic_type
    if basic == BasicType.STRING:
        return lambda value: value if isinstance(value, str) else json.dumps(value)
    if basic == BasicType.BIG_DEC:
        return lambda value: decimal.Decimal(str(value))
    if basic == BasicType.BOOLEAN:
        return lambda value: value if isinstance(value, bool) else str(value).strip().lower() == "true"
    if basic in (BasicType.FLOAT, BasicType.DOUBLE):
        return float
    return lambda value: int(value.strip()) if isinstance(value, str) else int(value)


def writer(info):
    """Returns a function that makes what JSON writes out of a value of a type."""
    if isinstance(info, RowTypeInfo):
        names, writers = info.get_field_names(), [writer(t) for t in info.get_field_types()]
        return lambda value: None if value is None else {n: None if v is None else write(v) for n, write, v in zip(names, writers, value)}
    if isinstance(info, TupleTypeInfo):
        writers = [writer(t) for t in info.get_field_types()]
        return lambda value: [None if v is None else write(v) for write, v in zip(writers, value)]
    if isinstance(info, MapTypeInfo):
        write = writer(info._value_type_info)
        return lambda value: {str(k): None if v is None else write(v) for k, v in value.items()}
    if isinstance(info, PrimitiveArrayTypeInfo) and info._element_type == BasicTypeInfo(BasicType.BYTE):
        return lambda value: base64.b64encode(value).decode()
    if hasattr(info, "_element_type"):
        write = writer(info._element_type)
        return lambda value: [None if v is None else write(v) for v in value]
    if isinstance(info, SqlTimeTypeInfo):
        suffix = {"SqlDate": "", "SqlTime": "Z", "SqlTimestamp": "Z"}[info._name]
        return lambda value: value.isoformat() + suffix
    if isinstance(info, BasicTypeInfo) and info._basic_type == BasicType.BIG_DEC:
        return lambda value: int(value) if value == value.to_integral_value() else float(value)
    return lambda value: value
