#include "out.h"

#include <stdlib.h>

static bool has_offsets(const struct wm_type *t) {
    return t->kind == WM_TEXT || t->kind == WM_BYTES || t->kind == WM_JSON || t->kind == WM_LIST || t->kind == WM_MAP;
}

int wm_out_init(struct wm_out *o, const struct wm_type *t, const struct wm_out *parent) {
    *o = (struct wm_out){.type = t, .parent = parent, .ints = t->kind == WM_INT && t->width == 8};
    if (!t->n) return 0;
    o->children = calloc((size_t)t->n, sizeof *o->children);
    o->child_arrays = calloc((size_t)t->n, sizeof *o->child_arrays);
    if (!o->children || !o->child_arrays) return PyErr_NoMemory(), -1;
    for (Py_ssize_t k = 0; k < t->n; k++) {
        if (wm_out_init(&o->children[k], &t->children[k], o)) return -1;
        o->child_arrays[k] = &o->children[k].array;
    }
    if (t->kind == WM_DICTIONARY && !(o->indices = PyDict_New())) return -1;
    return 0;
}

void wm_out_clear(struct wm_out *o) {
    for (Py_ssize_t k = 0; o->children && k < o->type->n; k++) wm_out_clear(&o->children[k]);
    free(o->children), free(o->child_arrays);
    wm_buffer_free(&o->valid), wm_buffer_free(&o->values), wm_buffer_free(&o->data);
    Py_XDECREF(o->indices);
    Py_XDECREF(o->known);
    *o = (struct wm_out){0};
}

void wm_out_reset(struct wm_out *o) {
    if (o->nulls) memset(o->valid.data, 0xff, o->valid.cap);
    o->n = o->nulls = 0, o->data.size = 0;
    if (o->indices) PyDict_Clear(o->indices);
    for (Py_ssize_t k = 0; o->children && k < o->type->n; k++) wm_out_reset(&o->children[k]);
}

// stretch makes b hold `bytes`, those behind the first `used` being set to fill.
static int stretch(struct wm_buffer *b, size_t used, size_t bytes, int fill) {
    if (b->cap >= bytes) return 0;
    b->size = used;
    if (wm_buffer_grow(b, bytes - used)) return -1;
    if (fill >= 0) memset(b->data + used, fill, b->cap - used);
    return 0;
}

int wm_out_room(struct wm_out *o, Py_ssize_t more) {
    const struct wm_type *t = o->type;
    if (more > PY_SSIZE_T_MAX / 4 - o->n) return PyErr_NoMemory(), -1;
    if (o->n + more <= o->cap) return 0;
    size_t cap = (size_t)(o->n + more);
    if (cap < (size_t)o->cap * 2) cap = (size_t)o->cap * 2;
    cap = (cap + 63) & ~(size_t)63;
    if (t->width && cap > WM_BUFFER_MOST / t->width - 8) return PyErr_NoMemory(), -1;
    if (stretch(&o->valid, (size_t)o->cap / 8, cap / 8, 0xff)) return -1;
    if (t->kind == WM_BOOL) {
        if (stretch(&o->values, (size_t)o->cap / 8, cap / 8, 0)) return -1;
    } else if (t->width) {
        bool first = !o->values.cap;
        size_t end = has_offsets(t); // there is one offset more than values
        if (stretch(&o->values, ((size_t)o->n + end) * t->width * !first, (cap + end) * t->width, -1)) return -1;
        if (first && end) memset(o->values.data, 0, t->width);
    }
    o->cap = (Py_ssize_t)cap;
    return 0;
}

static void set_end(struct wm_out *o, size_t end) { // of value n, which is not counted yet
    if (o->type->width == 4) ((int32_t *)(void *)o->values.data)[o->n + 1] = (int32_t)end;
    else ((int64_t *)(void *)o->values.data)[o->n + 1] = (int64_t)end;
    o->n++;
}

static size_t end_now(const struct wm_out *o) {
    return o->type->kind == WM_LIST || o->type->kind == WM_MAP ? (size_t)o->children[0].n : o->data.size;
}

// blank appends a value of zeros under a null, so that columns stay equally long.
static int blank(struct wm_out *o) {
    const struct wm_type *t = o->type;
    if (o->n == o->cap && wm_out_room(o, 1)) return -1;
    o->valid.data[o->n >> 3] &= (char)~(1u << (o->n & 7));
    o->nulls++;
    if (has_offsets(t)) return set_end(o, end_now(o)), 0;
    if (t->kind == WM_BOOL) o->values.data[o->n >> 3] &= (char)~(1u << (o->n & 7));
    else if (t->width) memset(o->values.data + (size_t)o->n * t->width, 0, t->width);
    o->n++;
    if (t->kind == WM_STRUCT)
        for (Py_ssize_t k = 0; k < t->n; k++)
            if (blank(&o->children[k])) return -1;
    return 0;
}

static int put_null(struct wm_out *o) {
    if (!o->type->nullable && o->type->kind != WM_NULL) return wm_out_refuse(o, Py_None);
    return blank(o);
}

