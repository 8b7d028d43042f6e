// Columns of the input, and their values as Python objects.
#ifndef WASMILL_COLUMN_H
#define WASMILL_COLUMN_H

#include "type.h"

// wm_column is a column of the batch at work. Its memory is the host's, until the last step of the call. Row i is at
// values[i], the offset being counted in already, but for bits, which start at bit `offset`.
struct wm_column {
    const struct wm_type *type;
    const uint8_t *valid; // NULL when no value is null
    Py_ssize_t length, offset;
    const char *values;   // values, offsets, or bits
    const char *data;     // bytes of text
    bool ascii;           // text: all of the batch is ASCII
    bool ints, floats;    // all of the batch are int64 or float64, none of them null: most columns are, and need no look at each value
    struct wm_column *children;
};

// wm_column_init makes c a column of type t, without a batch. It returns -1 with MemoryError set.
int wm_column_init(struct wm_column *c, const struct wm_type *t);
void wm_column_clear(struct wm_column *c);

// wm_column_view points c at an array of the batch.
void wm_column_view(struct wm_column *c, const struct wm_array *a);

static inline bool wm_column_null(const struct wm_column *c, Py_ssize_t i) {
    if (!c->valid) return c->type->kind == WM_NULL;
    Py_ssize_t bit = c->offset + i;
    return !(c->valid[bit >> 3] >> (bit & 7) & 1);
}

// wm_column_get returns a new reference to the value of row i, None for null; NULL with an exception set when there is no such
// Python object: a date outside of the years 1 to 9999, text that is not UTF-8, a document that is not JSON.
PyObject *wm_column_get(const struct wm_column *c, Py_ssize_t i);

// wm_column_reuse returns a borrowed reference to the value of row i. *own keeps it, and is the object for the next row when
// nobody else holds it by then: numbers and short texts are then written over instead of made anew. *own starts as NULL, and is the
// caller's to release.
PyObject *wm_column_reuse(const struct wm_column *c, Py_ssize_t i, PyObject **own);

// wm_column_span gives the bytes of text of row i, which is not null.
static inline const char *wm_column_span(const struct wm_column *c, Py_ssize_t i, Py_ssize_t *size) {
    if (c->type->width == 4) {
        const int32_t *o = (const int32_t *)c->values + i;
        return *size = o[1] - o[0], c->data + o[0];
    }
    const int64_t *o = (const int64_t *)c->values + i;
    return *size = (Py_ssize_t)(o[1] - o[0]), c->data + (Py_ssize_t)o[0];
}

// wm_time_get makes values of the kinds that have to do with time, and decimals (column_time.c).
PyObject *wm_time_get(const struct wm_column *c, Py_ssize_t i);
int wm_time_init(void); // once, at the start; -1 with an exception set
extern PyObject *wm_decimal; // decimal.Decimal, from wm_time_init on

#endif
