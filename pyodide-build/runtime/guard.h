// What comes from outside while Python runs: the end of a call's time.
#ifndef WASMILL_GUARD_H
#define WASMILL_GUARD_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

// wm_guard_init makes `timeout`, a class of exceptions, the one that an interrupt raises.
void wm_guard_init(PyObject *timeout);

// wm_guard_pending raises an interrupt that came too late for the interpreter to notice it: it returns -1 with the exception set.
int wm_guard_pending(void);

// wm_guard_clear forgets an interrupt, so that it does not hit what comes next.
void wm_guard_clear(void);

#endif
