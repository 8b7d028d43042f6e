// Objects into JSON.
#include <math.h>
#include <stdbool.h>

#include "json.h"

struct writer {
    struct wm_buffer *out;
    bool event; // the form
    int depth;
};

static int print(struct writer *w, PyObject *o);

static inline int add(struct writer *w, const char *s, size_t n) { return wm_buffer_add(w->out, s, n); }

static int hex(struct writer *w, unsigned v) {
    static const char digits[] = "0123456789abcdef";
    char s[6] = {'\\', 'u', digits[v >> 12 & 15], digits[v >> 8 & 15], digits[v >> 4 & 15], digits[v & 15]};
    return add(w, s, 6);
}

static int escape(struct writer *w, unsigned char c) {
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *which = c ? strchr(from, c) : NULL;
    if (!which) return hex(w, c);
    char s[2] = {'\\', to[which - from]};
    return add(w, s, 2);
}

// bytes writes text whose bytes above `highest` cannot occur.
static int bytes(struct writer *w, const char *s, Py_ssize_t n, unsigned char highest) {
    if (wm_buffer_room(w->out, (size_t)n + 2)) return -1;
    w->out->data[w->out->size++] = '"';
    const char *end = s + n, *run = s;
    for (; s < end; s++) {
        unsigned char c = (unsigned char)*s;
        if (c >= 0x20 && c != '"' && c != '\\' && c <= highest) continue;
        if (add(w, run, (size_t)(s - run)) || escape(w, c)) return -1;
        run = s + 1;
    }
    return add(w, run, (size_t)(s - run)) || add(w, "\"", 1) ? -1 : 0;
}

// half_pair says that character i of a text is a surrogate without its other half, which no JSON can hold that is read elsewhere.
static int half_pair(Py_ssize_t i, Py_UCS4 c) {
    PyErr_Format(PyExc_ValueError, "character %zd of a text is half of a surrogate pair (U+%X)", i, (int)c);
    return -1;
}

static int points(struct writer *w, PyObject *o) {
    if (add(w, "\"", 1)) return -1;
    int kind = PyUnicode_KIND(o);
    const void *data = PyUnicode_DATA(o);
    for (Py_ssize_t i = 0, n = PyUnicode_GET_LENGTH(o); i < n; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (w->event && Py_UNICODE_IS_SURROGATE(c)) {
            Py_UCS4 low = i + 1 < n ? PyUnicode_READ(kind, data, i + 1) : 0;
            if (!Py_UNICODE_IS_HIGH_SURROGATE(c) || !Py_UNICODE_IS_LOW_SURROGATE(low)) return half_pair(i, c);
            if (hex(w, c) || hex(w, low)) return -1;
            i++;
            continue;
        }
        int bad;
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
            char plain = (char)c;
            bad = add(w, &plain, 1);
        } else if (c < 0x7f) bad = escape(w, (unsigned char)c);
        else if (c < 0x10000) bad = hex(w, c);
        else bad = hex(w, 0xd800 + ((c - 0x10000) >> 10)) || hex(w, 0xdc00 + ((c - 0x10000) & 1023));
        if (bad) return -1;
    }
    return add(w, "\"", 1);
}

static int text(struct writer *w, PyObject *o) {
    if (PyUnicode_IS_COMPACT_ASCII(o)) return bytes(w, (const char *)PyUnicode_1BYTE_DATA(o), PyUnicode_GET_LENGTH(o), w->event ? 0x7f : 0x7e);
    if (w->event) {
        Py_ssize_t n;
        const char *s = PyUnicode_AsUTF8AndSize(o, &n);
        if (s) return bytes(w, s, n, 0xff);
        if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) return -1;
        PyErr_Clear(); // surrogates: a pair of them is written as escapes
    }
    return points(w, o);
}

// repr writes what a type's own repr says, whatever a subclass would.
static int repr(struct writer *w, PyObject *o, reprfunc of) {
    PyObject *s = of(o);
    Py_ssize_t n;
    const char *utf8 = s ? PyUnicode_AsUTF8AndSize(s, &n) : NULL;
    int bad = !utf8 || add(w, utf8, (size_t)n);
    Py_XDECREF(s);
    return bad ? -1 : 0;
}

static int integer(struct writer *w, PyObject *o) {
    int over;
    long long v = PyLong_AsLongLongAndOverflow(o, &over);
    if (over) return repr(w, o, PyLong_Type.tp_repr);
    char s[24], *p = s + sizeof s;
    unsigned long long u = v < 0 ? 0 - (unsigned long long)v : (unsigned long long)v;
    do *--p = (char)('0' + u % 10);
    while (u /= 10);
    if (v < 0) *--p = '-';
    return add(w, p, (size_t)(s + sizeof s - p));
}

