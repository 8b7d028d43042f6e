// Whole columns for vectorised functions: sequences that offer their memory by the buffer protocol, to be read where it lies in the
// batch or written where the host reads it.
#include "function.h"

typedef struct {
    PyObject_HEAD
    struct wm_column *column; // of the input, or NULL
    struct wm_out *out;       // of the result, or NULL; both are NULL when the batch is over
    Py_ssize_t length, shape[1], stride[1];
    int views;                // how many buffers are out
} Column;

static PyTypeObject *column_type;

static int is_over(const Column *c) {
    if (c->column || c->out) return 0;
    PyErr_SetString(PyExc_ValueError, "the column belongs to a batch that is over; copy what is needed longer, with tolist() or bytes()");
    return -1;
}

static const struct wm_type *type_of(const Column *c) { return c->column ? c->column->type : c->out->type; }

// format_of tells a type in the words of the module struct, NULL where values have no fixed width.
static const char *format_of(const struct wm_type *t) {
    static const char *const ints[] = {[1] = "b", [2] = "h", [4] = "i", [8] = "q"}, *const uints[] = {[1] = "B", [2] = "H", [4] = "I", [8] = "Q"};
    switch (t->kind) {
    case WM_INT: case WM_DATE: case WM_TIME: case WM_TIMESTAMP: case WM_DURATION: return ints[t->width];
    case WM_UINT: return uints[t->width];
    case WM_FLOAT: return t->width == 4 ? "f" : "d";
    default: return NULL;
    }
}

static int column_buffer(PyObject *self, Py_buffer *view, int flags) {
    Column *c = (Column *)self;
    view->obj = NULL;
    if (is_over(c)) return PyErr_Clear(), PyErr_SetString(PyExc_BufferError, "the column belongs to a batch that is over"), -1;
    const struct wm_type *t = type_of(c);
    const char *format = format_of(t);
    if (!format) {
        PyErr_Format(PyExc_BufferError, "the values of column %R have no fixed width in bytes; use column[i] or tolist()", t->name);
        return -1;
    }
    if (c->column && (flags & PyBUF_WRITABLE) == PyBUF_WRITABLE) return PyErr_SetString(PyExc_BufferError, "the columns of the input are read-only"), -1;
    static char nothing[8];
    char *at = c->column ? (char *)c->column->values : c->out->values.data;
    *view = (Py_buffer){.buf = at ? at : nothing, .obj = Py_NewRef(self), .len = c->length * t->width, .itemsize = t->width, .readonly = c->column != NULL,
                        .ndim = 1, .format = flags & PyBUF_FORMAT ? (char *)format : NULL, .shape = flags & PyBUF_ND ? c->shape : NULL,
                        .strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? c->stride : NULL};
    c->shape[0] = c->length, c->stride[0] = t->width;
    c->views++;
    return 0;
}

static void column_released(PyObject *self, Py_buffer *view) {
    (void)view;
    ((Column *)self)->views--;
}

static Py_ssize_t column_length(PyObject *self) { return ((Column *)self)->length; }

static PyObject *column_item(PyObject *self, Py_ssize_t i) {
    Column *c = (Column *)self;
    if (i < 0 || i >= c->length) return PyErr_SetString(PyExc_IndexError, "the column has no such row"), NULL;
    if (is_over(c)) return NULL;
    if (c->column) return wm_column_get(c->column, i);
    struct wm_out *o = c->out; // read as a column is
    struct wm_column now = {.type = o->type, .length = c->length, .values = o->values.data, .valid = o->nulls ? (const uint8_t *)o->valid.data : NULL};
    return wm_column_get(&now, i);
}

