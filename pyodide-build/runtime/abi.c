// The exports of docs/abi.md.
#include <stdlib.h>

#include "guard.h"
#include "host.h"
#include "runtime.h"

static struct wm_function *functions; // in the order of the description
static size_t n_functions;
static struct wm_buffer description;

WM_EXPORT("wasmill_abi_v1") int wasmill_abi_v1(void) { return 1; }

WM_EXPORT("wasmill_alloc") void *wasmill_alloc(size_t size, size_t align) {
    if (align < 64) align = 64;
    if (align > 1 << 20 || (align & (align - 1)) || size > 0x7fff0000u) return NULL;
    return aligned_alloc(align, (size + align) & ~(align - 1)); // one byte more than nothing, so that no two are the same
}

WM_EXPORT("wasmill_free") void wasmill_free(void *p, size_t size, size_t align) {
    (void)size, (void)align;
    free(p);
}

static void noop(void *p) { (void)p; }
WM_EXPORT("wasmill_noop_release") int wasmill_noop_release(void) { return (int)(intptr_t)noop; }

static uint64_t span(const struct wm_buffer *b) { return (uint64_t)(uintptr_t)b->data << 32 | b->size; }

WM_EXPORT("wasmill_error") uint64_t wasmill_error(void) { return span(&wm_error); }

int wm_functions_learn(void) {
    PyObject *pair = PyObject_CallMethod(wm_runtime, "describe", NULL), *text;
    Py_ssize_t n, size;
    int bad = !pair || !PyArg_ParseTuple(pair, "Un", &text, &n);
    const char *s = bad ? NULL : PyUnicode_AsUTF8AndSize(text, &size);
    bad = !s;
    if (!bad) description.size = 0, bad = wm_buffer_add(&description, s, (size_t)size);
    if (!bad) {
        for (size_t i = 0; i < n_functions; i++) wm_function_close(&functions[i]);
        free(functions);
        functions = calloc((size_t)n + 1, sizeof *functions), n_functions = (size_t)n;
        if (!functions) n_functions = 0, PyErr_NoMemory(), bad = -1;
    }
    Py_XDECREF(pair);
    return bad ? -1 : 0;
}

WM_EXPORT("wasmill_describe") uint64_t wasmill_describe(void) {
    if (!functions && wm_functions_learn()) {
        wm_error_take(NULL, -1);
        return 0;
    }
    return span(&description);
}

// leave ends an entry: the user's output is written, and nothing stays that could hit the next entry.
static int leave(int status) {
    wm_site.row = -1;
    wm_runtime_flush();
    wm_guard_clear();
    return status;
}

static int fail(struct wm_function *f, Py_ssize_t row) {
    wm_error_take(f, row);
    if (f) wm_function_end(f);
    return leave(WM_ERROR);
}

static struct wm_function *function(size_t fn) {
    if (fn < n_functions) return &functions[fn];
    PyErr_Format(PyExc_IndexError, "there is no function %zu", fn);
    return NULL;
}

WM_EXPORT("wasmill_open") int wasmill_open(size_t fn, const struct wm_schema *schema, const char *config, size_t config_size) {
    struct wm_function *f = !functions && wm_functions_learn() ? NULL : function(fn);
    if (!f) return fail(NULL, -1);
    if (!wm_function_open(f, (Py_ssize_t)fn, schema, config_size ? config : NULL, config_size)) return leave(WM_OK);
    wm_error_take(NULL, -1);
    wm_function_close(f);
    return leave(WM_ERROR);
}

static int step(struct wm_function *f, struct wm_step *out) {
    wm_error.size = 0;
    if (wm_function_step(f)) {
        out->row = (int32_t)f->row;
        return fail(f, f->row);
    }
    struct wm_result *r = f->now;
    f->now = NULL;
    if (r->rows.n || f->kind != WM_KIND_FLAT_MAP) {
        wm_result_finish(r);
        out->array = &r->array, out->origins = f->kind == WM_KIND_FLAT_MAP ? (int32_t *)(void *)r->origins.data : NULL;
        out->partial = f->iterator != NULL;
        r->next = f->out, f->out = r;
    } else wm_result_release(r);
    if (!f->done) return leave(WM_MORE);
    wm_function_end(f);
    return leave(WM_OK);
}

static int not_open(struct wm_step *out, size_t fn) {
    PyErr_Format(PyExc_RuntimeError, "function %zu is not open", fn);
    out->row = -1;
    return fail(NULL, -1);
}

WM_EXPORT("wasmill_call") int wasmill_call(size_t fn, const struct wm_array *in, struct wm_step *out) {
    if (fn >= n_functions || !functions[fn].callable) return not_open(out, fn);
    wm_function_begin(&functions[fn], in);
    return step(&functions[fn], out);
}

WM_EXPORT("wasmill_next") int wasmill_next(size_t fn, struct wm_step *out) {
    if (fn >= n_functions || !functions[fn].callable || functions[fn].done) return not_open(out, fn);
    return step(&functions[fn], out);
}

WM_EXPORT("wasmill_release") void wasmill_release(struct wm_array *array) {
    if (array) wm_result_release((struct wm_result *)(void *)array);
}

WM_EXPORT("wasmill_close") int wasmill_close(void) {
    PyObject *v = PyObject_CallMethod(wm_runtime, "close", NULL);
    if (!v) return fail(NULL, -1);
    Py_DECREF(v);
    return leave(WM_OK);
}
