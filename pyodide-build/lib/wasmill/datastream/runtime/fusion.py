"""Operators that follow each other as one function.

Each says in Python's source what it does with an element, and what the next ones do with its results stands in the same function: an element
goes through a chain without any call but those of the user's functions.
"""

from contextlib import contextmanager

# A function takes in so many operators, and blocks within blocks.
OPERATORS, BLOCKS = 30, 8


class Code:
    """The source of one function, as it is written: lines, variables, and names for the objects that it works with."""

    def __init__(self, head):
        self._lines, self._names, self._objects, self._indent, self._variables = [head], {}, {}, 1, 0

    def add(self, line):
        """Adds a line to the current block."""
        self._lines.append("    " * self._indent + line)

    @contextmanager
    def block(self, line):
        """Adds a line and, within, the block under it."""
        self.add(line)
        self._indent += 1
        yield
        self._indent -= 1

    def variable(self):
        """Returns the name of a new variable."""
        self._variables += 1
        return "v%d" % self._variables

    def name(self, thing):
        """Returns what an object is called in the source."""
        name = self._names.get(id(thing))
        if name is None:
            name = self._names[id(thing)] = "_%d" % len(self._names)
            self._objects[name] = thing
        return name

    def then(self, entry, value):
        """Goes on with the element in the variable."""
        if self._indent > BLOCKS:
            self.add("%s(%s)" % (self.name(entry.function()), value))
        else:
            entry.write(self, value)

    def convert(self, type_info, value):
        """Makes what the variable holds a value of the type."""
        convert = type_info.converter()
        if convert is None:
            return
        conversion = "%s = %s(%s)" % (value, self.name(convert), value)
        test = type_info._test(value)
        if test is None:
            self.add(conversion)
        else:
            with self.block("if not (%s):" % test):
                self.add(conversion)

    def function(self):
        """Returns the function."""
        exec(compile("\n".join(self._lines), __file__, "exec"), self._objects)
        return self._objects["run"]


class Entry:
    """What takes elements. `write(code, v)` adds what is done with the element in the variable v; `size` is how many operators that is."""

    def __init__(self, write, size=0):
        self.write, self.size = write, size
        self._function = self._each = None

    @staticmethod
    def of(take):
        """Returns the entry of a function of an element, and an entry as it is."""
        if isinstance(take, Entry):
            return take
        entry = Entry(lambda code, v: code.add("%s(%s)" % (code.name(take), v)))
        entry._function = take
        return entry

    def function(self):
        """Returns a function of an element."""
        if self._function is None:
            code = Code("def run(v):")
            self.write(code, "v")
            self._function = code.function()
        return self._function

    def each(self):
        """Returns a function of many elements."""
        if self._each is None:
            code = Code("def run(values):")
            with code.block("for v in values:"):
                self.write(code, "v")
            self._each = code.function()
        return self._each

    def before(self, write):
        """Returns the entry of what stands before this one."""
        return Entry(write, self.size + 1) if self.size < OPERATORS else Entry.of(self.function()).before(write)


def converting(entry, type_info):
    """Returns the entry that converts values to a type first."""
    if type_info.converter() is None:
        return entry

    def write(code, v):
        code.convert(type_info, v)
        code.then(entry, v)

    return Entry(write, entry.size)


def fan_out(entries):
    """Returns the entry of several, one after the other."""
    if len(entries) == 1:
        return entries[0]
    functions = [entry.function() for entry in entries]

    def write(code, v):
        for function in functions:
            code.add("%s(%s)" % (code.name(function), v))
        if not functions:
            code.add("pass")

    return Entry(write)
