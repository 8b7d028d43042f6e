// Objects that every clone of an image shares stay as they are. A clone that does no more than to call a function would write to the count of
// references of everything that it touches, and the page of each would be copied; the count of an immortal object is never written.
#include "runtime.h"

#include <stdlib.h>

static struct {
    PyObject **at;
    size_t n, cap;
} found; // what was made immortal and not yet looked into

static int keep(PyObject *o, void *ignored) {
    (void)ignored;
    if (!o || _Py_IsImmortal(o)) return 0;
    if (found.n == found.cap) {
        size_t cap = found.cap ? found.cap * 2 : 4096;
        PyObject **at = realloc(found.at, cap * sizeof *at);
        if (!at) return 0; // then some pages more are copied
        found.at = at, found.cap = cap;
    }
    Py_SET_REFCNT(o, _Py_IMMORTAL_REFCNT);
    found.at[found.n++] = o;
    return 0;
}

static void keep_code(const PyCodeObject *c) {
    PyObject *const parts[] = {c->co_consts, c->co_names, c->co_exceptiontable, c->co_localsplusnames, c->co_localspluskinds,
                               c->co_filename, c->co_name, c->co_qualname, c->co_linetable};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) keep(parts[i], NULL);
}

// look_into makes immortal what is in what was found: all of it, or what code is made of.
static void look_into(bool all) {
    while (found.n) {
        PyObject *o = found.at[--found.n];
        if (PyCode_Check(o)) keep_code((PyCodeObject *)o);
        else if (Py_TYPE(o)->tp_traverse && (all || PyTuple_CheckExact(o) || PyFrozenSet_CheckExact(o))) Py_TYPE(o)->tp_traverse(o, keep, NULL);
    }
}

static int visit_all(PyObject *o, void *ignored) {
    keep(o, ignored);
    look_into(true);
    return 1;
}

// visit_code takes functions and classes of the user's, but not what they refer to: that may have a __del__, be watched by a weak
// reference, or be large and dropped one day.
static int visit_code(PyObject *o, void *ignored) {
    if (PyFunction_Check(o)) {
        const PyFunctionObject *f = (PyFunctionObject *)o;
        keep(f->func_code, NULL), keep(f->func_name, NULL), keep(f->func_qualname, NULL), keep(f->func_doc, NULL);
        look_into(false);
    }
    if (PyFunction_Check(o) || PyType_Check(o) || PyModule_Check(o)) Py_SET_REFCNT(o, _Py_IMMORTAL_REFCNT);
    (void)ignored;
    return 1;
}

void wm_settle(bool all) {
    PyUnstable_GC_VisitObjects(all ? visit_all : visit_code, NULL);
    free(found.at);
    found.at = NULL, found.cap = 0;
}
