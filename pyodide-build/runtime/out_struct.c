// Objects with fields, read into columns.
#include "out.h"

enum reading { UNREADABLE, BY_NAME, BY_KEY, AS_ROW };

// missing tells of a field that v has not: null if the column takes nulls.
static int missing(struct wm_out *child, PyObject *v) {
    if (child->type->nullable || child->type->kind == WM_NULL) return wm_out_put(child, Py_None);
    PyErr_Format(PyExc_ValueError, "%U %s %T without `%U` for row %zd, and that column is not Optional", wm_site.function,
                 wm_site.yields ? "yielded" : "returned", v, child->type->name, wm_site.row);
    return -1;
}

// put_strange is for an object of which no field was found: a typing error in every name is likelier than a row of nulls.
static int put_strange(const struct wm_out *o, PyObject *v) {
    PyObject *names = PyList_New(0);
    for (Py_ssize_t k = 0; names && k < o->type->n; k++)
        if (PyList_Append(names, o->type->children[k].name)) Py_CLEAR(names);
    if (names)
        PyErr_Format(PyExc_ValueError, "%U %s %T with none of the columns %R for row %zd", wm_site.function,
                     wm_site.yields ? "yielded" : "returned", v, names, wm_site.row);
    Py_XDECREF(names);
    return -1;
}

static int put_dict(struct wm_out *o, PyObject *d) {
    Py_ssize_t n = o->type->n, k = 0, at = 0, found = 0;
    PyObject *key, *v;
    if (PyDict_GET_SIZE(d) == n) // most functions name the columns in their order
        while (k < n && PyDict_Next(d, &at, &key, &v) && key == o->children[k].type->name) {
            Py_INCREF(v); // converting may run code that changes d
            int bad = wm_out_put(&o->children[k++], v);
            Py_DECREF(v);
            if (bad) return -1;
            if (PyDict_GET_SIZE(d) != n) break;
        }
    for (found = k; k < n; k++) {
        v = PyDict_GetItemWithError(d, o->children[k].type->name);
        if (!v && PyErr_Occurred()) return -1;
        found += v != NULL;
        Py_XINCREF(v);
        int bad = v ? wm_out_put(&o->children[k], v) : missing(&o->children[k], d);
        Py_XDECREF(v);
        if (bad) return -1;
    }
    return !found && PyDict_GET_SIZE(d) ? put_strange(o, d) : 0;
}

static int put_sequence(struct wm_out *o, PyObject *v) {
    PyObject *items = PySequence_Tuple(v); // ours: converting may run code that changes v
    if (!items) return -1;
    Py_ssize_t n = o->type->n;
    int bad = PyTuple_GET_SIZE(items) != n;
    if (bad)
        PyErr_Format(PyExc_ValueError, "%U %s %zd values for row %zd, expected %zd, one per column", wm_site.function,
                     wm_site.yields ? "yielded" : "returned", PyTuple_GET_SIZE(items), wm_site.row, n);
    for (Py_ssize_t k = 0; !bad && k < n; k++) bad = wm_out_put(&o->children[k], PyTuple_GET_ITEM(items, k));
    Py_DECREF(items);
    return bad ? -1 : 0;
}

static int put_fields(struct wm_out *o, PyObject *v, bool by_key) {
    Py_ssize_t found = 0;
    for (Py_ssize_t k = 0; k < o->type->n; k++) {
        PyObject *name = o->children[k].type->name, *field = by_key ? PyObject_GetItem(v, name) : PyObject_GetAttr(v, name);
        if (!field && !PyErr_ExceptionMatches(by_key ? PyExc_KeyError : PyExc_AttributeError)) return -1;
        PyErr_Clear();
        found += field != NULL;
        int bad = field ? wm_out_put(&o->children[k], field) : missing(&o->children[k], v);
        Py_XDECREF(field);
        if (bad) return -1;
    }
    return !found && o->type->n ? put_strange(o, v) : 0;
}

// learn asks the Python package how objects of v's type are read, once per type.
static int learn(struct wm_out *o, PyObject *v) {
    PyObject *m = PyImport_ImportModule("wasmill._rows"), *how = m ? PyObject_CallMethod(m, "reading", "O", Py_TYPE(v)) : NULL;
    Py_XDECREF(m);
    long reading = how ? PyLong_AsLong(how) : -1;
    Py_XDECREF(how);
    if (reading < 0) return -1;
    Py_XSETREF(o->known, (PyTypeObject *)Py_NewRef(Py_TYPE(v)));
    o->reading = (int)reading;
    return 0;
}

int wm_out_put_struct(struct wm_out *o, PyObject *v) {
    if (PyDict_Check(v)) return put_dict(o, v);
    if (PyTuple_CheckExact(v) || PyList_CheckExact(v)) return put_sequence(o, v);
    if (o->known != Py_TYPE(v) && learn(o, v)) return -1;
    switch ((enum reading)o->reading) {
    case BY_NAME: return put_fields(o, v, false);
    case BY_KEY: return put_fields(o, v, true);
    case AS_ROW: { // one that knows its names by itself, or has none
        PyObject *names = PyObject_GetAttrString(v, "_fields");
        if (!names && !PyErr_ExceptionMatches(PyExc_AttributeError)) return -1;
        PyErr_Clear();
        bool named = names && names != Py_None;
        Py_XDECREF(names);
        return named ? put_fields(o, v, true) : put_sequence(o, v);
    }
    default: return wm_out_refuse(o, v);
    }
}
