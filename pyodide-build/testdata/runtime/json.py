"""The codec beside the standard library's: the same results and the same errors, on awkward values and on random ones.

`map` gets {"seed": n, "rounds": n} and returns how much it compared; a difference raises."""

import collections
import enum
import inspect
import json
import random

DECODE, ENCODE = json.JSONDecoder().decode, json.JSONEncoder().encode  # the standard library's own way

TEXTS = [
    "", "{", "[", '"', '{"a":1,}', "[1,]", "01", "-", "-0", "-0.0", "0", "1e5", "1E+5", "1e-5", "1.", ".5", "1e", "+1", "NaN", "Infinity", "-Infinity",
    "nul", "true", "truex", '"\\u12"', '"\\ud800"', '"\\ud83d\\ude00"', '"\\ude00"', '"a\tb"', '"\\x"', '"\x7f"', '"é"', '"\\/"', " [1 , 2 ] ",
    '{"a":1,"a":2}', "[1] x", "9223372036854775807", "-9223372036854775808", "123456789012345678901234567890", "1.7976931348623157e308", "1e999",
    "-1e999", "1e-999", "0.1", "3.141592653589793238", "9007199254740993.0", "123456789012345678", "1234567890123456789", "[[[[1]]]]",
    '{"a":{"b":[{"c":null}]}}', '"' + "x" * 5000 + '"', '"' + "\\n" * 500 + '"', "[" * 150 + "]" * 150, '{"":1}', "{1:2}", '{"a" 1}', '{"a":1 "b":2}',
    '"\\u0000"', "1 2", "[1 2]", "tru", "fals", "nulll", '"\\"', '"abc', '{"k":"v\\u00e9\\ud83d\\ude00"}', "4.9e-324", "2.2250738585072011e-308",
    "0e0", "-0e1", "0.0001e-5", "1e22", "1e23", "123e-22", "0" * 30, "5e" + "9" * 30, "1" * 5000,
]


class Number(enum.IntEnum):
    ONE = 1


class Text(str):
    pass


class Real(float):
    def __repr__(self):
        return "real"


class Items(dict):
    def items(self):
        return [("x", 1)]


def values():
    pair = collections.namedtuple("Pair", "a b")
    circle, deep = [], []
    circle.append(circle)
    for _ in range(150):
        deep = [deep]
    return [
        None, True, 1, -1, 10**30, 10**5000, 1.5, float("nan"), float("inf"), -float("inf"), -0.0, 1e100, 5e-324, 'a"\\\n\x00\x7fé\U0001f600\ud800',
        Text("x"), Real(1.5), Number.ONE, {Number.ONE: 1}, {1: 2, None: 3, True: 4, 1.5: 5}, {(1,): 2}, {b"a": 1}, b"x", {1, 2}, [1, (2, 3)], pair(1, 2),
        Items(a=2), collections.OrderedDict(a=1), {"a": {"b": [1, {}]}}, {}, [], "", {Text("k"): 1}, circle, deep,
    ]


def outcome(function, value):
    try:
        result = function(value)
    except RecursionError:
        return "RecursionError"
    except Exception as e:
        return type(e).__name__, str(e), getattr(e, "pos", None), getattr(e, "lineno", None)
    return type(result).__name__, repr(result)


def same(ours, theirs, value):
    a, b = outcome(ours, value), outcome(theirs, value)
    if a != b:
        raise AssertionError("%.200r: %.300r, the standard library: %.300r" % (value, a, b))


def made(r, depth=0):
    kind = r.randrange(9 if depth < 4 else 6)
    if kind == 0:
        return r.choice([None, True, False])
    if kind == 1:
        return r.randrange(-(10 ** r.randrange(1, 25)), 10 ** r.randrange(1, 25))
    if kind == 2:
        return r.choice([r.random(), r.uniform(-1e10, 1e10), r.random() * 10.0 ** r.randrange(-300, 300), float(r.randrange(10**6))])
    if kind < 6:
        return "".join(chr(r.choice([r.randrange(32, 127), r.randrange(0x2000), r.randrange(0x10FFFF), 34, 92, 10])) for _ in range(r.randrange(12)))
    if kind == 6:
        return [made(r, depth + 1) for _ in range(r.randrange(5))]
    return {"k%d" % r.randrange(20): made(r, depth + 1) for _ in range(r.randrange(6))}


def spoiled(r, text):
    letters = list(text)
    for _ in range(r.randrange(1, 4)):
        if letters:
            at, what = r.randrange(len(letters)), r.random()
            if what < 0.4:
                del letters[at]
            elif what < 0.7:
                letters[at] = r.choice('{}[]",:\\0123456789.eE+-untrfalse \n\t\x01é')
            else:
                letters.insert(at, r.choice('{}[]",:\\0189.eE+-ntf \n'))
    return "".join(letters)


def map(event):
    compared = 0
    if str(inspect.signature(json.loads)) != "(s, *, cls=None, object_hook=None, parse_float=None, parse_int=None, parse_constant=None, object_pairs_hook=None, **kw)":
        raise AssertionError("json.loads looks like %s" % inspect.signature(json.loads))
    if json.loads.__module__ != "json" or not json.dumps.__doc__.startswith("Serialize"):
        raise AssertionError("json's functions do not look like themselves")
    for text in TEXTS:
        same(json.loads, DECODE, text)
        same(lambda t: json.loads(t.encode("utf-8", "surrogatepass")), DECODE, text)
        compared += 2
    for value in values():
        same(json.dumps, ENCODE, value)
        compared += 1
    for data in ("[1]".encode("utf-16"), "[1]".encode("utf-32"), b"\xef\xbb\xbf[1]", bytearray(b"[1, 2]")):
        if json.loads(data) not in ([1], [1, 2]):
            raise AssertionError("%r" % data)
    r = random.Random(event["seed"])
    for _ in range(event["rounds"]):
        value = made(r)
        same(json.dumps, ENCODE, value)
        text = json.dumps(value, ensure_ascii=r.random() < 0.5, indent=r.choice([None, None, 1]))
        same(json.loads, DECODE, text)
        same(json.loads, DECODE, spoiled(r, text))
        compared += 3
    return {"compared": compared}


def whole(value):
    """Returns a value with a question mark for each half of a surrogate pair."""
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def flat_map(event):
    """Writes values as events are written: compact, as UTF-8, null for numbers that JSON does not have."""
    r = random.Random(event["seed"])
    for _ in range(event["rounds"]):
        yield [whole(made(r))]
    yield {"nan": float("nan"), "inf": [float("inf"), -float("inf")], "pair": "\ud83d" + "\ude00", "key": {1: 2, None: 3, "true": 4, 1.5: 5}, "sub": [Text("t"), Number.ONE, Items(a=2)]}


def deep(event):
    """Nests deeper than the codec follows."""
    value = {"nan": float("nan"), "half": "\ud800", "text": "\u00e9"}[event]
    for _ in range(150):
        value = [value]
    return value


def half(event):
    """Returns text that is no text, somewhere."""
    return {"low": ["a\udc00"], "high": {"x": ("é", "\ud800")}, "last": "ab\U0001f600\udbff", "key": {"\ud83dx": 1}, "swapped": "\ude00\ud83d", "none": "fine"}[event]
