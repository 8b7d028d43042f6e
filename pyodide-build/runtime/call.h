// Calls of one callable, many times over.
#ifndef WASMILL_CALL_H
#define WASMILL_CALL_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#ifndef Py_BUILD_CORE
#define Py_BUILD_CORE 1
#endif
#include "internal/pycore_ceval.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_pystate.h"

// wm_call is how a callable is called, from wm_call_of to wm_call_end; the callable has to stay. A function in Python whose parameters are as many as the arguments, and all of them positional, is entered as
// the interpreter enters it from Python code: its frame is filled here, without a look at defaults and keywords.
struct wm_call {
    PyObject *callable;
    vectorcallfunc vectorcall;  // NULL where there is none
    PyFunctionObject *function; // NULL for what is not such a function
    PyObject *self;             // of a method, else NULL
    PyObject *code;             // what the function's code was: the user can set another; a reference of our own
};

static inline struct wm_call wm_call_of(PyObject *callable, Py_ssize_t n) {
    struct wm_call c = {.callable = callable, .vectorcall = PyVectorcall_Function(callable)};
    PyObject *f = callable;
    if (Py_IS_TYPE(f, &PyMethod_Type)) c.self = PyMethod_GET_SELF(f), f = PyMethod_GET_FUNCTION(f);
    if (!Py_IS_TYPE(f, &PyFunction_Type) || ((PyFunctionObject *)f)->vectorcall != _PyFunction_Vectorcall) return c;
    PyCodeObject *code = (PyCodeObject *)PyFunction_GET_CODE(f);
    int plain = CO_OPTIMIZED | CO_NEWLOCALS;
    if ((code->co_flags & (plain | CO_VARARGS | CO_VARKEYWORDS)) != plain || code->co_kwonlyargcount || code->co_argcount != n + (c.self != NULL)) return c;
    c.function = (PyFunctionObject *)f, c.code = Py_NewRef(code);
    return c;
}

static inline void wm_call_end(struct wm_call *c) { Py_CLEAR(c->code); }

// wm_call_do calls with stack[1] to stack[n]; stack[0] is spare. It returns a new reference, or NULL with an exception set.
static inline PyObject *wm_call_do(const struct wm_call *c, PyObject **stack, size_t n) {
    PyThreadState *t = _PyThreadState_GET();
    if (c->function && c->function->func_code == c->code && _PyThreadState_HasStackSpace(t, ((PyCodeObject *)c->code)->co_framesize)) {
        size_t first = c->self != NULL;
        _PyInterpreterFrame *frame = _PyFrame_PushUnchecked(t, (PyFunctionObject *)Py_NewRef(c->function), (int)(n + first));
        if (first) frame->localsplus[0] = Py_NewRef(c->self);
        for (size_t k = 0; k < n; k++) frame->localsplus[k + first] = Py_NewRef(stack[k + 1]);
        return _PyEval_EvalFrame(t, frame, 0);
    }
    if (c->vectorcall) return c->vectorcall(c->callable, stack + 1, n | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    return PyObject_Vectorcall(c->callable, stack + 1, n | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}

#endif
