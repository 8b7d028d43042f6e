// JSON by the standard library's module.
#include "json.h"

static PyObject *function(const char *name) {
    PyObject *m = PyImport_ImportModule("json"), *f = m ? PyObject_GetAttrString(m, name) : NULL;
    Py_XDECREF(m);
    return f;
}

PyObject *wm_json_read(const char *s, Py_ssize_t n) {
    PyObject *f = function("loads"), *text = f ? PyUnicode_DecodeUTF8(s, n, NULL) : NULL, *value = text ? PyObject_CallOneArg(f, text) : NULL;
    Py_XDECREF(f);
    Py_XDECREF(text);
    return value;
}

int wm_json_write(PyObject *o, struct wm_buffer *out) {
    PyObject *f = function("dumps"), *text = f ? PyObject_CallOneArg(f, o) : NULL;
    Py_ssize_t n;
    const char *s = text ? PyUnicode_AsUTF8AndSize(text, &n) : NULL;
    int bad = !s || wm_buffer_add(out, s, (size_t)n);
    Py_XDECREF(f);
    Py_XDECREF(text);
    return bad ? -1 : 0;
}
