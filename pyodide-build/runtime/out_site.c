// What a builder says of values that do not fit, and how a finished column lies in memory.
#include "json.h"
#include "out.h"

struct wm_site wm_site;

static const char *verb(void) { return wm_site.yields ? "yielded" : "returned"; }

// path_of names a column as an author would: legs[].delay.
static PyObject *path_of(const struct wm_out *o) {
    const struct wm_out *up = o->parent;
    if (!up) return PyUnicode_FromString("");
    if (!up->parent) return Py_NewRef(o->type->name);
    PyObject *outer = path_of(up), *path = NULL;
    if (!outer) return NULL;
    switch (up->type->kind) {
    case WM_LIST: path = PyUnicode_FromFormat("%U[]", outer); break;
    case WM_MAP: case WM_DICTIONARY: path = Py_NewRef(outer); break;
    default: path = PyUnicode_FromFormat("%U.%U", outer, o->type->name);
    }
    Py_DECREF(outer);
    return path;
}

int wm_out_refuse(const struct wm_out *o, PyObject *v) {
    if (!o->parent && v == Py_None) {
        PyErr_Format(PyExc_TypeError, "%U %s None for row %zd (a forgotten return?)", wm_site.function, verb(), wm_site.row);
        return -1;
    }
    PyObject *wanted = wm_type_wanted(o->type), *path = wanted ? path_of(o) : NULL;
    PyObject *got = v == Py_None ? PyUnicode_FromString("None") : PyType_GetName(Py_TYPE(v));
    if (path && got && !o->parent)
        PyErr_Format(PyExc_TypeError, "%U %s %U for row %zd, expected %U", wm_site.function, verb(), got, wm_site.row, wanted);
    else if (path && got)
        PyErr_Format(PyExc_TypeError, "%U %s %U for column `%U` of row %zd, expected %U", wm_site.function, verb(), got, path, wm_site.row, wanted);
    Py_XDECREF(wanted);
    Py_XDECREF(path);
    Py_XDECREF(got);
    return -1;
}

int wm_out_unfit(const struct wm_out *o, PyObject *v, const char *why) {
    PyObject *path = path_of(o), *text = path ? PyObject_Repr(v) : NULL;
    if (path && !text) PyErr_Clear(), text = PyUnicode_FromFormat("%T", v); // an integer may have too many digits to be written
    if (text && PyUnicode_GET_LENGTH(text) > 100) {
        PyObject *begin = PyUnicode_Substring(text, 0, 100);
        Py_SETREF(text, begin ? PyUnicode_FromFormat("%U...", begin) : NULL);
        Py_XDECREF(begin);
    }
    if (text)
        PyErr_Format(PyExc_OverflowError, "%U %s %U for column `%U` of row %zd, which does not fit: %s", wm_site.function, verb(), text, path,
                     wm_site.row, why);
    Py_XDECREF(path);
    Py_XDECREF(text);
    return -1;
}

int wm_out_put_json(struct wm_out *o, PyObject *v) {
    if (o->n == o->cap && wm_out_room(o, 1)) return -1;
    if (wm_json_write(v, &o->data)) {
        PyObject *e = PyErr_GetRaisedException();
        if (Py_IS_TYPE(e, (PyTypeObject *)PyExc_TypeError) || Py_IS_TYPE(e, (PyTypeObject *)PyExc_ValueError))
            PyErr_Format((PyObject *)Py_TYPE(e), "%U %s for row %zd what JSON cannot hold: %S", wm_site.function, verb(), wm_site.row, e);
        else PyErr_SetRaisedException(Py_NewRef(e));
        Py_DECREF(e);
        return -1;
    }
    ((int32_t *)(void *)o->values.data)[++o->n] = (int32_t)o->data.size;
    return 0;
}

size_t wm_out_bytes(const struct wm_out *o) {
    size_t bytes = o->data.size + (o->type->kind == WM_FIXED ? (size_t)o->n * o->type->width : 0);
    for (Py_ssize_t k = 0; k < o->type->n; k++) bytes += wm_out_bytes(&o->children[k]);
    return o->type->kind == WM_LIST || o->type->kind == WM_MAP ? bytes + 8 * (size_t)o->children[0].n : bytes;
}

void wm_out_finish(struct wm_out *o) {
    static const int64_t no_offsets[2];
    const struct wm_type *t = o->type;
    for (Py_ssize_t k = 0; k < t->n; k++) wm_out_finish(&o->children[k]);
    if (t->kind == WM_DICTIONARY) { // its array is that of the indices
        struct wm_out *index = &o->children[0];
        o->array = index->array, o->array.dictionary = &o->children[1].array;
        return;
    }
    bool text = t->kind == WM_TEXT || t->kind == WM_BYTES || t->kind == WM_JSON;
    o->buffers[0] = o->nulls ? o->valid.data : NULL;
    o->buffers[1] = o->values.data ? o->values.data : (const void *)no_offsets;
    o->buffers[2] = o->data.data;
    o->array = (struct wm_array){
        .length = o->n, .null_count = o->nulls, .buffers = o->buffers, .release = 1,
        .n_buffers = t->kind == WM_NULL ? 0 : t->kind == WM_STRUCT ? 1 : text ? 3 : 2,
        .n_children = t->n, .children = t->n ? o->child_arrays : NULL,
    };
    if (t->kind == WM_NULL) o->array.null_count = o->n;
}