static int column_set(PyObject *self, Py_ssize_t i, PyObject *v) {
    Column *c = (Column *)self;
    if (i < 0 || i >= c->length) return PyErr_SetString(PyExc_IndexError, "the column has no such row"), -1;
    if (is_over(c)) return -1;
    if (!c->out) return PyErr_SetString(PyExc_TypeError, "the columns of the input are read-only"), -1;
    if (!v) return PyErr_SetString(PyExc_TypeError, "a value cannot be deleted; set it to None"), -1;
    struct wm_out *o = c->out;
    char bit = (char)(1u << (i & 7)), *valid = &o->valid.data[i >> 3];
    if (!(*valid & bit)) *valid |= bit, o->nulls--;
    wm_site.row = i;
    o->n = i;
    int bad = wm_out_put(o, v);
    o->n = 0;
    return bad;
}

static PyObject *column_subscript(PyObject *self, PyObject *key) {
    Py_ssize_t n = ((Column *)self)->length;
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) return NULL;
        return column_item(self, i < 0 ? i + n : i);
    }
    Py_ssize_t start, stop, step;
    if (!PySlice_Check(key)) return PyErr_Format(PyExc_TypeError, "a column has rows by number, not by %T", key);
    if (PySlice_Unpack(key, &start, &stop, &step) < 0) return NULL;
    Py_ssize_t count = PySlice_AdjustIndices(n, &start, &stop, step);
    PyObject *list = PyList_New(count);
    for (Py_ssize_t k = 0; list && k < count; k++) {
        PyObject *v = column_item(self, start + k * step);
        if (!v) Py_CLEAR(list);
        else PyList_SET_ITEM(list, k, v);
    }
    return list;
}

static int column_set_key(PyObject *self, PyObject *key, PyObject *v) {
    if (!PyIndex_Check(key)) return PyErr_SetString(PyExc_TypeError, "values are set one by one, or through memoryview(column)"), -1;
    Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (i == -1 && PyErr_Occurred()) return -1;
    return column_set(self, i < 0 ? i + ((Column *)self)->length : i, v);
}

static PyObject *column_tolist(PyObject *self, PyObject *ignored) {
    (void)ignored;
    PyObject *all = PySlice_New(NULL, NULL, NULL), *list = all ? column_subscript(self, all) : NULL;
    Py_XDECREF(all);
    return list;
}

static PyObject *column_is_null(PyObject *self, PyObject *key) {
    PyObject *v = column_subscript(self, key);
    if (!v) return NULL;
    Py_DECREF(v);
    return PyBool_FromLong(v == Py_None);
}

static PyObject *column_null_count(PyObject *self, void *ignored) {
    (void)ignored;
    Column *c = (Column *)self;
    if (is_over(c)) return NULL;
    Py_ssize_t nulls = 0;
    if (c->out) nulls = c->out->nulls;
    else if (c->column->valid || c->column->type->kind == WM_NULL)
        for (Py_ssize_t i = 0; i < c->length; i++) nulls += wm_column_null(c->column, i);
    return PyLong_FromSsize_t(nulls);
}

static PyObject *column_name(PyObject *self, void *ignored) {
    (void)ignored;
    return is_over((Column *)self) ? NULL : Py_NewRef(type_of((Column *)self)->name);
}

static PyMethodDef column_methods[] = {
    {"tolist", column_tolist, METH_NOARGS, "tolist(): the values, None for null"},
    {"is_null", column_is_null, METH_O, "is_null(i): whether row i has no value"},
    {0},
};
static PyGetSetDef column_attributes[] = {
    {"null_count", column_null_count, NULL, "how many rows have no value", NULL},
    {"name", column_name, NULL, "the column's name", NULL},
    {0},
};
static PyType_Slot column_slots[] = {
    {Py_tp_doc, "A column of the batch: a sequence of values, None for null, and a buffer where values have a fixed width."},
    {Py_sq_length, column_length}, {Py_sq_item, column_item}, {Py_mp_length, column_length}, {Py_mp_subscript, column_subscript},
    {Py_mp_ass_subscript, column_set_key}, {Py_bf_getbuffer, column_buffer}, {Py_bf_releasebuffer, column_released},
    {Py_tp_methods, column_methods}, {Py_tp_getset, column_attributes}, {0, NULL},
};
static PyType_Spec column_spec = {"wasmill.Column", sizeof(Column), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_SEQUENCE, column_slots};