static int put_signed(struct wm_out *o, PyObject *v, int64_t x) {
    unsigned width = o->type->width;
    if (width < 8) {
        int64_t most = ((int64_t)1 << (width * 8 - 1)) - 1;
        if (x > most || x < -most - 1) return wm_out_unfit(o, v, width == 1 ? "int8 holds -128 to 127" : width == 2 ? "int16 holds -32768 to 32767" : "int32 holds -2147483648 to 2147483647");
    }
    void *at = wm_out_slot(o);
    if (!at) return -1;
    switch (width) {
    case 1: *(int8_t *)at = (int8_t)x; break;
    case 2: *(int16_t *)at = (int16_t)x; break;
    case 4: *(int32_t *)at = (int32_t)x; break;
    default: *(int64_t *)at = x;
    }
    return 0;
}

static int put_unsigned(struct wm_out *o, PyObject *v) {
    static const char *const why[] = {[1] = "uint8 holds 0 to 255", [2] = "uint16 holds 0 to 65535", [4] = "uint32 holds 0 to 4294967295", [8] = "uint64 holds 0 to 18446744073709551615"};
    unsigned width = o->type->width;
    uint64_t x = PyLong_AsUnsignedLongLong(v);
    if (x == (uint64_t)-1 && PyErr_Occurred()) return PyErr_Clear(), wm_out_unfit(o, v, why[width]);
    if (width < 8 && x >> (width * 8)) return wm_out_unfit(o, v, why[width]);
    void *at = wm_out_slot(o);
    if (!at) return -1;
    memcpy(at, &x, width); // little-endian
    return 0;
}

static int put_int(struct wm_out *o, PyObject *v) {
    bool wide = o->type->kind == WM_UINT;
    if (PyLong_CheckExact(v) && PyUnstable_Long_IsCompact((PyLongObject *)v) && !wide) return put_signed(o, v, PyUnstable_Long_CompactValue((PyLongObject *)v));
    if (PyBool_Check(v) || !PyIndex_Check(v)) return wm_out_refuse(o, v);
    PyObject *whole = PyNumber_Index(v);
    if (!whole) return -1;
    int bad, over = 0;
    if (wide) bad = put_unsigned(o, whole);
    else {
        int64_t x = PyLong_AsLongLongAndOverflow(whole, &over);
        if (over) bad = wm_out_unfit(o, whole, "int64 holds -9223372036854775808 to 9223372036854775807");
        else bad = put_signed(o, whole, x);
    }
    Py_DECREF(whole);
    return bad;
}

// exactly tells whether the float x is the integer v.
static int exactly(PyObject *v, double x) {
    PyObject *back = PyLong_FromDouble(x);
    int same = back ? PyObject_RichCompareBool(back, v, Py_EQ) : -1;
    Py_XDECREF(back);
    return same;
}

static int put_float(struct wm_out *o, PyObject *v) {
    double x;
    if (PyFloat_Check(v)) x = PyFloat_AS_DOUBLE(v);
    else if (PyLong_Check(v) && !PyBool_Check(v)) {
        x = PyLong_AsDouble(v);
        if (x == -1 && PyErr_Occurred()) return PyErr_Clear(), wm_out_unfit(o, v, "float64 holds numbers up to 1.8e308");
        if (!PyUnstable_Long_IsCompact((PyLongObject *)v)) {
            int same = exactly(v, x);
            if (same < 1) return same ? -1 : wm_out_unfit(o, v, "float64 holds integers beyond 2**53 in part only; return float(x) to round it");
        }
    } else return wm_out_refuse(o, v);
    bool narrow = o->type->width == 4;
    if (narrow && x - x == 0 && (x > 3.4028235677973366e38 || x < -3.4028235677973366e38)) return wm_out_unfit(o, v, "float32 holds numbers up to 3.4e38");
    void *at = wm_out_slot(o);
    if (!at) return -1;
    if (narrow) *(float *)at = (float)x;
    else *(double *)at = x;
    return 0;
}

static int put_bool(struct wm_out *o, PyObject *v) {
    if (!PyBool_Check(v)) return wm_out_refuse(o, v);
    if (o->n == o->cap && wm_out_room(o, 1)) return -1;
    char bit = (char)(1u << (o->n & 7)), *at = &o->values.data[o->n >> 3];
    *at = v == Py_True ? *at | bit : *at & (char)~bit;
    o->n++;
    return 0;
}

static int put_span(struct wm_out *o, const char *p, Py_ssize_t n) {
    if (o->n == o->cap && wm_out_room(o, 1)) return -1;
    if (wm_buffer_add(&o->data, p, (size_t)n)) return -1;
    return set_end(o, o->data.size), 0;
}

static int put_text(struct wm_out *o, PyObject *v) {
    if (!PyUnicode_Check(v)) return wm_out_refuse(o, v);
    if (PyUnicode_IS_COMPACT_ASCII(v)) return put_span(o, (const char *)((PyASCIIObject *)v + 1), PyUnicode_GET_LENGTH(v));
    PyObject *bytes = PyUnicode_AsUTF8String(v); // rather than the one that v would keep
    if (!bytes && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) return PyErr_Clear(), wm_out_unfit(o, v, "half of a surrogate pair is no text");
    int bad = !bytes || put_span(o, PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes));
    Py_XDECREF(bytes);
    return bad ? -1 : 0;
}

