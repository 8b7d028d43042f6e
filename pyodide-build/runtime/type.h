// Types of columns, made from the host's schema or from what the Python package says of a function.
#ifndef WASMILL_TYPE_H
#define WASMILL_TYPE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>

#include "arrow.h"

enum wm_kind {
    WM_NULL, WM_BOOL, WM_INT, WM_UINT, WM_FLOAT, WM_TEXT, WM_BYTES, WM_FIXED, WM_DATE, WM_TIME, WM_TIMESTAMP, WM_DURATION,
    WM_DECIMAL, WM_LIST, WM_STRUCT, WM_MAP, WM_DICTIONARY, WM_JSON,
};

struct wm_maker;

// wm_type describes a column, or the values inside of one. A list has one child; a map has one child, a struct of key and value;
// a dictionary has two, its indices and its values.
struct wm_type {
    enum wm_kind kind;
    bool nullable;
    unsigned width;       // bytes of a value; of an offset where values have any length; 0 for bits and for none
    int64_t per_second;   // time: how many units are a second
    int precision, scale; // decimal
    PyObject *name;       // str, interned
    PyObject *zone;       // timestamp: a tzinfo, or NULL
    struct wm_maker *maker; // struct in the input: makes its objects (event.h)
    Py_ssize_t n;
    struct wm_type *children;
};

// wm_type_of_schema learns t from the host's schema. Returns -1 with an exception set for a type that does not cross.
int wm_type_of_schema(struct wm_type *t, const struct wm_schema *s, int depth);

// wm_type_of_spec learns t from (name, format, nullable, children, class), children being a tuple of the same. The format is
// that of the C data interface, and "j" for a document: JSON as text. The class is for wm_type_overlay.
int wm_type_of_spec(struct wm_type *t, PyObject *spec, int depth);

// wm_type_overlay puts makers into the structs of t, a type of the input: those of the classes in spec, which has the form
// above or is None. It returns -1 with TypeError set where spec and t do not have the same shape.
int wm_type_overlay(struct wm_type *t, PyObject *spec);

// wm_type_clear frees what t holds.
void wm_type_clear(struct wm_type *t);

// wm_type_wanted tells what values of t are in Python: "int", "str or None".
PyObject *wm_type_wanted(const struct wm_type *t);

#endif
