// Row: the base of all rows. Subclasses have `_fields`, the names of the columns, and those that wasmill._rows makes also `_slots`, the
// names of the slots that hold the values. Attribute access is Python's own, which is what makes it fast.
#include "runtime.h"

static PyObject *fields_name, *slots_name;

// names_of returns a borrowed reference to the tuple that the type of a row has under this name, or NULL.
static PyObject *names_of(PyTypeObject *type, PyObject *attribute) {
    PyObject *names = _PyType_Lookup(type, attribute);
    return names && PyTuple_Check(names) ? names : NULL;
}

static PyObject *fields_of(PyObject *row) {
    PyObject *fields = names_of(Py_TYPE(row), fields_name);
    if (!fields) PyErr_Format(PyExc_TypeError, "%T has no fields", row);
    return fields;
}

// attribute returns a borrowed reference to the name of the attribute that holds column k.
static PyObject *attribute(PyObject *row, PyObject *fields, Py_ssize_t k) {
    PyObject *slots = names_of(Py_TYPE(row), slots_name);
    return PyTuple_GET_ITEM(slots && PyTuple_GET_SIZE(slots) == PyTuple_GET_SIZE(fields) ? slots : fields, k);
}

static PyObject *get(PyObject *row, PyObject *fields, Py_ssize_t k) {
    PyObject *name = attribute(row, fields, k), **slot = wm_slot(row, name);
    if (slot && *slot) return Py_NewRef(*slot);
    return PyObject_GenericGetAttr(row, name);
}

static Py_ssize_t find(PyObject *fields, PyObject *name) {
    Py_ssize_t n = PyTuple_GET_SIZE(fields);
    for (Py_ssize_t k = 0; k < n; k++)
        if (PyTuple_GET_ITEM(fields, k) == name) return k; // names in code are interned, and so are ours
    for (Py_ssize_t k = 0; k < n; k++) {
        int same = PyObject_RichCompareBool(PyTuple_GET_ITEM(fields, k), name, Py_EQ);
        if (same) return same < 0 ? -2 : k;
    }
    return -1;
}

// place finds the column of a key, an integer or a name. It returns -1 with an exception set.
static Py_ssize_t place(PyObject *fields, PyObject *key) {
    Py_ssize_t n = PyTuple_GET_SIZE(fields), k;
    if (PyIndex_Check(key)) {
        k = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (k == -1 && PyErr_Occurred()) return -1;
        if (k < 0) k += n;
        if (k >= 0 && k < n) return k;
        PyErr_Format(PyExc_IndexError, "the row has %zd fields", n);
        return -1;
    }
    if ((k = find(fields, key)) >= 0) return k;
    if (k == -1) PyErr_SetObject(PyExc_KeyError, key);
    return -1;
}

static PyObject *row_tuple(PyObject *row) {
    PyObject *fields = fields_of(row), *values = fields ? PyTuple_New(PyTuple_GET_SIZE(fields)) : NULL;
    for (Py_ssize_t k = 0; values && k < PyTuple_GET_SIZE(fields); k++) {
        PyObject *v = get(row, fields, k);
        if (!v) Py_CLEAR(values);
        else PyTuple_SET_ITEM(values, k, v);
    }
    return values;
}

static PyObject *row_subscript(PyObject *row, PyObject *key) {
    PyObject *fields = fields_of(row);
    if (!fields) return NULL;
    if (PySlice_Check(key)) {
        PyObject *values = row_tuple(row), *part = values ? PyObject_GetItem(values, key) : NULL;
        Py_XDECREF(values);
        return part;
    }
    Py_ssize_t k = place(fields, key);
    return k < 0 ? NULL : get(row, fields, k);
}

static int row_set(PyObject *row, PyObject *key, PyObject *v) {
    PyObject *fields = fields_of(row);
    Py_ssize_t k = fields ? place(fields, key) : -1;
    if (k < 0) return -1;
    if (!v) return PyErr_SetString(PyExc_TypeError, "a row's field cannot be deleted; set it to None"), -1;
    return PyObject_GenericSetAttr(row, attribute(row, fields, k), v);
}

static Py_ssize_t row_length(PyObject *row) {
    PyObject *fields = fields_of(row);
    return fields ? PyTuple_GET_SIZE(fields) : -1;
}

static PyObject *row_iter(PyObject *row) {
    PyObject *values = row_tuple(row), *iterator = values ? PyObject_GetIter(values) : NULL;
    Py_XDECREF(values);
    return iterator;
}

static int row_contains(PyObject *row, PyObject *v) {
    PyObject *values = row_tuple(row);
    int in = values ? PySequence_Contains(values, v) : -1;
    Py_XDECREF(values);
    return in;
}

