"""Which functions a user's file has, and what they take and return."""

import abc
import collections.abc
import enum
import functools
import inspect
import re
import types
import typing

from _wasmill import Row

from . import types as t

MAP, FILTER, FLAT_MAP, SCALAR = "map", "filter", "flat_map", "scalar"
KINDS = (MAP, FILTER, FLAT_MAP, SCALAR)  # their numbers are those of the C module
POSITIONAL, EVENT, DOCUMENT, VECTOR = range(4)

DOCUMENTS = (t.Field("event", t.document, False),)  # what a function without a declared result returns
_HOOKS = ("open", "close")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}\Z")
_ITERATORS = (collections.abc.Iterator, collections.abc.Iterable, collections.abc.Generator)
_LISTS = (list, collections.abc.Sequence, tuple)


class Refused(Exception):
    """Why something in a file is no function of a stream."""


class Function:
    """A function as one kind: one entry of the description."""

    def __init__(self, name, kind, shape):
        self.name, self.kind, self.shape = name, kind, shape

    def declaration(self):
        """Returns the entry for the description."""
        s, d = self.shape, {"name": self.name, "kind": self.kind, "doc": self.shape.doc}
        if s.columns is not None:
            d["in"] = [{"name": f.name, "type": f.text()} for f in s.columns]
        if self.kind != FILTER and self.out is not None:
            d["out"] = [{"name": f.name, "type": f.text()} for f in self.out]
        return d

    @property
    def out(self):
        """Returns the Fields of the result, None for the same as the input's."""
        if self.kind == FILTER:
            return (t.Field("keep", t.boolean, True),)
        return self.shape.result

    @property
    def single(self):
        return self.kind == FILTER or self.shape.single


class Shape:
    """What a function takes and returns.

    style and columns (Fields, or None for any) say what it takes, cls what an event is made into: None a dict, Row any row, else see
    types.maker. result (Fields, or None for the input's columns) and single (whether a result is the value of the only column) say
    what it returns, and kinds as what it can be called.
    """

    def __init__(self, target, name):
        self.target, self.doc = target, _doc(target)
        self.owner = None  # the class or instance whose method this is
        self.columns = self.cls = self.result = None
        self.parameters, self.gives_out, self.single = (), False, True
        self.style, self.kinds, self.name = EVENT, (), name


def _doc(target):
    doc = (inspect.getdoc(target) or "") if not isinstance(target, functools.partial) else ""
    return "".join(c if c.isprintable() else " " for c in doc.strip().partition("\n")[0])[:500]


def functions(module, ours):
    """Returns the Functions of a module in the order in which they stand there, and {name: why} for what looks like one and is none. ours
    tells of an object whether it is the user's own, and not something imported from elsewhere."""
    found, refused = [], {}
    for name, value in list(vars(module).items()):
        if name.startswith("_") or name in _HOOKS:
            continue
        try:
            shapes = _shapes(name, value, ours)
        except Refused as e:
            refused[name] = str(e)
            continue
        for kind, shape in shapes:
            if not _NAME.match(name):
                refused[name] = "the name of a function has letters of English, digits and _, at most 128"
                break
            found.append(Function(name, kind, shape))
    return found, refused


def _shapes(name, value, ours):
    if isinstance(value, (types.FunctionType, types.MethodType, functools.partial, functools._lru_cache_wrapper, types.BuiltinFunctionType)):
        if not ours(value) and name not in KINDS:
            return []
        shape = shape_of(value, name, name if name in KINDS else None)
        return [(kind, shape) for kind in shape.kinds]
    cls = value if isinstance(value, type) else type(value)
    if isinstance(value, types.ModuleType) or not ours(cls) or issubclass(cls, (enum.Enum, tuple, dict, Row, BaseException)) or abc.ABC in cls.__bases__:
        return []
    found = []
    for kind in (MAP, FLAT_MAP, FILTER):
        method = getattr(value, kind, None)
        if not callable(method) or inspect.isabstract(cls):
            continue
        if value is cls:
            _check_constructor(cls)
        shape = shape_of(method, name, kind, skip=int(value is cls and not isinstance(inspect.getattr_static(cls, kind), (staticmethod, classmethod))))
        shape.owner = value
        found.append((kind, shape))
    if not found and value is not cls and callable(value):
        shape = shape_of(value.__call__, name, None)
        shape.owner, shape.target = value, value
        return [(kind, shape) for kind in shape.kinds]
    return found


