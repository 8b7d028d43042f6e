"""Classes of rows: one per list of columns, with slots that the C module fills."""

import collections.abc
import dataclasses
import sys
import typing

from _wasmill import Row

__all__ = ["Row", "new", "reading", "restore", "row_type"]

_classes = {}


def row_type(names):
    """Returns the class of rows with these columns. A column whose name cannot be an attribute is read as row['the name']."""
    cls = _classes.get(names)
    if cls is None:
        names = tuple(map(sys.intern, names))
        slots = tuple(n if n.isidentifier() and not n.startswith("__") and not hasattr(Row, n) and n not in ("_fields", "_slots") else "_c%d" % i
                      for i, n in enumerate(names))
        cls = _classes[names] = type("Row", (Row,), {"__slots__": slots, "_fields": names, "_slots": slots, "__module__": "wasmill"})
    return cls


def _learn_fields(cls, **kwargs):
    super(Row, cls).__init_subclass__(**kwargs)
    names = {}
    for base in reversed(cls.__mro__):
        names.update(dict.fromkeys(n for n in vars(base).get("__annotations__", ()) if not n.startswith("__")))
    if names and "_fields" not in vars(cls):
        cls._fields = tuple(map(sys.intern, names))


Row.__init_subclass__ = classmethod(_learn_fields)


def new(cls, args, kwargs):
    """Makes what Row(...) returns."""
    if cls is Row:
        if args and kwargs:
            raise ValueError("a Row has values with names or without, not both")
        if kwargs:
            cls, args = row_type(tuple(kwargs)), tuple(kwargs.values())
        else:
            cls = row_type(tuple("f%d" % i for i in range(len(args))))
        kwargs = None
    row = cls._bare()
    fields = getattr(cls, "_fields", None)
    if not isinstance(fields, tuple):
        return row  # a subclass that keeps its values in its own way
    if len(args) > len(fields):
        raise TypeError("%s has %d fields, got %d values" % (cls.__name__, len(fields), len(args)))
    names = getattr(cls, "_slots", fields)
    values = dict(zip(fields, args))
    for name, value in (kwargs or {}).items():
        if name in values or name not in fields:
            raise TypeError("%s %s `%s`" % (cls.__name__, "got two values for" if name in values else "has no field", name))
        values[name] = value
    for slot, name in zip(names, fields):
        if name in values:
            setattr(row, slot, values[name])
        elif not hasattr(cls, name) or names is not fields:
            raise TypeError("%s: a value for `%s` is missing" % (cls.__name__, name))
    return row


def restore(cls, fields, values):
    """Makes a row again that was pickled or copied."""
    return new(cls or row_type(tuple(fields)), values, None)


def reading(cls):
    """Tells the C module how columns are read out of objects of a class: 0 not at all, 1 by attribute, 2 by key, 3 as a row that has
    names or none."""
    if issubclass(cls, Row) and isinstance(getattr(cls, "_fields", None), tuple):
        return 1 if getattr(cls, "_slots", cls._fields) == cls._fields else 2
    if dataclasses.is_dataclass(cls) or (issubclass(cls, tuple) and isinstance(getattr(cls, "_fields", None), tuple)):
        return 1
    if hasattr(cls, "get_field_names") or issubclass(cls, (Row, tuple, list)):
        return 3
    if issubclass(cls, collections.abc.Mapping):
        return 2
    return 1 if cls.__module__ != "builtins" and any("__annotations__" in vars(b) for b in cls.__mro__[:-1]) else 0


def from_document(function):
    """Wraps a function that takes a Row for documents, which come as dicts."""

    def call(event):
        if not isinstance(event, dict):
            raise TypeError("expected an object for a Row, got %s" % type(event).__name__)
        return function(restore(None, tuple(event), tuple(event.values())))

    return call
