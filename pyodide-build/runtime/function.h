// A function that is open: what it is called with, and what its results are built into.
#ifndef WASMILL_FUNCTION_H
#define WASMILL_FUNCTION_H

#include "event.h"
#include "out.h"

enum wm_function_kind { WM_KIND_MAP, WM_KIND_FILTER, WM_KIND_FLAT_MAP, WM_KIND_SCALAR };
enum wm_style {
    WM_POSITIONAL, // one argument per column
    WM_EVENT,      // one argument, an object of all columns
    WM_DOCUMENT,   // one argument, the value of the one column
    WM_VECTOR,     // whole columns, once per batch
};

// wm_result is a step that the host may be looking at. Its memory is used again when the host has released it.
struct wm_result {
    struct wm_array array; // first: wasmill_release gets its address
    const void *no_validity[1];
    struct wm_type type;   // of its own, so that a result outlives the function's being opened again
    struct wm_out rows;    // a struct of the columns
    struct wm_buffer origins;
    Py_buffer *held;       // one per column: memory of objects that vectorised functions have returned; obj is NULL for none
    struct wm_function *owner; // NULL when the function has been opened again
    struct wm_result *next;
};

struct wm_function {
    PyObject *name;
    enum wm_function_kind kind;
    enum wm_style style;
    bool single;            // the result is the value of the only column, and not an object with columns
    bool gives_out;         // WM_VECTOR: the function has a parameter `out` to write its results to
    PyObject *callable;
    PyObject *out_spec;     // the columns of the output, see wm_type_of_spec
    struct wm_type in;      // a struct of the columns
    struct wm_column *columns;
    Py_ssize_t n_args, *args; // WM_POSITIONAL, WM_VECTOR: the column of each argument
    PyObject **own, **stack;  // one object per column, see wm_column_reuse; the arguments of a call, the first place being spare
    struct wm_event event;
    struct wm_result *idle;   // not in use
    struct wm_result *out;    // at the host's
    // The call at work.
    Py_ssize_t length, row;
    PyObject *iterator;       // WM_KIND_FLAT_MAP: of the results of `row`
    struct wm_result *now;
    bool done;
};

// wm_function_open makes f ready for columns of this schema. It returns -1 with an exception set.
int wm_function_open(struct wm_function *f, Py_ssize_t index, const struct wm_schema *s, const char *config, size_t config_size);

// wm_function_close frees what f holds; results at the host's stay until they are released.
void wm_function_close(struct wm_function *f);

// wm_function_begin takes a batch and forgets the one before.
void wm_function_begin(struct wm_function *f, const struct wm_array *in);

// wm_function_end forgets the batch: no object of it stays.
void wm_function_end(struct wm_function *f);

// wm_function_step runs rows from f->row on until the batch is done or the step is full. It returns 0 with f->now being the step, and
// f->done told; -1 with an exception set, f->row being the row at work, or -1 when no row is to blame.
int wm_function_step(struct wm_function *f);

// wm_vector_step is wm_function_step for vectorised functions.
int wm_vector_step(struct wm_function *f);
int wm_vector_init(PyObject *module); // adds the class Column; -1 with an exception set

// wm_result_take returns a result to build into, and wm_result_release gives it back. NULL with an exception set.
struct wm_result *wm_result_take(struct wm_function *f);
void wm_result_release(struct wm_result *r);

// wm_result_finish points the Arrow structures at what has been built.
void wm_result_finish(struct wm_result *r);

// wm_row_dict returns the columns of a row of the batch at work as a dict, for the eyes of an author; NULL without an exception when
// there is none.
PyObject *wm_row_dict(const struct wm_function *f, Py_ssize_t row);

#endif