def _check_constructor(cls):
    try:
        for p in inspect.signature(cls).parameters.values():
            if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
                raise Refused("%s() needs `%s`; make an instance at module level, for example %s = %s(...)" % (cls.__name__, p.name, cls.__name__.lower(), cls.__name__))
    except ValueError:
        pass  # a class without a signature: calling it tells


def _hints(target):
    function = target.func if isinstance(target, functools.partial) else inspect.unwrap(target)
    try:
        return typing.get_type_hints(function, include_extras=True)
    except NameError as e:
        raise Refused("an annotation names `%s`, which is not there" % e.name) from None
    except (TypeError, AttributeError, SyntaxError):
        return {}


def shape_of(target, name, kind=None, skip=0):
    """Looks at a function. kind is the one that its name fixes, or None; the first `skip` parameters are not looked at."""
    code = inspect.unwrap(target)
    if inspect.iscoroutinefunction(code) or inspect.isasyncgenfunction(code):
        raise Refused("async functions are not called, for a guest has no event loop; make it a plain def")
    said = getattr(target, "__wasmill__", None) or getattr(code, "__wasmill__", {})
    kind = said.get("kind") or kind
    shape, hints = Shape(target, name), dict(_hints(target))
    try:
        signature = inspect.signature(target)
    except (ValueError, TypeError):
        signature = inspect.Signature([inspect.Parameter("event", inspect.Parameter.POSITIONAL_ONLY)])  # one that is built in
    _take(shape, list(signature.parameters.values())[skip:], hints, said)
    _give(shape, hints.get("return", inspect.Signature.empty), kind, inspect.isgeneratorfunction(code), said)
    return shape


def _of(annotation, what):
    try:
        return t.of(annotation)
    except t.Unknown as e:
        raise Refused("%s: %s" % (what, e)) from None


def _columns(annotation, taken=False):
    """Returns the Fields of a class with fields, or None."""
    try:
        return t.fields(annotation, taken)
    except t.Unknown as e:
        raise Refused(str(e)) from None


def _declared(columns):
    return tuple(t.Field(name, *_of(annotation, name)) for name, annotation in columns.items())


def _take(shape, parameters, hints, said):
    positional, vector = [], said.get("vectorized", False)
    for p in parameters:
        if p.kind is p.KEYWORD_ONLY and p.default is p.empty:
            raise Refused("it needs `%s` by name, and functions are called with values by position" % p.name)
        if p.kind is p.VAR_POSITIONAL and not positional:
            positional.append(p)
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and (p.default is p.empty or not positional):
            positional.append(p)
    if vector and positional and positional[-1].name == "out":
        positional.pop()
        shape.gives_out = True
    if not positional:
        raise Refused("it has no parameter to take an event")
    declared = said.get("input")
    typed = [p for p in positional if p.name in hints]
    shape.parameters = tuple(p.name for p in positional)
    if vector:
        shape.style = VECTOR
        _take_columns(shape, positional, hints, declared, vector)
    elif len(positional) > 1:
        shape.style = POSITIONAL
        if typed and len(typed) < len(positional) and not declared:
            raise Refused("`%s` has no type, and other parameters have one" % next(p.name for p in positional if p.name not in hints))
        _take_columns(shape, positional, hints, declared, vector)
    else:
        _take_event(shape, positional[0], hints, declared)


def _take_columns(shape, positional, hints, declared, vector):
    if declared:
        shape.columns, shape.parameters = _declared(declared), tuple(declared)
    elif all(p.name in hints for p in positional) and not vector:
        shape.columns = tuple(t.Field(p.name, *_of(hints[p.name], "`%s`" % p.name)) for p in positional)
    elif vector and all(_item(hints.get(p.name)) is not None for p in positional):
        shape.columns = tuple(t.Field(p.name, *_of(_item(hints[p.name]), "`%s`" % p.name)) for p in positional)


def _item(annotation):
    """Returns the type of a column's values: that of list[float], Sequence[float], Column[float] or of a plain float; None when it is not told."""
    if annotation is None or annotation is memoryview or (isinstance(annotation, type) and annotation.__name__ in ("Column", "array", "ndarray")):
        return None
    if typing.get_origin(annotation) in (list, collections.abc.Sequence, collections.abc.Iterable):
        return typing.get_args(annotation)[0]
    return annotation