static PyObject *row_repr(PyObject *row) {
    int again = Py_ReprEnter(row);
    if (again) return again < 0 ? NULL : PyUnicode_FromString("Row(...)");
    PyObject *fields = fields_of(row), *parts = fields ? PyList_New(0) : NULL, *text = NULL, *comma = parts ? PyUnicode_FromString(", ") : NULL;
    for (Py_ssize_t k = 0; comma && k < PyTuple_GET_SIZE(fields); k++) {
        PyObject *v = get(row, fields, k), *part = v ? PyUnicode_FromFormat("%U=%R", PyTuple_GET_ITEM(fields, k), v) : NULL;
        if (!part || PyList_Append(parts, part)) Py_CLEAR(comma);
        Py_XDECREF(v);
        Py_XDECREF(part);
    }
    PyObject *inside = comma ? PyUnicode_Join(comma, parts) : NULL;
    PyObject *name = inside ? names_of(Py_TYPE(row), slots_name) ? PyUnicode_FromString("Row") : PyType_GetName(Py_TYPE(row)) : NULL;
    if (name) text = PyUnicode_FromFormat("%U(%U)", name, inside);
    Py_XDECREF(name);
    Py_XDECREF(inside);
    Py_XDECREF(parts);
    Py_XDECREF(comma);
    Py_ReprLeave(row);
    return text;
}

static PyObject *row_compare(PyObject *a, PyObject *b, int op) {
    PyObject *fa = names_of(Py_TYPE(a), fields_name), *fb = names_of(Py_TYPE(b), fields_name);
    if ((op != Py_EQ && op != Py_NE) || !fa || !fb) Py_RETURN_NOTIMPLEMENTED;
    int same = PyObject_RichCompareBool(fa, fb, Py_EQ);
    if (same > 0) {
        PyObject *va = row_tuple(a), *vb = va ? row_tuple(b) : NULL;
        same = vb ? PyObject_RichCompareBool(va, vb, Py_EQ) : -1;
        Py_XDECREF(va);
        Py_XDECREF(vb);
    }
    return same < 0 ? NULL : PyBool_FromLong(same == (op == Py_EQ));
}

static Py_hash_t row_hash(PyObject *row) {
    PyObject *values = row_tuple(row);
    Py_hash_t h = values ? PyObject_Hash(values) : -1;
    Py_XDECREF(values);
    return h;
}

static PyObject *row_as_dict(PyObject *row, PyObject *ignored) {
    (void)ignored;
    PyObject *fields = fields_of(row), *d = fields ? PyDict_New() : NULL;
    for (Py_ssize_t k = 0; d && k < PyTuple_GET_SIZE(fields); k++) {
        PyObject *v = get(row, fields, k);
        if (!v || PyDict_SetItem(d, PyTuple_GET_ITEM(fields, k), v)) Py_CLEAR(d);
        Py_XDECREF(v);
    }
    return d;
}

// row_new makes rows by hand: Row(a=1), Row(1, 2), and those of subclasses with fields.
static PyObject *row_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    PyObject *m = PyImport_ImportModule("wasmill._rows");
    PyObject *row = m ? PyObject_CallMethod(m, "new", "OOO", type, args, kwargs ? kwargs : Py_None) : NULL;
    Py_XDECREF(m);
    return row;
}

static PyObject *row_bare(PyObject *class, PyObject *ignored) {
    (void)ignored;
    return ((PyTypeObject *)class)->tp_alloc((PyTypeObject *)class, 0);
}

static PyObject *row_reduce(PyObject *row, PyObject *ignored) {
    (void)ignored;
    PyObject *values = row_tuple(row), *fields = values ? fields_of(row) : NULL, *m = fields ? PyImport_ImportModule("wasmill._rows") : NULL;
    PyObject *restore = m ? PyObject_GetAttrString(m, "restore") : NULL, *how = NULL;
    PyObject *class = names_of(Py_TYPE(row), slots_name) ? Py_None : (PyObject *)Py_TYPE(row);
    if (restore) how = Py_BuildValue("O(OOO)", restore, class, fields, values);
    Py_XDECREF(values);
    Py_XDECREF(m);
    Py_XDECREF(restore);
    return how;
}

static PyMethodDef row_methods[] = {
    {"as_dict", row_as_dict, METH_NOARGS, "as_dict(): the values by the names of the columns"},
    {"_bare", row_bare, METH_NOARGS | METH_CLASS, "_bare(): a row whose values are still to be set"},
    {"__reduce__", row_reduce, METH_NOARGS, "how a row is pickled and copied"},
    {0},
};

static PyType_Slot row_slots[] = {
    {Py_tp_doc, "Row(**values): a row of columns. Values are read as attributes, by name and by position: row.delay, row['delay'], row[2]."},
    {Py_tp_new, row_new}, {Py_tp_repr, row_repr}, {Py_tp_iter, row_iter}, {Py_tp_richcompare, row_compare}, {Py_tp_hash, row_hash},
    {Py_mp_subscript, row_subscript}, {Py_mp_ass_subscript, row_set}, {Py_mp_length, row_length}, {Py_sq_contains, row_contains},
    {Py_tp_methods, row_methods}, {0, NULL},
};
static PyType_Spec row_spec = {"wasmill.Row", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, row_slots};

int wm_row_type_init(PyObject *module) {
    fields_name = PyUnicode_InternFromString("_fields"), slots_name = PyUnicode_InternFromString("_slots");
    PyObject *type = fields_name && slots_name ? PyType_FromSpec(&row_spec) : NULL;
    int bad = !type || PyModule_AddObjectRef(module, "Row", type);
    Py_XDECREF(type);
    return bad ? -1 : 0;
}
