"""Row: values by position and, where it has field names, by name."""

from enum import Enum

__all__ = ["Row", "RowKind"]


class RowKind(Enum):
    """What a row does to the rows before it."""

    INSERT = 0
    UPDATE_BEFORE = 1
    UPDATE_AFTER = 2
    DELETE = 3

    def __str__(self):
        return _SHORT[self.value]


_SHORT = ("+I", "-U", "+U", "-D")


def _restore(fields, values, kind):
    row = _new(Row)
    _set_values(row, list(values))
    _set_kind(row, kind)
    if fields is not None:
        _set_fields(row, fields)
    return row


class Row:
    """A row of values.

    ``Row(1, "a")`` has values alone, ``Row(id=1, name="a")`` also names, sorted, and
    ``Person = Row("id", "name")`` makes rows with these names in this order: ``Person(1, "a")``.
    Values are read and set by position (``row[0]``), by name (``row["id"]``) and read as attributes (``row.id``).

    >>> Person = Row("id", "name")
    >>> Person(1, "a"), Person(1, "a").name, Row(b=1, a=2), Row(1, "a")
    (Row(id=1, name='a'), 'a', Row(a=2, b=1), <Row(1, 'a')>)
    """

    __slots__ = ("_fields", "_values", "_row_kind")

    def __init__(self, *args, **kwargs):
        if args and kwargs:
            raise ValueError("Can not use both args and kwargs to create Row")
        if kwargs:
            names = sorted(kwargs)
            _set_fields(self, names)
            _set_values(self, [kwargs[name] for name in names])
        else:
            _set_values(self, list(args))
        _set_kind(self, _INSERT)

    def as_dict(self, recursive=False):
        """Returns the values by name; with recursive, rows inside of rows, lists and dicts as well."""
        if not hasattr(self, "_fields"):
            raise TypeError("Cannot convert a Row class into dict")
        if not recursive:
            return dict(zip(self._fields, self._values))

        def convert(value):
            if isinstance(value, Row):
                return value.as_dict(True)
            if isinstance(value, list):
                return [convert(v) for v in value]
            if isinstance(value, dict):
                return {k: convert(v) for k, v in value.items()}
            return value

        return {name: convert(value) for name, value in zip(self._fields, self._values)}

    def get_row_kind(self):
        """Returns the row's :class:`RowKind`."""
        return self._row_kind

    def set_row_kind(self, row_kind):
        """Sets the row's :class:`RowKind`."""
        _set_kind(self, row_kind)

    def get_field_names(self):
        """Returns the names of the fields, or None."""
        return getattr(self, "_fields", None)

    def set_field_names(self, field_names):
        """Names the fields, in their order."""
        _set_fields(self, field_names)

    def get_fields_by_names(self, names):
        """Returns the values of these fields."""
        if not hasattr(self, "_fields") or names == self._fields:
            return self._values
        absent = [name for name in names if name not in self._fields]
        if absent:
            raise Exception("Field names %s not exist in %s." % (absent, self._fields))
        return [self._values[self._fields.index(name)] for name in names]

    @staticmethod
    def of_kind(row_kind, *args, **kwargs):
        """Returns a row of a :class:`RowKind`."""
        row = Row(*args, **kwargs)
        row.set_row_kind(row_kind)
        return row

    def __contains__(self, item):
        return item in self._values

    def __call__(self, *args):
        if len(args) > len(self._values):
            raise ValueError("Can not create Row with fields %s, expected %d values but got %s" % (self, len(self), args))
        return _restore(self._values, args, self._row_kind)

    def _index(self, name):
        try:
            return self._fields.index(name)
        except AttributeError:
            raise KeyError("the row has no field names, so that there is no field %r" % (name,)) from None

    def __getitem__(self, item):
        if isinstance(item, (int, slice)):
            return self._values[item]
        return self._values[self._index(item)]

    def __setitem__(self, key, value):
        if isinstance(key, (int, slice)):
            self._values[key] = value
        else:
            self._values[self._index(key)] = value

    def __getattr__(self, item):
        if item.startswith("_"):
            raise AttributeError(item)
        try:
            return self._values[self._fields.index(item)]
        except (AttributeError, IndexError, ValueError):
            raise AttributeError(
                "the row has no field %r%s" % (item, ", its fields are %s" % ", ".join(map(str, self._fields)) if hasattr(self, "_fields") else "")
            ) from None

    def __setattr__(self, key, value):
        if key not in Row.__slots__:
            raise AttributeError("%s: set a field by row[%r] = value" % (key, key))
        object.__setattr__(self, key, value)

    def __reduce__(self):
        return _restore, (getattr(self, "_fields", None), tuple(self._values), self._row_kind)

    def __repr__(self):
        if hasattr(self, "_fields"):
            return "Row(%s)" % ", ".join("%s=%r" % pair for pair in zip(self._fields, self._values))
        return "<Row(%s)>" % ", ".join("%r" % (value,) for value in self._values)

    def __eq__(self, other):
        if not isinstance(other, Row):
            return False
        return (
            self._values == other._values
            and self._row_kind == other._row_kind
            and getattr(self, "_fields", None) == getattr(other, "_fields", None)
            and self.__class__ == other.__class__
        )

    def __hash__(self):
        return hash(tuple(self._values))

    def __iter__(self):
        return iter(self._values)

    def __len__(self):
        return len(self._values)


# Setters of the slots, past __setattr__.
_new, _INSERT = object.__new__, RowKind.INSERT
_set_fields, _set_values, _set_kind = Row._fields.__set__, Row._values.__set__, Row._row_kind.__set__