static int put_bytes(struct wm_out *o, PyObject *v) {
    Py_buffer b;
    if (PyUnicode_Check(v) || !PyObject_CheckBuffer(v)) return wm_out_refuse(o, v);
    if (PyObject_GetBuffer(v, &b, PyBUF_SIMPLE)) return -1;
    int bad = 0;
    if (o->type->kind == WM_BYTES) bad = put_span(o, b.buf, b.len);
    else if ((size_t)b.len != o->type->width) bad = wm_out_refuse(o, v);
    else {
        if (o->n == o->cap) bad = wm_out_room(o, 1);
        if (!bad && b.len) memcpy(wm_out_slot(o), b.buf, (size_t)b.len);
        else if (!bad) o->n++;
    }
    PyBuffer_Release(&b);
    return bad;
}

static int put_items(struct wm_out *o, PyObject *v) {
    if (PyUnicode_Check(v) || PyBytes_Check(v) || PyDict_Check(v) || (!Py_TYPE(v)->tp_iter && !PySequence_Check(v))) return wm_out_refuse(o, v);
    PyObject *iterator = PyObject_GetIter(v), *item;
    while (iterator && (item = PyIter_Next(iterator))) {
        int bad = wm_out_put(&o->children[0], item);
        Py_DECREF(item);
        if (bad) Py_CLEAR(iterator);
    }
    Py_XDECREF(iterator);
    if (PyErr_Occurred()) return -1;
    if (o->n == o->cap && wm_out_room(o, 1)) return -1;
    return set_end(o, (size_t)o->children[0].n), 0;
}

static int put_entries(struct wm_out *o, PyObject *v) {
    struct wm_out *entries = &o->children[0];
    PyObject *items = PyDict_Check(v) || PyObject_HasAttrString(v, "items") ? PyMapping_Items(v) : NULL; // a list of its own
    if (!items) return PyErr_Occurred() ? -1 : wm_out_refuse(o, v);
    int bad = 0;
    for (Py_ssize_t i = 0; !bad && i < PyList_GET_SIZE(items); i++) {
        PyObject *pair = PyList_GET_ITEM(items, i);
        if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) bad = wm_out_refuse(o, v);
        else if (entries->n == entries->cap && wm_out_room(entries, 1)) bad = -1;
        else bad = wm_out_put(&entries->children[0], PyTuple_GET_ITEM(pair, 0)) || wm_out_put(&entries->children[1], PyTuple_GET_ITEM(pair, 1));
        if (!bad) entries->n++;
    }
    Py_DECREF(items);
    if (bad || (o->n == o->cap && wm_out_room(o, 1))) return -1;
    return set_end(o, (size_t)entries->n), 0;
}

// put_shared appends the index of v among the values of a dictionary, which gets v when it is new.
static int put_shared(struct wm_out *o, PyObject *v) {
    struct wm_out *index = &o->children[0], *values = &o->children[1];
    PyObject *at = PyDict_GetItemWithError(o->indices, v);
    if (!at) {
        if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_TypeError)) return -1;
        bool keyless = PyErr_Occurred(); // what has no hash is in the dictionary once more
        PyErr_Clear();
        PyObject *fresh = PyLong_FromSsize_t(values->n);
        int bad = !fresh || wm_out_put(values, v) || (!keyless && PyDict_SetItem(o->indices, v, fresh)) || wm_out_put(index, fresh);
        Py_XDECREF(fresh);
        return bad ? -1 : (o->n++, 0);
    }
    return wm_out_put(index, at) ? -1 : (o->n++, 0);
}

int wm_out_put(struct wm_out *o, PyObject *v) {
    if (o->ints && PyLong_CheckExact(v) && PyUnstable_Long_IsCompact((PyLongObject *)v)) {
        int64_t *at = wm_out_slot(o);
        return at ? *at = PyUnstable_Long_CompactValue((PyLongObject *)v), 0 : -1;
    }
    if (v == Py_None && o->type->kind != WM_JSON) return o->type->kind == WM_DICTIONARY ? (o->n++, wm_out_put(&o->children[0], v)) : put_null(o);
    switch (o->type->kind) {
    case WM_NULL: return wm_out_refuse(o, v);
    case WM_BOOL: return put_bool(o, v);
    case WM_INT: case WM_UINT: return put_int(o, v);
    case WM_FLOAT: return put_float(o, v);
    case WM_TEXT: return put_text(o, v);
    case WM_BYTES: case WM_FIXED: return put_bytes(o, v);
    case WM_LIST: return put_items(o, v);
    case WM_MAP: return put_entries(o, v);
    case WM_STRUCT:
        if (o->n == o->cap && wm_out_room(o, 1)) return -1;
        return wm_out_put_struct(o, v) ? -1 : (o->n++, 0);
    case WM_DICTIONARY: return put_shared(o, v);
    case WM_JSON: return wm_out_put_json(o, v);
    default: return wm_out_put_time(o, v);
    }
}