int wm_vector_init(PyObject *module) {
    column_type = (PyTypeObject *)PyType_FromSpec(&column_spec);
    return column_type ? PyModule_AddObjectRef(module, "Column", (PyObject *)column_type) : -1;
}

static PyObject *column_new(struct wm_column *column, struct wm_out *out, Py_ssize_t length) {
    Column *c = PyObject_New(Column, column_type);
    if (c) c->column = column, c->out = out, c->length = length, c->views = 0;
    return (PyObject *)c;
}

// held_by counts the views of a column that the result keeps.
static int held_by(const struct wm_result *r, PyObject *column) {
    int held = 0;
    for (Py_ssize_t k = 0; k < r->type.n; k++) {
        PyObject *o = r->held[k].obj;
        held += o == column || (o && PyMemoryView_Check(o) && PyMemoryView_GET_BASE(o) == column);
    }
    return held;
}

// part_over ends the life of a column with its batch. A view that somebody keeps would show the next batch, or nothing.
static int part_over(PyObject *column, const struct wm_result *r) {
    Column *c = (Column *)column;
    int kept = c->views > held_by(r, column);
    if (kept && !PyErr_Occurred())
        PyErr_Format(PyExc_BufferError, "a memoryview of column %R outlives the batch; copy what is needed longer, with tolist() or bytes()", type_of(c)->name);
    c->column = NULL, c->out = NULL;
    Py_DECREF(column);
    return kept;
}

// same_layout tells whether the items of b are values of t as they are in memory.
static bool same_layout(const Py_buffer *b, const struct wm_type *t, Py_ssize_t rows) {
    const char *f = b->format ? b->format : "B", *want = t->kind == WM_INT || t->kind == WM_UINT || t->kind == WM_FLOAT ? format_of(t) : NULL;
    if (!want || b->ndim != 1 || b->itemsize != (Py_ssize_t)t->width || b->len != rows * (Py_ssize_t)t->width || (uintptr_t)b->buf % t->width) return false;
    if (*f == '@' || *f == '=' || *f == '<') f++;
    if (!f[0] || f[1]) return false;
    if (t->kind == WM_FLOAT) return *f == *want;
    return strchr(t->kind == WM_INT ? "bhilqn" : "BHILQN", *f) != NULL; // the width is checked above
}

// take_column puts what a function has returned into a column of the result: memory of the right layout is taken as it is and stays
// with its object until the host is done; anything else is converted value by value.
static int take_column(struct wm_function *f, struct wm_result *r, Py_ssize_t k, PyObject *v) {
    struct wm_out *o = &r->rows.children[k];
    if (Py_IS_TYPE(v, column_type) && ((Column *)v)->out == o) return o->n = f->length, 0; // `out` itself
    if (PyObject_CheckBuffer(v) && !PyBytes_Check(v) && !PyByteArray_Check(v)) {
        Py_buffer *b = &r->held[k];
        if (!PyObject_GetBuffer(v, b, PyBUF_FORMAT | PyBUF_ND)) {
            bool nulls = Py_IS_TYPE(v, column_type) && ((Column *)v)->column && ((Column *)v)->column->valid;
            if (!nulls && same_layout(b, o->type, f->length)) return o->n = f->length, 0;
            PyBuffer_Release(b);
        } else PyErr_Clear();
        b->obj = NULL;
    }
    if (PyUnicode_Check(v) || PyDict_Check(v) || (!Py_TYPE(v)->tp_iter && !PySequence_Check(v))) {
        PyErr_Format(PyExc_TypeError, "%U returned %T, expected a column of %zd values: a Column, a memoryview, an array or a list", f->name, v, f->length);
        return -1;
    }
    PyObject *iterator = PyObject_GetIter(v), *item;
    for (wm_site.row = 0; iterator && (item = PyIter_Next(iterator)); wm_site.row++) {
        int bad = o->n >= f->length ? (o->n++, 0) : wm_out_put(o, item);
        Py_DECREF(item);
        if (bad) return Py_DECREF(iterator), f->row = wm_site.row, -1;
        if (o->n > f->length) break;
    }
    Py_XDECREF(iterator);
    if (PyErr_Occurred()) return -1;
    if (o->n == f->length) return 0;
    PyErr_Format(PyExc_ValueError, "%U returned %s%zd values for %zd rows", f->name, o->n > f->length ? "more than " : "", o->n > f->length ? f->length : o->n, f->length);
    return -1;
}

