#include "column.h"

#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "json.h"

int wm_column_init(struct wm_column *c, const struct wm_type *t) {
    *c = (struct wm_column){.type = t};
    if (!t->n) return 0;
    if (!(c->children = calloc((size_t)t->n, sizeof *c->children))) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < t->n; i++)
        if (wm_column_init(&c->children[i], &t->children[i])) return -1;
    return 0;
}

void wm_column_clear(struct wm_column *c) {
    for (Py_ssize_t i = 0; c->children && i < c->type->n; i++) wm_column_clear(&c->children[i]);
    free(c->children);
    c->children = NULL;
}

static bool all_ascii(const char *p, size_t n) {
    uint64_t seen = 0, word;
    size_t i = 0;
    for (; i + 8 <= n; i += 8) memcpy(&word, p + i, 8), seen |= word;
    for (; i < n; i++) seen |= (uint8_t)p[i];
    return !(seen & 0x8080808080808080u);
}

static const void *buffer(const struct wm_array *a, int i) { return a->n_buffers > i ? a->buffers[i] : NULL; }

void wm_column_view(struct wm_column *c, const struct wm_array *a) {
    const struct wm_type *t = c->type;
    c->length = (Py_ssize_t)a->length, c->offset = (Py_ssize_t)a->offset;
    c->valid = t->kind != WM_NULL && a->null_count ? buffer(a, 0) : NULL;
    c->values = t->kind == WM_NULL || t->kind == WM_STRUCT ? NULL : buffer(a, 1);
    if (c->values) c->values += (size_t)c->offset * t->width;
    c->data = buffer(a, 2);
    c->ints = t->kind == WM_INT && t->width == 8 && !c->valid, c->floats = t->kind == WM_FLOAT && t->width == 8 && !c->valid;
    if (t->kind == WM_TEXT && c->length && c->values) {
        Py_ssize_t first, last, n;
        first = wm_column_span(c, 0, &n) - c->data, last = wm_column_span(c, c->length - 1, &n) - c->data + n;
        c->ascii = all_ascii(c->data + first, (size_t)(last - first));
    }
    if (t->kind == WM_DICTIONARY) {
        struct wm_array indices = *a; // the array of a dictionary is that of its indices
        indices.dictionary = NULL;
        wm_column_view(&c->children[0], &indices), wm_column_view(&c->children[1], a->dictionary);
        return;
    }
    for (Py_ssize_t i = 0; i < t->n; i++) wm_column_view(&c->children[i], a->children[i]);
}

static int64_t get_int(const struct wm_column *c, Py_ssize_t i) {
    switch (c->type->width) {
    case 1: return ((const int8_t *)c->values)[i];
    case 2: return ((const int16_t *)c->values)[i];
    case 4: return ((const int32_t *)c->values)[i];
    default: return ((const int64_t *)c->values)[i];
    }
}

static uint64_t get_uint(const struct wm_column *c, Py_ssize_t i) {
    switch (c->type->width) {
    case 1: return ((const uint8_t *)c->values)[i];
    case 2: return ((const uint16_t *)c->values)[i];
    case 4: return ((const uint32_t *)c->values)[i];
    default: return ((const uint64_t *)c->values)[i];
    }
}

static double get_float(const struct wm_column *c, Py_ssize_t i) {
    return c->type->width == 4 ? (double)((const float *)c->values)[i] : ((const double *)c->values)[i];
}

static bool get_bool(const struct wm_column *c, Py_ssize_t i) {
    Py_ssize_t bit = c->offset + i;
    return ((const uint8_t *)c->values)[bit >> 3] >> (bit & 7) & 1;
}

static PyObject *get_text(const struct wm_column *c, Py_ssize_t i) {
    Py_ssize_t n;
    const char *p = wm_column_span(c, i, &n);
    if (!c->ascii || n <= 1) return PyUnicode_DecodeUTF8(p, n, NULL); // texts of one character are shared
    PyObject *o = PyUnicode_New(n, 127);
    if (o) memcpy((PyASCIIObject *)o + 1, p, (size_t)n);
    return o;
}

static PyObject *get_list(const struct wm_column *c, Py_ssize_t i) {
    const int32_t *o = (const int32_t *)c->values + i;
    const struct wm_column *items = &c->children[0];
    PyObject *list = PyList_New(o[1] - o[0]);
    for (Py_ssize_t k = 0; list && k < o[1] - o[0]; k++) {
        PyObject *v = wm_column_get(items, o[0] + k);
        if (!v) {
            Py_DECREF(list);
            return NULL;
        }
        PyList_SET_ITEM(list, k, v);
    }
    return list;
}

static PyObject *get_map(const struct wm_column *c, Py_ssize_t i) {
    const int32_t *o = (const int32_t *)c->values + i;
    const struct wm_column *entries = &c->children[0];
    PyObject *map = PyDict_New();
    for (Py_ssize_t k = o[0]; map && k < o[1]; k++) {
        PyObject *key = wm_column_get(&entries->children[0], entries->offset + k);
        PyObject *value = key ? wm_column_get(&entries->children[1], entries->offset + k) : NULL;
        int bad = !value || PyDict_SetItem(map, key, value);
        Py_XDECREF(key);
        Py_XDECREF(value);
        if (bad) Py_CLEAR(map);
    }
    return map;
}

