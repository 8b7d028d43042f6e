"""What a function is bound to when a stream gets it.

PyFlink pickles a function right then, so that the lambdas of a loop have each their own `i`, and an object that is given twice is two. Here functions
stay what they are until the interpreter is cloned; those whose variables have been bound anew by then are given back the ones they had.
"""

import copy
import itertools
import types

_given = {}  # by address: objects that operators have
_functions = []  # functions that see variables of the script, each with what these were
_numbers = itertools.count(1)


def own(function):
    """Returns an object with a function for one operator alone: a copy of one that another operator has."""
    if id(function) not in _given:
        _given[id(function)] = function
        return function
    try:
        return copy.deepcopy(function)
    except Exception:  # of whatever the object holds: it stays the one that it is
        return function


def bound(function):
    """Returns a function that sees its variables as they are now."""
    return _bound(function) if isinstance(function, types.FunctionType) else function


def _bound(function):
    cells = tuple(_cell(cell) for cell in function.__closure__ or ())
    by_value = function.__module__ == "__main__" or "<" in function.__qualname__  # modules are imported, and see their own variables
    seen = {name: function.__globals__[name] for name in _names(function.__code__) if name in function.__globals__} if by_value else {}
    if not cells and not seen:
        return function
    copied = types.FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__, cells)
    for name in ("__kwdefaults__", "__qualname__", "__module__", "__doc__", "__annotations__"):
        setattr(copied, name, getattr(function, name))
    copied.__dict__.update(function.__dict__)
    if seen:
        _functions.append((copied, seen))
    return copied


def _cell(cell):
    try:
        return types.CellType(cell.cell_contents)
    except ValueError:  # what is defined later, as a function that calls another
        return cell


def _codes(code):
    yield code
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from _codes(const)


def _names(code):
    return {name for each in _codes(code) for name in each.co_names}


def settle():
    """Gives functions the variables that they had when streams got them. Called before the interpreter is cloned."""
    for function, seen in _functions:
        names = function.__globals__
        changed = {name for name, value in seen.items() if names.get(name, _functions) is not value}
        if changed:
            _restore(function, changed, seen)


def _restore(function, changed, seen):
    import dis

    for code in _codes(function.__code__):
        for step in dis.get_instructions(code):
            if step.argval in changed and step.opname != "LOAD_GLOBAL" and not step.opname.startswith(("LOAD_CONST", "LOAD_FAST", "LOAD_DEREF")):
                changed.discard(step.argval)  # set by the function itself, or an attribute's name, too
    aliases = {name: "%s@%d" % (name, next(_numbers)) for name in changed}  # no name in a script is like these
    for name, alias in aliases.items():
        function.__globals__[alias] = seen.pop(name)
    function.__code__ = _renamed(function.__code__, aliases)


def _renamed(code, aliases):
    return code.replace(co_names=tuple(aliases.get(name, name) for name in code.co_names),
                        co_consts=tuple(_renamed(const, aliases) if isinstance(const, types.CodeType) else const for const in code.co_consts))
