#include "function.h"

#include <stdlib.h>

static void discard(struct wm_result *r) {
    wm_out_clear(&r->rows), wm_type_clear(&r->type), wm_buffer_free(&r->origins);
    free(r->held);
    free(r);
}

static struct wm_result *make(struct wm_function *f) {
    struct wm_result *r = calloc(1, sizeof *r);
    if (!r) return PyErr_NoMemory(), NULL;
    r->type = (struct wm_type){.kind = WM_STRUCT};
    Py_ssize_t n = PyTuple_GET_SIZE(f->out_spec);
    r->type.children = calloc((size_t)n + 1, sizeof *r->type.children);
    r->held = calloc((size_t)n + 1, sizeof *r->held);
    int bad = !r->type.children || !r->held;
    if (bad) PyErr_NoMemory();
    for (; !bad && r->type.n < n; r->type.n++) bad = wm_type_of_spec(&r->type.children[r->type.n], PyTuple_GET_ITEM(f->out_spec, r->type.n), 1);
    if (bad || wm_out_init(&r->rows, &r->type, NULL)) return discard(r), NULL;
    return r;
}

struct wm_result *wm_result_take(struct wm_function *f) {
    struct wm_result *r = f->idle;
    if (r) f->idle = r->next;
    else if (!(r = make(f))) return NULL;
    r->owner = f, r->next = NULL;
    return r;
}

void wm_result_release(struct wm_result *r) {
    struct wm_function *f = r->owner;
    for (Py_ssize_t k = 0; k < r->type.n; k++)
        if (r->held[k].obj) PyBuffer_Release(&r->held[k]);
    if (!f) {
        discard(r);
        return;
    }
    for (struct wm_result **at = &f->out; *at; at = &(*at)->next)
        if (*at == r) {
            *at = r->next;
            break;
        }
    wm_out_reset(&r->rows), r->origins.size = 0;
    r->next = f->idle, f->idle = r;
}

void wm_result_finish(struct wm_result *r) {
    for (Py_ssize_t k = 0; k < r->type.n; k++) {
        struct wm_out *o = &r->rows.children[k];
        wm_out_finish(o);
        if (r->held[k].obj) o->buffers[1] = r->held[k].buf;
    }
    r->array = (struct wm_array){.length = r->rows.n, .n_buffers = 1, .buffers = r->no_validity, .n_children = r->type.n,
                                 .children = r->rows.child_arrays, .release = 1};
}

// free_results frees what is idle, and leaves what is at the host's to its release.
void wm_function_close(struct wm_function *f) {
    wm_function_end(f);
    for (struct wm_result *r = f->out; r; r = r->next) r->owner = NULL;
    for (struct wm_result *r = f->idle, *next; r; r = next) next = r->next, discard(r);
    for (Py_ssize_t k = 0; f->columns && k < f->in.n; k++) wm_column_clear(&f->columns[k]);
    free(f->columns), free(f->args), free(f->own), free(f->stack);
    wm_type_clear(&f->in);
    Py_XDECREF(f->name);
    Py_XDECREF(f->callable);
    Py_XDECREF(f->out_spec);
    *f = (struct wm_function){.done = true};
}
