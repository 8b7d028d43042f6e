// State that lies with the host: docs/tasks.md has the requests.
#ifndef WASMILL_STATE_H
#define WASMILL_STATE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

// wm_state_get(name, keys, spaces) returns a list of the values, None where there is none.
PyObject *wm_state_get(PyObject *self, PyObject *const *args, Py_ssize_t n);

// wm_state_put(name, keys, spaces, values) stores values; None removes.
PyObject *wm_state_put(PyObject *self, PyObject *const *args, Py_ssize_t n);

#endif