def _take_event(shape, parameter, hints, declared):
    annotation = hints.get(parameter.name)
    if declared:
        shape.columns = _declared(declared)
        return
    if annotation is None or t.is_document(annotation):
        return
    if annotation is Row or getattr(annotation, "__name__", "") == "Row" and hasattr(annotation, "get_field_names"):
        shape.cls = Row
        return
    if isinstance(annotation, typing.TypeVar):
        return
    columns = _columns(annotation, taken=True)
    if columns is not None:
        shape.columns, shape.cls = tuple(columns), t.maker(annotation)
        return
    shape.style, shape.columns = POSITIONAL, (t.Field(parameter.name, *_of(annotation, "`%s`" % parameter.name)),)


def _give(shape, annotation, kind, generates, said):
    """Finds out what a function returns, and its kinds."""
    many = None  # the annotation of the items of an iterable
    if said.get("output"):
        shape.result, shape.single = _declared(said["output"]), False
        shape.kinds = (kind,) if kind else (FLAT_MAP,) if generates else (MAP,)
        if shape.style == VECTOR or (len(shape.result) == 1 and shape.style == POSITIONAL):
            shape.single = len(shape.result) == 1
        return
    if annotation is type(None) and kind is None:
        raise Refused("it returns None")
    if annotation is inspect.Signature.empty or isinstance(annotation, typing.TypeVar):
        shape.result = DOCUMENTS
        if shape.style == VECTOR:
            raise Refused("a vectorized function says what it returns, for example -> list[float]")
        shape.kinds = (kind,) if kind else (FLAT_MAP,) if generates else (MAP, FILTER, FLAT_MAP)
        return
    try:
        plain, _ = t.optional(annotation)
    except t.Unknown as e:
        raise Refused("it returns what is no column: %s" % e) from None
    origin, args = typing.get_origin(plain) or plain, typing.get_args(plain)
    if origin in _ITERATORS or (origin in _LISTS and plain is not tuple and kind != MAP and not (origin is tuple and args[1:] != (...,))):
        many = args[0] if args else dict
    if shape.style == VECTOR:
        return _give_columns(shape, plain, kind)
    if many is not None:
        if kind not in (None, FLAT_MAP):
            raise Refused("a %s does not return an iterable" % kind)
        shape.kinds, annotation = (FLAT_MAP,), many
    elif plain is bool and kind in (None, FILTER):
        shape.kinds = (kind,) if kind else (SCALAR, FILTER) if shape.style == POSITIONAL else (FILTER,)
    elif kind:
        shape.kinds = (kind,)
    if shape.kinds == (FILTER,):
        return None
    return _give_rows(shape, annotation)


def _give_rows(shape, annotation):
    plain, _ = t.optional(annotation)
    if plain is Row or (isinstance(plain, type) and plain.__name__ == "Row" and hasattr(plain, "get_field_names")):
        shape.single, shape.kinds = False, shape.kinds or (MAP,)
        return
    if t.is_document(plain) or plain in (list, tuple):
        shape.result, shape.kinds = DOCUMENTS, shape.kinds or (MAP,)
        return
    columns = _columns(plain)
    if columns is not None:
        shape.result, shape.single, shape.kinds = tuple(columns), False, shape.kinds or (MAP,)
        return
    what, nullable = _of(annotation, "it returns")
    scalar = shape.style == POSITIONAL and shape.kinds in ((), (SCALAR,), (SCALAR, FILTER))
    shape.result = (t.Field(shape.name if scalar else "value", what, nullable),)
    if scalar and not shape.kinds:
        shape.kinds = (SCALAR, MAP)
    shape.kinds = shape.kinds or (MAP,)


def _give_columns(shape, annotation, kind):
    columns = _columns(annotation)
    if columns is not None:
        shape.result, shape.single, shape.kinds = tuple(columns), False, (kind or MAP,)
        return
    item = _item(annotation)
    if item is None:
        raise Refused("it returns a column whose values have no type; say for example -> list[float], or output={...} in the decorator")
    what, nullable = _of(item, "it returns")
    shape.result = (t.Field(shape.name, what, nullable),)
    shape.kinds = (kind,) if kind else (SCALAR, FILTER) if item is bool else (SCALAR, MAP)
