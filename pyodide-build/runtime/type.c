#include "type.h"

#include <stdlib.h>
#include <string.h>

#include "event.h"

enum { MOST_NESTED = 32 };

static int unknown(const char *format) {
    PyErr_Format(PyExc_TypeError, "a column of the Arrow format '%s' cannot be a Python value", format);
    return -1;
}

static int set_unit(struct wm_type *t, char unit) {
    switch (unit) {
    case 's': t->per_second = 1; return 0;
    case 'm': t->per_second = 1000; return 0;
    case 'u': t->per_second = 1000000; return 0;
    case 'n': t->per_second = 1000000000; return 0;
    default: return -1;
    }
}

// set_zone finds the tzinfo of a zone's name. The Python package knows how, for it may have to look for data.
static int set_zone(struct wm_type *t, const char *zone) {
    if (!*zone) return 0;
    PyObject *m = PyImport_ImportModule("wasmill._zones");
    if (!m) return -1;
    t->zone = PyObject_CallMethod(m, "zone", "s", zone);
    Py_DECREF(m);
    return t->zone ? 0 : -1;
}

static int set_time(struct wm_type *t, const char *f) { // after the 't'
    t->width = 8;
    switch (f[0]) {
    case 'd':
        if (f[1] != 'D' || f[2]) return -1;
        t->kind = WM_DATE, t->width = 4;
        return 0;
    case 't':
        t->kind = WM_TIME, t->width = f[1] == 's' || f[1] == 'm' ? 4 : 8;
        return f[1] && !f[2] ? set_unit(t, f[1]) : -1;
    case 'D':
        t->kind = WM_DURATION;
        return f[1] && !f[2] ? set_unit(t, f[1]) : -1;
    case 's':
        t->kind = WM_TIMESTAMP;
        if (!f[1] || set_unit(t, f[1]) || f[2] != ':') return -1;
        return set_zone(t, f + 3);
    default:
        return -1;
    }
}

static int set_decimal(struct wm_type *t, const char *f) { // after the 'd'
    char *end;
    if (*f != ':') return -1;
    long precision = strtol(f + 1, &end, 10), scale = 0;
    if (*end == ',') scale = strtol(end + 1, &end, 10);
    if (*end || precision < 1 || precision > 38 || scale < -1000 || scale > 1000) return -1; // 256 bits have a third number
    t->kind = WM_DECIMAL, t->width = 16, t->precision = (int)precision, t->scale = (int)scale;
    return 0;
}

static int set_plain(struct wm_type *t, enum wm_kind kind, unsigned width, const char *f) {
    t->kind = kind, t->width = width;
    return f[1] ? -1 : 0;
}

static int set_format(struct wm_type *t, const char *f) {
    switch (f[0]) {
    case 'n': return set_plain(t, WM_NULL, 0, f);
    case 'b': return set_plain(t, WM_BOOL, 0, f);
    case 'c': return set_plain(t, WM_INT, 1, f);
    case 's': return set_plain(t, WM_INT, 2, f);
    case 'i': return set_plain(t, WM_INT, 4, f);
    case 'l': return set_plain(t, WM_INT, 8, f);
    case 'C': return set_plain(t, WM_UINT, 1, f);
    case 'S': return set_plain(t, WM_UINT, 2, f);
    case 'I': return set_plain(t, WM_UINT, 4, f);
    case 'L': return set_plain(t, WM_UINT, 8, f);
    case 'f': return set_plain(t, WM_FLOAT, 4, f);
    case 'g': return set_plain(t, WM_FLOAT, 8, f);
    case 'u': return set_plain(t, WM_TEXT, 4, f);
    case 'U': return set_plain(t, WM_TEXT, 8, f);
    case 'z': return set_plain(t, WM_BYTES, 4, f);
    case 'Z': return set_plain(t, WM_BYTES, 8, f);
    case 'j': return set_plain(t, WM_JSON, 4, f);
    case 't': return set_time(t, f + 1);
    case 'd': return set_decimal(t, f + 1);
    case 'w': {
        char *end;
        if (f[1] != ':') return -1;
        long n = strtol(f + 2, &end, 10);
        if (*end || n < 0 || n > 1 << 24) return -1;
        t->kind = WM_FIXED, t->width = (unsigned)n;
        return 0;
    }
    case '+':
        if (f[1] == 'l' && !f[2]) return t->kind = WM_LIST, t->width = 4, 0;
        if (f[1] == 'm' && !f[2]) return t->kind = WM_MAP, t->width = 4, 0;
        if (f[1] == 's' && !f[2]) return t->kind = WM_STRUCT, 0;
        return -1;
    default:
        return -1;
    }
}

static int set_name(struct wm_type *t, const char *name) {
    t->name = PyUnicode_InternFromString(name ? name : "");
    return t->name ? 0 : -1;
}

// children_fit tells whether t has the children that its kind needs.
static int children_fit(const struct wm_type *t) {
    switch (t->kind) {
    case WM_STRUCT: return 1;
    case WM_LIST: return t->n == 1;
    case WM_MAP: return t->n == 1 && t->children[0].kind == WM_STRUCT && t->children[0].n == 2;
    case WM_DICTIONARY: return t->n == 2 && (t->children[0].kind == WM_INT || t->children[0].kind == WM_UINT);
    default: return t->n == 0;
    }
}

