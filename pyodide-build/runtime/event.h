// Objects made of several columns: dicts, Rows, dataclasses, named tuples.
#ifndef WASMILL_EVENT_H
#define WASMILL_EVENT_H

#include "column.h"

// wm_maker_new returns a maker of objects for the struct t, whose children are the fields, or NULL with an exception set. class is
// None for dicts, a type whose instances are made without calling it, or a tuple of one callable that gets the values by name.
// The maker refers to t, which has to stay.
struct wm_maker *wm_maker_new(PyObject *class, const struct wm_type *t);
void wm_maker_free(struct wm_maker *m);

// wm_maker_make returns a new object with the values of row i of the columns, one per field.
PyObject *wm_maker_make(struct wm_maker *m, const struct wm_column *columns, Py_ssize_t i);

// wm_event makes the argument of one call after another. own has one object per column, see wm_column_reuse.
struct wm_event {
    struct wm_maker *maker;
    PyObject *object, **own;
    bool emptied; // the object was used, and can be given out again
};

// wm_event_next returns a borrowed reference to the object of row i, valid until the next call.
PyObject *wm_event_next(struct wm_event *e, const struct wm_column *columns, Py_ssize_t i);

// wm_event_used is told that the function has returned and its result is not needed any more: values go back to own.
void wm_event_used(struct wm_event *e);

// wm_slot returns the address of the slot that the type of o has under this name, or NULL: for classes with __slots__.
PyObject **wm_slot(PyObject *o, PyObject *name);
Py_ssize_t wm_slot_offset(PyTypeObject *type, PyObject *name); // 0 where there is none

#endif
