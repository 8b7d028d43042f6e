"""The text of an error: what happened and where, the traceback through the user's files, the row."""

import reprlib
import sys
import traceback

from . import _missing

_repr = reprlib.Repr()
_repr.maxlevel, _repr.maxdict, _repr.maxlist, _repr.maxtuple, _repr.maxset = 4, 30, 30, 30, 30
_repr.maxstring = _repr.maxother = _repr.maxlong = 200
_MOST = 1024  # characters of a row
_FRAMES = 40
_CAUSES = 4
_RAISED = (Exception, GeneratorExit, KeyboardInterrupt, SystemExit)  # what a user's __str__ may raise; a Timeout goes on

root = "/bundle/"  # where the user's files are


def short(value):
    """Returns a value as a text of at most 200 characters."""
    try:
        text = _repr.repr(value)
    except _RAISED as e:  # a __repr__ of the user's
        text = "<%s whose repr() raises %s>" % (type(value).__name__, type(e).__name__)
    text = _printable(text).replace("\n", "\\n")
    return text if len(text) <= 200 else text[:197] + "..."


def row_text(values):
    """Returns a row as a text of at most 1 KiB."""
    if not isinstance(values, dict):
        return short(values)
    parts, size = [], 0
    for name, value in values.items():
        part = "%s: %s" % (short(name), short(value))
        size += len(part) + 2
        if size > _MOST - 8:
            parts.append("...")
            break
        parts.append(part)
    return "{%s}" % ", ".join(parts)


def _relative(filename):
    return filename[len(root):] if filename and filename.startswith(root) else filename


def _user_frames(e):
    frames = [f for f in traceback.walk_tb(e.__traceback__) if f[0].f_code.co_filename.startswith(root)]
    if len(frames) > _FRAMES:
        frames = frames[: _FRAMES // 2] + frames[-_FRAMES // 2 :]
    return frames


def _stack(e):
    """Returns the lines of the traceback through the user's files."""
    found = traceback.TracebackException(type(e), e, None, capture_locals=False, compact=True)
    found.stack = traceback.StackSummary._extract_from_extended_frame_gen(
        ((f, (line, None, None, None) if not _position(f, i) else _position(f, i)) for f, line, i in _with_places(e)), limit=None, lookup_lines=True
    )
    return found


def _with_places(e):
    kept = {id(f) for f, _ in _user_frames(e)}
    tb = e.__traceback__
    while tb is not None:
        if id(tb.tb_frame) in kept:
            yield tb.tb_frame, tb.tb_lineno, tb.tb_lasti
        tb = tb.tb_next


def _position(frame, instruction):
    if instruction < 0:
        return None
    for i, place in enumerate(frame.f_code.co_positions()):
        if i == instruction // 2:
            return place if place[0] is not None else None
    return None


def _lines(e, seen, depth):
    """Yields the traceback of e, of its causes first."""
    seen.add(id(e))
    before = e.__cause__ or (None if e.__suppress_context__ else e.__context__)
    if before is not None and id(before) not in seen and depth < _CAUSES:
        yield from _lines(before, seen, depth + 1)
        yield "\nwhich led to:\n\n" if e.__cause__ else "\nand while that was handled:\n\n"
    found = _stack(e)
    frames = found.stack.format()
    if frames:
        yield "Traceback (most recent call last):\n"
        yield from frames
    yield from found.format_exception_only()


def place(e):
    """Returns where an exception comes from: "clean.py, line 12, in map"; "" when no file of the user's had a part."""
    if isinstance(e, SyntaxError) and e.filename and e.filename.startswith(root):
        return "%s, line %s" % (_relative(e.filename), e.lineno)
    frames = _user_frames(e)
    if not frames:
        cause = e.__cause__
        return place(cause) if cause is not None and cause is not e else ""
    frame, line = frames[-1]
    return "%s, line %d, in %s" % (_relative(frame.f_code.co_filename), line, frame.f_code.co_name)


def summary(e):
    """Returns the first line: the exception, its text cut to one line, and the place."""
    try:
        text = (e.msg if isinstance(e, SyntaxError) else str(e)) or ""
    except _RAISED:
        text = "<an exception whose str() raises>"
    text = text.partition("\n")[0]
    if len(text) > 500:
        text = text[:497] + "..."
    where = place(e)
    name = type(e).__name__ if type(e).__module__ in ("builtins", "__main__", "wasmill") else type(e).__qualname__
    return name + (": " + text if text else "") + (" (%s)" % where if where else "")


def text(e, function, row, values):
    """Returns the whole text of an error for its author."""
    parts = [summary(e)]
    hint = _missing.hint(e) if isinstance(e, ImportError) else _hint(e)
    if hint:
        parts.append("hint: " + hint)
    try:
        trace = "".join(_lines(e, set(), 0)).replace(root, "")
    except _RAISED as problem:
        trace = "%s\n(no traceback: %s)\n" % (parts[0], type(problem).__name__)
    if len(trace) > 40000:
        trace = trace[:20000] + "\n...\n" + trace[-20000:]
    if "\n" in trace.rstrip("\n"):  # else it says what the summary says
        parts.append(trace.rstrip("\n"))
    if row >= 0 and values is not None:
        parts.append("row: " + row_text(values))
    return _printable("\n".join(parts))


def _printable(text):
    """Returns text that any log can take: half surrogates and control characters are escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text)


def _hint(e):
    if isinstance(e, SystemExit):
        return "a function ends with return; sys.exit() ends no job"
    if isinstance(e, MemoryError):
        return "the guest's memory is at its limit (--memory)"
    if isinstance(e, RecursionError):
        return "the depth of calls is limited to %d" % sys.getrecursionlimit()
    return ""
