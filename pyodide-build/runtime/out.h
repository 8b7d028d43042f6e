// Columns of the output, built of Python objects.
#ifndef WASMILL_OUT_H
#define WASMILL_OUT_H

#include "buffer.h"
#include "type.h"

// wm_out builds a column by appending. Its memory stays for the next batch, see wm_out_reset.
struct wm_out {
    const struct wm_type *type;
    const struct wm_out *parent; // NULL for the whole row
    Py_ssize_t n, nulls, cap;    // values, nulls among them, values there is room for
    struct wm_buffer valid, values, data;
    struct wm_out *children;
    PyObject *indices;           // dictionary: value -> index
    PyTypeObject *known;         // struct: the type seen last, and how its objects are read
    int reading;
    bool ints;                   // int64: values are mostly such as need no look at the width
    struct wm_array array;
    const void *buffers[3];
    struct wm_array **child_arrays;
};

// wm_out_init makes o a builder for t, which has to stay. It returns -1 with MemoryError set.
int wm_out_init(struct wm_out *o, const struct wm_type *t, const struct wm_out *parent);
void wm_out_clear(struct wm_out *o);

// wm_out_reset forgets all values and keeps the memory.
void wm_out_reset(struct wm_out *o);

// wm_out_room makes room for more values behind the last. Returns -1 with MemoryError set.
int wm_out_room(struct wm_out *o, Py_ssize_t more);

// wm_out_put appends v. When v does not fit the column exactly it returns -1 with TypeError, ValueError or OverflowError set, in words
// that name the function, the row and the column (see wm_site); the values appended before stay, so that the whole step has to be given up.
int wm_out_put(struct wm_out *o, PyObject *v);

// wm_out_put_time does it for dates, times, timestamps, durations and decimals (out_time.c).
int wm_out_put_time(struct wm_out *o, PyObject *v);
int wm_out_time_init(void); // once, at the start

// wm_out_put_struct reads v, an object with fields, into the children of o (out_struct.c).
int wm_out_put_struct(struct wm_out *o, PyObject *v);

// wm_out_put_json writes v into a document column.
int wm_out_put_json(struct wm_out *o, PyObject *v);

// wm_out_finish points o's Arrow structures at what was built.
void wm_out_finish(struct wm_out *o);

// wm_out_bytes tells how many bytes o holds, offsets and bitmaps not counted.
size_t wm_out_bytes(const struct wm_out *o);

// wm_site says what is at work, for texts of errors.
extern struct wm_site {
    PyObject *function; // its name
    Py_ssize_t row;     // of the input
    bool yields;        // it is an iterable's item that is looked at
} wm_site;

// wm_out_refuse sets TypeError: "map returned str for column `delay` of row 17, expected int or None". It returns -1.
int wm_out_refuse(const struct wm_out *o, PyObject *v);

// wm_out_unfit sets OverflowError: "map returned 300 for column `delay` of row 17, which does not fit: <why>". It returns -1.
int wm_out_unfit(const struct wm_out *o, PyObject *v, const char *why);

// wm_out_slot appends one value of fixed width, not null, and returns its place; NULL with MemoryError set.
static inline void *wm_out_slot(struct wm_out *o) {
    if (o->n == o->cap && wm_out_room(o, 1)) return NULL;
    return o->values.data + (size_t)o->n++ * o->type->width;
}

#endif