PyObject *wm_column_get(const struct wm_column *c, Py_ssize_t i) {
    if (wm_column_null(c, i)) Py_RETURN_NONE;
    Py_ssize_t n;
    switch (c->type->kind) {
    case WM_NULL: Py_RETURN_NONE;
    case WM_BOOL: return PyBool_FromLong(get_bool(c, i));
    case WM_INT: return PyLong_FromLongLong(get_int(c, i));
    case WM_UINT: return PyLong_FromUnsignedLongLong(get_uint(c, i));
    case WM_FLOAT: return PyFloat_FromDouble(get_float(c, i));
    case WM_TEXT: return get_text(c, i);
    case WM_BYTES: {
        const char *p = wm_column_span(c, i, &n);
        return PyBytes_FromStringAndSize(p, n);
    }
    case WM_JSON: {
        const char *p = wm_column_span(c, i, &n);
        return wm_json_read(p, n);
    }
    case WM_FIXED: return PyBytes_FromStringAndSize(c->values + (size_t)i * c->type->width, c->type->width);
    case WM_LIST: return get_list(c, i);
    case WM_MAP: return get_map(c, i);
    case WM_STRUCT: return wm_maker_make(c->type->maker, c->children, c->offset + i);
    case WM_DICTIONARY: {
        const struct wm_column *index = &c->children[0];
        int64_t at = c->type->children[0].kind == WM_INT ? get_int(index, i) : (int64_t)get_uint(index, i);
        return wm_column_get(&c->children[1], (Py_ssize_t)at);
    }
    default: return wm_time_get(c, i);
    }
}

enum { DIGITS = (64 + PyLong_SHIFT - 1) / PyLong_SHIFT, SHORT_TEXT = 31 };

static PyObject *reuse_int(int64_t v, PyObject **own) {
    if (v >= -5 && v <= 256) return PyLong_FromLong((long)v); // shared and immortal
    PyLongObject *o = (PyLongObject *)*own;
    if (!o || Py_REFCNT(o) != 1) {
        Py_XDECREF(o);
        if (!(*own = (PyObject *)(o = _PyLong_New(DIGITS)))) return NULL;
    }
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    uintptr_t n = 1;
    o->long_value.ob_digit[0] = (digit)(u & PyLong_MASK);
    while (u >>= PyLong_SHIFT) o->long_value.ob_digit[n++] = (digit)(u & PyLong_MASK);
    o->long_value.lv_tag = n << 3 | (v < 0 ? 2 : 0); // number of digits, then the sign: 0 is positive, 2 negative
    return (PyObject *)o;
}

static PyObject *reuse_float(double v, PyObject **own) {
    if (*own && Py_REFCNT(*own) == 1) return ((PyFloatObject *)*own)->ob_fval = v, *own;
    Py_XSETREF(*own, PyFloat_FromDouble(v));
    return *own;
}

// reuse_text writes into *own, which is ASCII and has room for SHORT_TEXT characters: what is made for a column that is ASCII is
// either made here, or longer, or shared and thus never at one reference. A column's *own does not outlive its batch.
static PyObject *reuse_text(const char *p, Py_ssize_t n, PyObject **own) {
    PyASCIIObject *o = (PyASCIIObject *)*own;
    if (!o || Py_REFCNT(o) != 1 || o->state.interned) {
        Py_XDECREF(o);
        if (!(*own = PyUnicode_New(SHORT_TEXT, 127))) return NULL;
        o = (PyASCIIObject *)*own;
    }
    o->length = n, o->hash = -1;
    char *to = (char *)(o + 1);
    memcpy(to, p, (size_t)n), to[n] = 0;
    return (PyObject *)o;
}

PyObject *wm_column_reuse(const struct wm_column *c, Py_ssize_t i, PyObject **own) {
    if (c->ints) return reuse_int(((const int64_t *)c->values)[i], own);
    if (c->floats) return reuse_float(((const double *)c->values)[i], own);
    if (wm_column_null(c, i)) return Py_None;
    switch (c->type->kind) {
    case WM_BOOL: return get_bool(c, i) ? Py_True : Py_False;
    case WM_INT: return reuse_int(get_int(c, i), own);
    case WM_FLOAT: return reuse_float(get_float(c, i), own);
    case WM_TEXT:
        if (c->ascii) {
            Py_ssize_t n;
            const char *p = wm_column_span(c, i, &n);
            if (n > 1 && n <= SHORT_TEXT) return reuse_text(p, n, own);
        }
        Py_XSETREF(*own, get_text(c, i));
        return *own;
    default:
        Py_XSETREF(*own, wm_column_get(c, i));
        return *own;
    }
}