static int take_columns(struct wm_function *f, struct wm_result *r, PyObject *v) {
    if (v == Py_None && f->gives_out) {
        for (Py_ssize_t k = 0; k < r->type.n; k++) r->rows.children[k].n = f->length;
        return 0;
    }
    if (f->single) return take_column(f, r, 0, v);
    for (Py_ssize_t k = 0; k < r->type.n; k++) {
        PyObject *name = r->type.children[k].name, *column = NULL;
        if (PyDict_Check(v)) column = Py_XNewRef(PyDict_GetItemWithError(v, name));
        else if (PyTuple_Check(v) && PyTuple_GET_SIZE(v) == r->type.n) column = Py_NewRef(PyTuple_GET_ITEM(v, k));
        if (!column) {
            if (!PyErr_Occurred()) PyErr_Format(PyExc_TypeError, "%U returned %T, expected a dict or tuple of %zd columns, with `%U` among them", f->name, v, r->type.n, name);
            return -1;
        }
        int bad = take_column(f, r, k, column);
        Py_DECREF(column);
        if (bad) return -1;
    }
    return 0;
}

// out_argument makes the columns that the function may write to: one, or a tuple.
static PyObject *out_argument(struct wm_function *f, struct wm_result *r, PyObject **parts) {
    for (Py_ssize_t k = 0; k < r->type.n; k++) {
        struct wm_out *o = &r->rows.children[k];
        if (wm_out_room(o, f->length + 1)) return NULL;
        if (!format_of(o->type) && o->type->kind != WM_BOOL) {
            PyErr_Format(PyExc_TypeError, "%U cannot write to column `%U`, whose values have no fixed width; return it", f->name, o->type->name);
            return NULL;
        }
        if (o->values.data) memset(o->values.data, 0, o->type->width ? (size_t)f->length * o->type->width : (size_t)(f->length + 7) / 8);
        if (!(parts[k] = column_new(NULL, o, f->length))) return NULL;
    }
    if (r->type.n == 1) return Py_NewRef(parts[0]);
    PyObject *tuple = PyTuple_New(r->type.n);
    for (Py_ssize_t k = 0; tuple && k < r->type.n; k++) PyTuple_SET_ITEM(tuple, k, Py_NewRef(parts[k]));
    return tuple;
}

int wm_vector_step(struct wm_function *f) {
    struct wm_result *r = f->now;
    Py_ssize_t n = f->n_args, outs = f->gives_out ? r->type.n : 0, all = 0;
    PyObject **parts = PyMem_Calloc((size_t)(n + outs) + 1, sizeof *parts), *out = NULL, *v = NULL;
    if (!parts) return f->row = -1, PyErr_NoMemory(), -1;
    f->row = -1, wm_site.row = -1, wm_site.yields = false;
    while (all < n && (parts[all] = f->stack[all + 1] = column_new(&f->columns[f->args[all]], NULL, f->length))) all++;
    bool ready = all == n;
    if (ready && f->gives_out) ready = (out = f->stack[n + 1] = out_argument(f, r, parts + n)) != NULL;
    if (ready) v = PyObject_Vectorcall(f->callable, f->stack + 1, (size_t)(n + f->gives_out) | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    int bad = !v || take_columns(f, r, v);
    Py_XDECREF(v);
    Py_XDECREF(out);
    for (Py_ssize_t k = 0; k < n + outs; k++)
        if (parts[k] && part_over(parts[k], r)) bad = 1;
    PyMem_Free(parts);
    if (bad) return -1;
    f->row = r->rows.n = f->length;
    f->done = true;
    return 0;
}
