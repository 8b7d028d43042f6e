// The module _wasmill: what the Python package asks of the host.
#include "guard.h"
#include "host.h"
#include "json.h"
#include "runtime.h"
#include "state.h"

PyObject *wm_runtime;
static PyObject *flush; // wasmill._runtime.flush

static PyObject *m_log(PyObject *self, PyObject *const *args, Py_ssize_t n) {
    (void)self;
    if (n != 2) return PyErr_SetString(PyExc_TypeError, "log(level, text)"), NULL;
    int level = PyLong_AsInt(args[0]);
    if (level == -1 && PyErr_Occurred()) return NULL;
    PyObject *bytes = PyUnicode_Check(args[1]) ? PyUnicode_AsEncodedString(args[1], "utf-8", "backslashreplace") : NULL;
    if (!bytes) return PyErr_Occurred() ? NULL : (PyErr_SetString(PyExc_TypeError, "the text of a log line is a str"), NULL);
    wm_host_log(level, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
    Py_RETURN_NONE;
}

static PyObject *m_metric(PyObject *self, PyObject *const *args, Py_ssize_t n) {
    (void)self;
    Py_ssize_t size;
    const char *name = n == 2 && PyUnicode_Check(args[0]) ? PyUnicode_AsUTF8AndSize(args[0], &size) : NULL;
    if (!name) return PyErr_Occurred() ? NULL : (PyErr_SetString(PyExc_TypeError, "metric(name, value)"), NULL);
    if (size < 1 || size > 128) return PyErr_SetString(PyExc_ValueError, "the name of a metric has 1 to 128 bytes"), NULL;
    double value = PyFloat_AsDouble(args[1]);
    if (value == -1 && PyErr_Occurred()) return NULL;
    wm_host_metric(name, (size_t)size, value);
    Py_RETURN_NONE;
}

static PyObject *m_deadline(PyObject *self, PyObject *ignored) {
    (void)self, (void)ignored;
    return PyFloat_FromDouble((double)wm_host_deadline() / 1e9);
}

static PyObject *m_execute(PyObject *self, PyObject *plan) {
    (void)self;
    Py_ssize_t size;
    const char *text = PyUnicode_Check(plan) ? PyUnicode_AsUTF8AndSize(plan, &size) : NULL;
    if (!text) return PyErr_Occurred() ? NULL : (PyErr_SetString(PyExc_TypeError, "a plan is a str"), NULL);
    wm_runtime_flush(); // else every clone would write it again
    wm_pack();
    int64_t status = wm_host_execute(text, (size_t)size), have = wm_host_result(NULL, 0);
    wm_unpack();
    if (have < 0 || have > PY_SSIZE_T_MAX / 2) have = 0;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)have);
    if (!bytes) return NULL;
    if (have) wm_host_result(PyBytes_AS_STRING(bytes), (size_t)have);
    PyObject *result = PyUnicode_DecodeUTF8(PyBytes_AS_STRING(bytes), (Py_ssize_t)have, "replace");
    Py_DECREF(bytes);
    if (status >= 0 || !result) return result;
    PyErr_SetObject(PyExc_RuntimeError, result);
    Py_DECREF(result);
    return NULL;
}

static PyObject *m_loads(PyObject *self, PyObject *text) {
    (void)self;
    Py_ssize_t n;
    const char *s = PyUnicode_AsUTF8AndSize(text, &n);
    return s ? wm_json_read(s, n) : NULL;
}

static PyObject *m_dumps(PyObject *self, PyObject *value) {
    (void)self;
    struct wm_buffer out = {0};
    PyObject *text = wm_json_write(value, &out) ? NULL : PyUnicode_DecodeUTF8(out.data ? out.data : "", (Py_ssize_t)out.size, NULL);
    wm_buffer_free(&out);
    return text;
}

static PyMethodDef methods[] = {
    {"log", (PyCFunction)(void (*)(void))m_log, METH_FASTCALL, "log(level, text): writes to the job's log; -4 debug, 0 info, 4 warning, 8 error"},
    {"metric", (PyCFunction)(void (*)(void))m_metric, METH_FASTCALL, "metric(name, value): adds value to the counter of that name"},
    {"deadline", m_deadline, METH_NOARGS, "deadline(): seconds that remain of this call"},
    {"execute", m_execute, METH_O, "execute(plan): runs the job of a plan, which is JSON, and returns its result"},
    {"state_get", (PyCFunction)(void (*)(void))wm_state_get, METH_FASTCALL, "state_get(name, keys, spaces): the values that the host keeps, as a list"},
    {"state_put", (PyCFunction)(void (*)(void))wm_state_put, METH_FASTCALL, "state_put(name, keys, spaces, values): has the host keep values; None removes"},
    {"read_document", m_loads, METH_O, "read_document(text): the value that a document is for a function"},
    {"write_document", m_dumps, METH_O, "write_document(value): the document that is written for a function's result"},
    {0},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "_wasmill", .m_size = -1, .m_methods = methods};

PyMODINIT_FUNC PyInit__wasmill(void) {
    PyObject *m = PyModule_Create(&definition);
    if (m && (wm_time_init() || wm_out_time_init() || wm_row_type_init(m) || wm_vector_init(m))) Py_CLEAR(m);
    return m;
}

int wm_runtime_start(void) {
    if (!(wm_runtime = PyImport_ImportModule("wasmill._runtime"))) return -1;
    flush = PyObject_GetAttrString(wm_runtime, "flush");
    PyObject *timeout = flush ? PyObject_GetAttrString(wm_runtime, "Timeout") : NULL;
    if (!timeout || wm_json_install()) return -1;
    wm_guard_init(timeout);
    wm_error_reserve();
    PyObject *v = PyObject_CallMethod(wm_runtime, "start", NULL);
    Py_XDECREF(v);
    return v ? 0 : -1;
}

void wm_runtime_flush(void) {
    PyObject *e = PyErr_GetRaisedException(), *v = PyObject_CallNoArgs(flush);
    if (!v) PyErr_Clear();
    Py_XDECREF(v);
    PyErr_SetRaisedException(e);
}
