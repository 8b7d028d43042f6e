"""Decorators: what annotations do not say."""

_KINDS = ("map", "filter", "flat_map", "scalar")


def _mark(target, **said):
    target.__wasmill__ = {**getattr(target, "__wasmill__", {}), **{k: v for k, v in said.items() if v is not None}}
    return target


def function(target=None, *, kind=None, input=None, output=None):
    """Says of what kind a function is, and the columns that it takes and returns: {"name": int, "delay": Optional[float]}."""
    if kind is not None and kind not in _KINDS:
        raise ValueError("expected a kind of %s, got %r" % (", ".join(_KINDS), kind))
    if target is None:
        return lambda f: _mark(f, kind=kind, input=input, output=output)
    return _mark(target, kind=kind, input=input, output=output)


def vectorized(target=None, *, kind=None, input=None, output=None):
    """Makes a function get whole columns instead of rows: one call per batch.

    Its parameters are the columns of their names: sequences of values, and buffers where values have a fixed width, so that
    memoryview(column) reads them where they lie. It returns a column of the same length: a Column, a memoryview, an array, a list; a dict of
    them for several. A last parameter `out` gets columns to write to instead: out[i] = value, or memoryview(out).
    """
    if target is None:
        return lambda f: _mark(function(f, kind=kind, input=input, output=output), vectorized=True)
    return _mark(target, vectorized=True)