static int real(struct writer *w, PyObject *o) {
    double d = PyFloat_AS_DOUBLE(o);
    if (isfinite(d)) return repr(w, o, PyFloat_Type.tp_repr);
    if (w->event) return add(w, "null", 4);
    return isnan(d) ? add(w, "NaN", 3) : d > 0 ? add(w, "Infinity", 8) : add(w, "-Infinity", 9);
}

static int separator(struct writer *w, char c, bool wanted) {
    char s[2] = {c, ' '};
    return wanted ? add(w, s, w->event ? 1 : 2) : 0;
}

static int sequence(struct writer *w, PyObject *o) {
    if (add(w, "[", 1)) return -1;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); i++) {
        PyObject *item = Py_NewRef(PySequence_Fast_GET_ITEM(o, i));
        int s = separator(w, ',', i > 0) ? -1 : print(w, item);
        Py_DECREF(item);
        if (s) return s;
    }
    return add(w, "]", 1);
}

static int key(struct writer *w, PyObject *k) {
    if (PyUnicode_CheckExact(k)) return text(w, k);
    if (!w->event) return 1;
    if (PyUnicode_Check(k)) return text(w, k);
    if (k != Py_None && !PyLong_Check(k) && !PyFloat_Check(k)) {
        PyErr_Format(PyExc_TypeError, "keys must be str, int, float, bool or None, not %.200s", Py_TYPE(k)->tp_name);
        return -1;
    }
    return add(w, "\"", 1) || print(w, k) || add(w, "\"", 1) ? -1 : 0;
}

static int member(struct writer *w, PyObject *k, PyObject *v, bool first) {
    Py_INCREF(k), Py_INCREF(v); // the items() of a dict of the user's further in may change this one
    int s = separator(w, ',', !first) ? -1 : key(w, k);
    if (!s) s = separator(w, ':', true) ? -1 : print(w, v);
    Py_DECREF(k), Py_DECREF(v);
    return s;
}

static int mapping(struct writer *w, PyObject *o) {
    if (add(w, "{", 1)) return -1;
    int s = 0;
    if (PyDict_CheckExact(o)) {
        PyObject *k, *v;
        for (Py_ssize_t at = 0, first = 1; !s && PyDict_Next(o, &at, &k, &v); first = 0) s = member(w, k, v, first);
    } else {
        PyObject *items = PyMapping_Items(o);
        if (!items) return -1;
        for (Py_ssize_t i = 0; !s && i < PyList_GET_SIZE(items); i++) {
            PyObject *pair = PyList_GET_ITEM(items, i);
            if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
                PyErr_SetString(PyExc_ValueError, "items must return 2-tuples");
                s = -1;
            } else s = member(w, PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1), i == 0);
        }
        Py_DECREF(items);
    }
    return s ? s : add(w, "}", 1);
}

static int nested(struct writer *w, PyObject *o, int (*of)(struct writer *, PyObject *)) {
    if (++w->depth > WM_JSON_DEEPEST) return 1;
    int s = of(w, o);
    w->depth--;
    return s;
}

static int print(struct writer *w, PyObject *o) {
    PyTypeObject *t = Py_TYPE(o);
    if (t == &PyUnicode_Type) return text(w, o);
    if (t == &PyLong_Type) return integer(w, o);
    if (o == Py_None) return add(w, "null", 4);
    if (o == Py_True) return add(w, "true", 4);
    if (o == Py_False) return add(w, "false", 5);
    if (t == &PyFloat_Type) return real(w, o);
    if (t == &PyDict_Type) return nested(w, o, mapping);
    if (t == &PyList_Type || t == &PyTuple_Type) return nested(w, o, sequence);
    if (!w->event) return 1;
    if (PyUnicode_Check(o)) return text(w, o);
    if (PyLong_Check(o)) return repr(w, o, PyLong_Type.tp_repr);
    if (PyFloat_Check(o)) return real(w, o);
    if (PyList_Check(o) || PyTuple_Check(o)) return nested(w, o, sequence);
    if (PyDict_Check(o)) return nested(w, o, mapping);
    PyErr_Format(PyExc_TypeError, "Object of type %.200s is not JSON serializable", t->tp_name);
    return -1;
}

int wm_json_print(PyObject *o, struct wm_buffer *out, enum wm_json_form form) {
    struct writer w = {out, form == WM_JSON_EVENT, 0};
    size_t before = out->size;
    int s = print(&w, o);
    if (s == 1) out->size = before;
    return s;
}
