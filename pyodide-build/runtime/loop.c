// The loop over the rows of a batch.
#include "function.h"

#include "call.h"
#include "guard.h"

// A step ends when it holds this many rows or bytes, so that an endless generator does not fill the memory. docs/abi.md allows
// 65,536 rows and 64 MiB.
enum { STEP_ROWS = 8192, STEP_BYTES = 16 << 20 };

void wm_function_begin(struct wm_function *f, const struct wm_array *in) {
    wm_function_end(f);
    for (Py_ssize_t k = 0; k < f->in.n; k++) wm_column_view(&f->columns[k], in->children[k]);
    f->length = (Py_ssize_t)in->length, f->row = 0, f->done = false;
}

void wm_function_end(struct wm_function *f) {
    Py_CLEAR(f->iterator);
    Py_CLEAR(f->event.object);
    for (Py_ssize_t k = 0; f->own && k < f->in.n; k++) Py_CLEAR(f->own[k]);
    if (f->now) wm_result_release(f->now), f->now = NULL;
    f->done = true;
}

// call_row calls the function with row i and returns a new reference to its result.
static inline PyObject *call_row(struct wm_function *f, const struct wm_call *call, Py_ssize_t i) {
    PyObject **stack = f->stack, *v;
    switch (f->style) {
    case WM_POSITIONAL:
        for (Py_ssize_t k = 0; k < f->n_args; k++)
            if (!(stack[k + 1] = wm_column_reuse(&f->columns[f->args[k]], i, &f->own[f->args[k]]))) return NULL;
        return wm_call_do(call, stack, (size_t)f->n_args);
    case WM_EVENT:
        if (!(stack[1] = wm_event_next(&f->event, f->columns, i))) return NULL;
        return wm_call_do(call, stack, 1);
    default:
        if (!(stack[1] = wm_column_get(&f->columns[0], i))) return NULL;
        v = wm_call_do(call, stack, 1);
        Py_DECREF(stack[1]);
        return v;
    }
}

// put appends one row.
static inline int put(struct wm_function *f, struct wm_result *r, PyObject *v) {
    struct wm_out *rows = &r->rows;
    int bad;
    if (f->kind == WM_KIND_FILTER) {
        int keep = v == Py_True ? 1 : v == Py_False ? 0 : PyObject_IsTrue(v);
        bad = keep < 0 || wm_out_put(&rows->children[0], keep ? Py_True : Py_False);
    } else if (f->single) {
        struct wm_out *column = &rows->children[0];
        bool nothing = v == Py_None && column->type->kind == WM_JSON; // JSON's null; but who means it says so with a declared type
        bad = nothing ? wm_out_refuse(rows, v) : wm_out_put(column, v);
    } else bad = v == Py_None ? wm_out_refuse(rows, v) : wm_out_put_struct(rows, v);
    if (!bad) rows->n++;
    return bad ? -1 : 0;
}

static bool full(const struct wm_result *r) {
    size_t bytes = 0;
    if (r->rows.n >= STEP_ROWS) return true;
    for (Py_ssize_t k = 0; k < r->type.n; k++) bytes += r->rows.children[k].data.size;
    return bytes >= STEP_BYTES || (!(r->rows.n & 63) && wm_out_bytes(&r->rows) >= STEP_BYTES);
}

// iterate starts on what a flat_map returned.
static int iterate(struct wm_function *f, PyObject *v) {
    if (v == Py_None) return 0;
    if (PyUnicode_Check(v) || PyBytes_Check(v) || PyDict_Check(v) || (!Py_TYPE(v)->tp_iter && !PySequence_Check(v))) {
        PyErr_Format(PyExc_TypeError, "%U returned %T for row %zd, expected an iterable of rows: return a list, or yield them", f->name, v, f->row);
        return -1;
    }
    return (f->iterator = PyObject_GetIter(v)) ? 0 : -1;
}

// drain takes items of the iterator. It returns 1 when the step is full, 0 when the iterator has ended.
static int drain(struct wm_function *f, struct wm_result *r) {
    PyObject *item;
    iternextfunc next = Py_TYPE(f->iterator)->tp_iternext;
    while ((item = next(f->iterator))) {
        int32_t row = (int32_t)f->row;
        int bad = put(f, r, item) || wm_buffer_add(&r->origins, (const char *)&row, sizeof row);
        Py_DECREF(item);
        if (bad) return -1;
        if (full(r)) return 1;
    }
    if (PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_StopIteration)) return -1;
        PyErr_Clear();
    }
    Py_CLEAR(f->iterator);
    return 0;
}

static int flat_map(struct wm_function *f, struct wm_result *r, const struct wm_call *call) {
    wm_site.yields = true;
    for (; f->row < f->length; f->row++) {
        wm_site.row = f->row;
        if (!f->iterator) {
            PyObject *v = call_row(f, call, f->row);
            int bad = !v || iterate(f, v);
            Py_XDECREF(v);
            if (bad) return -1;
        }
        if (f->iterator) {
            int more = drain(f, r);
            if (more) return more < 0 ? -1 : 0;
        }
        wm_event_used(&f->event);
    }
    return f->done = true, 0;
}

static int one_to_one(struct wm_function *f, struct wm_result *r, const struct wm_call *call) {
    wm_site.yields = false;
    for (Py_ssize_t k = 0; k < r->type.n; k++)
        if (wm_out_room(&r->rows.children[k], f->length < STEP_ROWS ? f->length : STEP_ROWS)) return -1;
    for (; f->row < f->length && !full(r); f->row++) {
        wm_site.row = f->row;
        PyObject *v = call_row(f, call, f->row);
        if (!v) return -1;
        int bad = put(f, r, v);
        Py_DECREF(v);
        if (bad) return -1;
        wm_event_used(&f->event);
    }
    f->done = f->row == f->length;
    return 0;
}

int wm_function_step(struct wm_function *f) {
    if (f->now) wm_result_release(f->now);
    if (!(f->now = wm_result_take(f))) return f->row = -1, -1;
    wm_site.function = f->name;
    if (f->style == WM_VECTOR) return wm_vector_step(f);
    struct wm_call call = wm_call_of(f->callable, f->style == WM_POSITIONAL ? f->n_args : 1);
    int bad = f->kind == WM_KIND_FLAT_MAP ? flat_map(f, f->now, &call) : one_to_one(f, f->now, &call);
    wm_call_end(&call);
    return bad || (!f->done && wm_guard_pending()) ? -1 : 0; // an interrupt that came when all was done is no error
}

PyObject *wm_row_dict(const struct wm_function *f, Py_ssize_t row) {
    if (row < 0 || row >= f->length) return NULL;
    if (f->style == WM_DOCUMENT) {
        PyObject *v = wm_column_get(&f->columns[0], row);
        if (!v) PyErr_Clear();
        return v;
    }
    PyObject *d = PyDict_New();
    for (Py_ssize_t k = 0; d && k < f->in.n; k++) {
        PyObject *v = wm_column_get(&f->columns[k], row);
        if (!v) PyErr_Clear(); // a value that Python cannot hold is left out
        else if (PyDict_SetItem(d, f->in.children[k].name, v)) Py_CLEAR(d);
        Py_XDECREF(v);
    }
    if (!d) PyErr_Clear();
    return d;
}
