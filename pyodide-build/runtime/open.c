#include "function.h"

#include <stdlib.h>

#include "runtime.h"

// columns_of makes the input's columns out of the host's schema.
static int columns_of(struct wm_function *f, const struct wm_schema *s) {
    if (wm_type_of_schema(&f->in, s, 0)) return -1;
    Py_ssize_t n = f->in.n;
    f->columns = calloc((size_t)n + 1, sizeof *f->columns);
    f->own = calloc((size_t)n + 1, sizeof *f->own);
    f->args = calloc((size_t)n + 1, sizeof *f->args);
    f->stack = calloc((size_t)n + 3, sizeof *f->stack);
    if (!f->columns || !f->own || !f->args || !f->stack) return PyErr_NoMemory(), -1;
    for (Py_ssize_t k = 0; k < n; k++)
        if (wm_column_init(&f->columns[k], &f->in.children[k])) return -1;
    return 0;
}

// columns_list returns ((name, is a document), ...) for the Python package.
static PyObject *columns_list(const struct wm_function *f) {
    PyObject *list = PyTuple_New(f->in.n);
    for (Py_ssize_t k = 0; list && k < f->in.n; k++) {
        const struct wm_type *t = &f->in.children[k];
        PyObject *pair = Py_BuildValue("OO", t->name, t->kind == WM_JSON ? Py_True : Py_False);
        if (!pair) Py_CLEAR(list);
        else PyTuple_SET_ITEM(list, k, pair);
    }
    return list;
}

// set_arguments takes the columns that the arguments are, and for each what its structs are made into.
static int set_arguments(struct wm_function *f, PyObject *args, PyObject *specs) {
    f->n_args = PyTuple_GET_SIZE(args);
    if (f->n_args > f->in.n) return PyErr_SetString(PyExc_SystemError, "more arguments than columns"), -1;
    for (Py_ssize_t k = 0; k < f->n_args; k++) {
        f->args[k] = PyLong_AsSsize_t(PyTuple_GET_ITEM(args, k));
        if (f->args[k] < 0 || f->args[k] >= f->in.n) return PyErr_SetString(PyExc_SystemError, "an argument that is no column"), -1;
    }
    for (Py_ssize_t k = 0; k < f->in.n; k++)
        if (wm_type_overlay(&f->in.children[k], specs == Py_None ? Py_None : PyTuple_GetItem(specs, k))) return -1;
    return 0;
}

// spec_of writes a column of the input as wm_type_of_spec reads it: for functions that return the columns that they got.
static PyObject *spec_of(const struct wm_schema *s, const struct wm_type *t) {
    PyObject *children = PyTuple_New(t->n);
    for (Py_ssize_t k = 0; children && k < t->n; k++) {
        struct wm_schema index = *s;
        index.dictionary = NULL;
        const struct wm_schema *child = !s->dictionary ? s->children[k] : k ? s->dictionary : &index;
        PyObject *spec = spec_of(child, &t->children[k]);
        if (!spec) Py_CLEAR(children);
        else PyTuple_SET_ITEM(children, k, spec);
    }
    if (!children) return NULL;
    const char *format = t->kind == WM_JSON ? "j" : t->kind == WM_DICTIONARY ? "?" : s->format;
    return Py_BuildValue("OsONO", t->name, format, t->nullable ? Py_True : Py_False, children, Py_None);
}

static PyObject *specs_of(const struct wm_schema *s, const struct wm_type *in) {
    PyObject *specs = PyTuple_New(in->n);
    for (Py_ssize_t k = 0; specs && k < in->n; k++) {
        PyObject *spec = spec_of(s->children[k], &in->children[k]);
        if (!spec) Py_CLEAR(specs);
        else PyTuple_SET_ITEM(specs, k, spec);
    }
    return specs;
}

// configure takes what the Python package says: (name, kind, style, callable, arguments, specs, class, out or None
// for the input's columns, single, gives_out).
static int configure(struct wm_function *f, PyObject *plan, const struct wm_schema *s) {
    int kind, style, single, gives_out;
    PyObject *name, *callable, *args, *specs, *class, *out;
    if (!PyArg_ParseTuple(plan, "UiiOO!OOOpp", &name, &kind, &style, &callable, &PyTuple_Type, &args, &specs, &class, &out, &single, &gives_out))
        return -1;
    f->name = Py_NewRef(name), f->callable = Py_NewRef(callable);
    if (!(f->out_spec = out == Py_None ? specs_of(s, &f->in) : Py_NewRef(out))) return -1;
    if (!PyTuple_Check(f->out_spec)) return PyErr_SetString(PyExc_SystemError, "columns that are no tuple"), -1;
    f->kind = (enum wm_function_kind)kind, f->style = (enum wm_style)style, f->single = single, f->gives_out = gives_out;
    if (specs != Py_None && (!PyTuple_Check(specs) || PyTuple_GET_SIZE(specs) != f->in.n))
        return PyErr_Format(PyExc_TypeError, "%U expected other columns than %zd", name, f->in.n), -1;
    if (set_arguments(f, args, specs)) return -1;
    if (f->style == WM_EVENT && !(f->in.maker = wm_maker_new(class, &f->in))) return -1;
    f->event = (struct wm_event){.maker = f->in.maker, .own = f->own};
    return 0;
}

int wm_function_open(struct wm_function *f, Py_ssize_t index, const struct wm_schema *s, const char *config, size_t config_size) {
    wm_function_close(f);
    PyObject *columns = columns_of(f, s) ? NULL : columns_list(f);
    PyObject *plan = columns ? PyObject_CallMethod(wm_runtime, "open", "nOs#", index, columns, config, (Py_ssize_t)config_size) : NULL;
    int bad = !plan || configure(f, plan, s);
    Py_XDECREF(columns);
    Py_XDECREF(plan);
    return bad ? -1 : 0;
}