static int with_children(struct wm_type *t, Py_ssize_t n, int depth) {
    if (depth > MOST_NESTED) {
        PyErr_Format(PyExc_TypeError, "types are nested more than %d deep", MOST_NESTED);
        return -1;
    }
    t->children = n ? calloc((size_t)n, sizeof *t->children) : NULL;
    if (n && !t->children) {
        PyErr_NoMemory();
        return -1;
    }
    t->n = n;
    return 0;
}

// is_json looks for the extension arrow.json in a field's metadata: a count, then for each entry the lengths and bytes of a key
// and a value, all 32 bits and not aligned.
static bool is_json(const char *p) {
    static const char key[] = "ARROW:extension:name", value[] = "arrow.json";
    if (!p) return false;
    int32_t count, n, m;
    memcpy(&count, p, 4), p += 4;
    for (; count > 0; count--) {
        memcpy(&n, p, 4), p += 4;
        const char *k = p;
        p += n, memcpy(&m, p, 4), p += 4;
        if (n == sizeof key - 1 && m == sizeof value - 1 && !memcmp(k, key, sizeof key - 1) && !memcmp(p, value, sizeof value - 1)) return true;
        p += m;
    }
    return false;
}

int wm_type_of_schema(struct wm_type *t, const struct wm_schema *s, int depth) {
    *t = (struct wm_type){.nullable = s->flags & WM_SCHEMA_NULLABLE};
    if (set_name(t, s->name)) return -1;
    if (s->dictionary) {
        struct wm_schema index = *s;
        index.dictionary = NULL;
        t->kind = WM_DICTIONARY;
        if (with_children(t, 2, depth) || wm_type_of_schema(&t->children[0], &index, depth + 1)) return -1;
        if (wm_type_of_schema(&t->children[1], s->dictionary, depth + 1)) return -1;
        t->width = t->children[0].width;
    } else {
        if (set_format(t, s->format)) return PyErr_Occurred() ? -1 : unknown(s->format);
        if (t->kind == WM_TEXT && is_json(s->metadata)) t->kind = WM_JSON;
        if (with_children(t, (Py_ssize_t)s->n_children, depth)) return -1;
        for (Py_ssize_t i = 0; i < t->n; i++)
            if (wm_type_of_schema(&t->children[i], s->children[i], depth + 1)) return -1;
    }
    return children_fit(t) ? 0 : unknown(s->format);
}

int wm_type_of_spec(struct wm_type *t, PyObject *spec, int depth) {
    const char *name, *format;
    int nullable;
    PyObject *children, *class;
    *t = (struct wm_type){0};
    if (!PyArg_ParseTuple(spec, "sspO!O", &name, &format, &nullable, &PyTuple_Type, &children, &class) || set_name(t, name)) return -1;
    t->nullable = nullable;
    if (*format == '?') t->kind = WM_DICTIONARY;
    else if (set_format(t, format)) return PyErr_Occurred() ? -1 : unknown(format);
    if (with_children(t, PyTuple_GET_SIZE(children), depth)) return -1;
    for (Py_ssize_t i = 0; i < t->n; i++)
        if (wm_type_of_spec(&t->children[i], PyTuple_GET_ITEM(children, i), depth + 1)) return -1;
    if (t->kind == WM_DICTIONARY && t->n) t->width = t->children[0].width;
    return children_fit(t) ? 0 : unknown(format);
}

int wm_type_overlay(struct wm_type *t, PyObject *spec) {
    PyObject *children = NULL, *class = Py_None;
    if (spec != Py_None) {
        children = PyTuple_GetItem(spec, 3), class = PyTuple_GetItem(spec, 4);
        if (!children || !class) return -1;
        if (PyTuple_Size(children) != t->n) {
            PyErr_Format(PyExc_TypeError, "the column %R has not the type that the function declares", t->name);
            return -1;
        }
    }
    for (Py_ssize_t i = 0; i < t->n; i++)
        if (wm_type_overlay(&t->children[i], children ? PyTuple_GET_ITEM(children, i) : Py_None)) return -1;
    if (t->kind != WM_STRUCT) return 0;
    return (t->maker = wm_maker_new(class, t)) ? 0 : -1;
}

void wm_type_clear(struct wm_type *t) {
    for (Py_ssize_t i = 0; i < t->n; i++) wm_type_clear(&t->children[i]);
    free(t->children);
    wm_maker_free(t->maker);
    Py_XDECREF(t->name);
    Py_XDECREF(t->zone);
    *t = (struct wm_type){0};
}

PyObject *wm_type_wanted(const struct wm_type *t) {
    static const char *const names[] = {
        [WM_NULL] = "None", [WM_BOOL] = "bool", [WM_INT] = "int", [WM_UINT] = "int", [WM_FLOAT] = "float", [WM_TEXT] = "str", [WM_BYTES] = "bytes",
        [WM_FIXED] = "bytes", [WM_DATE] = "date", [WM_TIME] = "time", [WM_TIMESTAMP] = "datetime", [WM_DURATION] = "timedelta",
        [WM_DECIMAL] = "Decimal", [WM_LIST] = "list", [WM_STRUCT] = "dict, Row or dataclass", [WM_MAP] = "dict", [WM_JSON] = "a value of JSON",
    };
    const struct wm_type *v = t->kind == WM_DICTIONARY ? &t->children[1] : t;
    if (v->kind == WM_FIXED) return PyUnicode_FromFormat("bytes of length %u%s", v->width, t->nullable ? " or None" : "");
    const char *zone = v->kind != WM_TIMESTAMP ? "" : v->zone ? " with a time zone" : " without a time zone";
    return PyUnicode_FromFormat("%s%s%s", names[v->kind], zone, t->nullable && t->kind != WM_NULL ? " or None" : "");
}
