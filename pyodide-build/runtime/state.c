#include "state.h"

#include <string.h>

#include "buffer.h"
#include "host.h"

// One request is made at a time, so that its bytes are kept for the next, unless they are many.
static struct wm_buffer request;
#define KEPT ((size_t)1 << 20)

enum { GET, PUT };

static int add_size(int32_t size) { return wm_buffer_add(&request, (const char *)&size, sizeof size); }

// add_bytes adds a size and so many bytes; None is a size of -1.
static int add_bytes(PyObject *value) {
    if (value == Py_None) return add_size(-1);
    if (!PyBytes_Check(value)) return PyErr_Format(PyExc_TypeError, "expected bytes, got %.100s", Py_TYPE(value)->tp_name), -1;
    Py_ssize_t n = PyBytes_GET_SIZE(value);
    if (n > INT32_MAX) return PyErr_NoMemory(), -1;
    return add_size((int32_t)n) || wm_buffer_add(&request, PyBytes_AS_STRING(value), (size_t)n) ? -1 : 0;
}

// write_request makes a request of lists of the same length.
static int write_request(int op, PyObject *const *args, Py_ssize_t lists) {
    Py_ssize_t size;
    const char *name = PyUnicode_Check(args[0]) ? PyUnicode_AsUTF8AndSize(args[0], &size) : NULL;
    if (!name) return PyErr_Occurred() ? -1 : (PyErr_SetString(PyExc_TypeError, "the name of a state is a str"), -1);
    for (Py_ssize_t l = 1; l <= lists; l++)
        if (!PyList_Check(args[l]) || PyList_GET_SIZE(args[l]) != PyList_GET_SIZE(args[1]))
            return PyErr_SetString(PyExc_TypeError, "expected lists of the same length"), -1;
    char kind = (char)op;
    Py_ssize_t count = PyList_GET_SIZE(args[1]);
    if (request.cap > KEPT) wm_buffer_free(&request);
    request.size = 0;
    if (wm_buffer_add(&request, &kind, 1) || add_size((int32_t)size) || wm_buffer_add(&request, name, (size_t)size) || add_size((int32_t)count)) return -1;
    for (Py_ssize_t i = 0; i < count; i++)
        for (Py_ssize_t l = 1; l <= lists; l++)
            if (add_bytes(PyList_GET_ITEM(args[l], i))) return -1;
    return 0;
}

// read_answer makes a list of what the host answers: for each value its size and its bytes.
static PyObject *read_answer(const char *at, size_t left, Py_ssize_t count) {
    PyObject *list = PyList_New(count);
    for (Py_ssize_t i = 0; list && i < count; i++) {
        int32_t size;
        if (left < sizeof size) goto bad;
        memcpy(&size, at, sizeof size);
        at += sizeof size, left -= sizeof size;
        PyObject *value = Py_None;
        if (size >= 0) {
            if (left < (size_t)size) goto bad;
            value = PyBytes_FromStringAndSize(at, size);
            at += size, left -= (size_t)size;
        }
        if (!value) Py_CLEAR(list);
        else PyList_SET_ITEM(list, i, value);
    }
    return list;
bad:
    Py_DECREF(list);
    return PyErr_SetString(PyExc_SystemError, "the host's answer is too short"), NULL;
}

PyObject *wm_state_get(PyObject *self, PyObject *const *args, Py_ssize_t n) {
    (void)self;
    if (n != 3) return PyErr_SetString(PyExc_TypeError, "state_get(name, keys, spaces)"), NULL;
    if (write_request(GET, args, 2)) return NULL;
    int64_t have = wm_host_ask(request.data, request.size);
    if (have < 0 || have > PY_SSIZE_T_MAX / 2) have = 0;
    char small[512], *answer = (size_t)have <= sizeof small ? small : PyMem_Malloc((size_t)have);
    if (!answer) return PyErr_NoMemory();
    if (have) wm_host_answer(answer, (size_t)have);
    PyObject *list = read_answer(answer, (size_t)have, PyList_GET_SIZE(args[1]));
    if (answer != small) PyMem_Free(answer);
    return list;
}

PyObject *wm_state_put(PyObject *self, PyObject *const *args, Py_ssize_t n) {
    (void)self;
    if (n != 4) return PyErr_SetString(PyExc_TypeError, "state_put(name, keys, spaces, values)"), NULL;
    if (write_request(PUT, args, 3)) return NULL;
    wm_host_ask(request.data, request.size);
    Py_RETURN_NONE;
}
