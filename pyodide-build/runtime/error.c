#include "runtime.h"

#include <stdlib.h>

#include "guard.h"

struct wm_buffer wm_error;

enum { MOST_TEXT = 60000 }; // bytes; docs/abi.md has 64 KiB read at most

static void set_text(const char *s, Py_ssize_t n) {
    if (n > MOST_TEXT)
        for (n = MOST_TEXT; n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80; n--) {}
    wm_error.size = 0;
    if (wm_buffer_add(&wm_error, s, (size_t)n)) PyErr_Clear();
}

// set_plain is for when the Python package cannot write the text: there may be no memory left, or no builtins.
static void set_plain(PyObject *e) {
    const char *name = Py_TYPE(e)->tp_name;
    PyObject *text = PyUnicode_FromFormat("%s: %S", name, e);
    Py_ssize_t n;
    const char *s = text ? PyUnicode_AsUTF8AndSize(text, &n) : NULL;
    if (s) set_text(s, n);
    else PyErr_Clear(), set_text(name, (Py_ssize_t)strlen(name));
    Py_XDECREF(text);
}

// Memory that nobody uses, so that there is some when there is none left: the text of an error wants a little.
enum { RESERVE = 1 << 20 };
static void *reserve;

void wm_error_reserve(void) {
    if (!reserve) reserve = malloc(RESERVE);
}

// let_go frees what the frames of a traceback hold: it is what filled the memory.
static void let_go(PyObject *e) {
    free(reserve), reserve = NULL;
    PyObject *tb = PyException_GetTraceback(e);
    for (PyObject *t = tb; t; t = (PyObject *)((PyTracebackObject *)t)->tb_next) {
        PyObject *v = PyObject_CallMethod((PyObject *)((PyTracebackObject *)t)->tb_frame, "clear", NULL);
        if (!v) PyErr_Clear(); // one that is still running
        Py_XDECREF(v);
    }
    Py_XDECREF(tb);
    PyException_SetContext(e, NULL); // another of the same, raised for want of memory for the first one's traceback
}

void wm_error_take(const struct wm_function *f, Py_ssize_t row) {
    wm_guard_clear();
    PyObject *e = PyErr_GetRaisedException();
    if (!e) {
        set_text("the function failed without an exception", 40);
        return;
    }
    bool full = PyErr_GivenExceptionMatches(e, PyExc_MemoryError);
    if (full) let_go(e);
    PyObject *values = f ? wm_row_dict(f, row) : NULL;
    PyObject *text = PyObject_CallMethod(wm_runtime, "error_text", "OOnO", e, f && f->name ? f->name : Py_None, row, values ? values : Py_None);
    Py_ssize_t n;
    const char *s = text ? PyUnicode_AsUTF8AndSize(text, &n) : NULL;
    if (s) set_text(s, n);
    else PyErr_Clear(), set_plain(e);
    Py_XDECREF(text);
    Py_XDECREF(values);
    wm_guard_clear();
    PyException_SetTraceback(e, Py_None); // an exception that the user's code keeps shall not keep the row's frames
    Py_DECREF(e);
    PyErr_Clear();
    if (full) PyGC_Collect(), wm_error_reserve();
}
