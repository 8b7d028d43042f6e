// An interrupt is what PyThreadState_SetAsyncExc does, done by the host from outside: it stores a class of exceptions in the thread's
// state and sets a bit of its eval breaker, which the interpreter looks at when a function begins and when a loop goes round.
#include "guard.h"

#ifndef Py_BUILD_CORE
#define Py_BUILD_CORE 1
#endif
#include "internal/pycore_ceval.h"

#include "host.h"
#include "out.h"

static PyObject *timeout_class;

void wm_guard_init(PyObject *timeout) {
    timeout_class = timeout;
    Py_SET_REFCNT(timeout, _Py_IMMORTAL_REFCNT); // every interrupt takes a reference, and nobody gives one
}

void wm_guard_clear(void) {
    PyThreadState *t = PyThreadState_Get();
    t->async_exc = NULL;
    _Py_unset_eval_breaker_bit(t, _PY_ASYNC_EXCEPTION_BIT);
}

int wm_guard_pending(void) {
    if (!PyThreadState_Get()->async_exc) return 0;
    wm_guard_clear();
    if (PyErr_Occurred()) return -1;
    PyErr_SetNone(timeout_class);
    return -1;
}

// C code that may run for long, a regular expression's search or the arithmetic of huge integers, asks for signals now and then. The linker
// puts this function in the place of the interpreter's.
int __real_PyErr_CheckSignals(void);

int __wrap_PyErr_CheckSignals(void) { return wm_guard_pending() ? -1 : __real_PyErr_CheckSignals(); }

WM_EXPORT("wasmill_interrupt") const uint32_t *wasmill_interrupt(void) {
    static uint32_t place[5];
    PyThreadState *t = PyThreadState_Get();
    place[0] = (uint32_t)(uintptr_t)&t->eval_breaker, place[1] = (uint32_t)(uintptr_t)&t->async_exc;
    place[2] = (uint32_t)(uintptr_t)timeout_class, place[3] = _PY_ASYNC_EXCEPTION_BIT;
    place[4] = (uint32_t)(uintptr_t)&wm_site.row;
    return place;
}
