#include "event.h"

#include <stdlib.h>

#ifndef Py_BUILD_CORE
#define Py_BUILD_CORE 1
#endif
#pragma clang diagnostic ignored "-Wdeprecated-declarations" // of Python's own in its header
#include "internal/pycore_dict.h"
#include "internal/pycore_object.h"

enum making { MAKE_DICT, MAKE_SLOTS, MAKE_TUPLE, MAKE_ATTRIBUTES, MAKE_CALL };

struct wm_maker {
    enum making how;
    const struct wm_type *type;
    PyObject *class;      // a type, or what to call
    PyObject *names;      // MAKE_CALL: the fields
    PyObject *empty;      // MAKE_DICT: all fields with None, or NULL
    bool atoms;           // no value is a container that the garbage collector has to know of
    bool ours;            // the class is one of wasmill._rows: nobody can tell an object used again from a new one
    // MAKE_ATTRIBUTES: where the interpreter keeps the attributes of a new object, learnt from the first one; NULL before.
    const PyDictKeysObject *keys;
    uint8_t places[SHARED_KEYS_MAX_SIZE];
    Py_ssize_t offsets[]; // MAKE_SLOTS
};

Py_ssize_t wm_slot_offset(PyTypeObject *type, PyObject *name) {
    PyObject *d = _PyType_Lookup(type, name);
    if (!d || !Py_IS_TYPE(d, &PyMemberDescr_Type)) return 0;
    const PyMemberDef *m = ((PyMemberDescrObject *)d)->d_member;
    return m->type == Py_T_OBJECT_EX && !(m->flags & Py_READONLY) ? m->offset : 0;
}

PyObject **wm_slot(PyObject *o, PyObject *name) {
    Py_ssize_t offset = wm_slot_offset(Py_TYPE(o), name);
    return offset ? (PyObject **)(void *)((char *)o + offset) : NULL;
}

static bool is_atom(const struct wm_type *t) {
    return t->kind != WM_LIST && t->kind != WM_STRUCT && t->kind != WM_MAP && t->kind != WM_JSON && t->kind != WM_DICTIONARY && !t->zone;
}

static int with_dict(struct wm_maker *m) {
    m->how = MAKE_DICT;
    if (!m->type->n) return 0;
    if (!(m->empty = PyDict_New())) return -1;
    for (Py_ssize_t k = 0; k < m->type->n; k++)
        if (PyDict_SetItem(m->empty, m->type->children[k].name, Py_None)) return -1;
    if (PyDict_GET_SIZE(m->empty) == m->type->n) return 0;
    PyErr_SetString(PyExc_TypeError, "two columns have the same name");
    return -1;
}

static int with_call(struct wm_maker *m, PyObject *callable) {
    m->how = MAKE_CALL, m->class = Py_NewRef(callable);
    if (!(m->names = PyTuple_New(m->type->n))) return -1;
    for (Py_ssize_t k = 0; k < m->type->n; k++) PyTuple_SET_ITEM(m->names, k, Py_NewRef(m->type->children[k].name));
    return 0;
}

static int with_type(struct wm_maker *m, PyTypeObject *type) {
    m->class = Py_NewRef(type);
    if (PyType_IsSubtype(type, &PyTuple_Type)) return m->how = MAKE_TUPLE, 0;
    m->how = MAKE_SLOTS;
    for (Py_ssize_t k = 0; k < m->type->n; k++)
        if (!(m->offsets[k] = wm_slot_offset(type, m->type->children[k].name))) m->how = MAKE_ATTRIBUTES;
    return 0;
}

// with_row is for the Row types that the Python package makes: their slots are told by position, for not every column's name can be
// the name of a slot.
static int with_row(struct wm_maker *m, PyTypeObject *type, PyObject *slots) {
    m->class = Py_NewRef(type), m->how = MAKE_SLOTS, m->ours = true;
    for (Py_ssize_t k = 0; k < m->type->n; k++)
        if (!(m->offsets[k] = wm_slot_offset(type, PyTuple_GET_ITEM(slots, k)))) return PyErr_SetString(PyExc_SystemError, "a Row without slots"), -1;
    return 0;
}

struct wm_maker *wm_maker_new(PyObject *class, const struct wm_type *t) {
    struct wm_maker *m = calloc(1, sizeof *m + (size_t)t->n * sizeof *m->offsets);
    if (!m) return PyErr_NoMemory(), NULL;
    m->type = t, m->atoms = true;
    for (Py_ssize_t k = 0; k < t->n; k++) m->atoms &= is_atom(&t->children[k]);
    int bad;
    static PyObject *slots_name;
    if (!slots_name && !(slots_name = PyUnicode_InternFromString("_slots"))) return wm_maker_free(m), NULL;
    if (class == Py_None) bad = with_dict(m);
    else if (PyTuple_Check(class)) bad = with_call(m, PyTuple_GET_ITEM(class, 0));
    else {
        PyObject *slots = _PyType_Lookup((PyTypeObject *)class, slots_name);
        bool row = slots && PyTuple_Check(slots) && PyTuple_GET_SIZE(slots) == t->n;
        bad = row ? with_row(m, (PyTypeObject *)class, slots) : with_type(m, (PyTypeObject *)class);
    }
    return bad ? (wm_maker_free(m), NULL) : m;
}

void wm_maker_free(struct wm_maker *m) {
    if (!m) return;
    Py_XDECREF(m->class);
    Py_XDECREF(m->names);
    Py_XDECREF(m->empty);
    free(m);
}

// make_dict copies the dict of all fields, whose keys then stand in their order in its entries, and puts the values there.
static PyObject *make_dict(const struct wm_maker *m, const struct wm_column *columns, Py_ssize_t i, PyObject **own) {
    if (!m->empty) return PyDict_New();
    PyObject *d = PyDict_Copy(m->empty);
    if (!d) return NULL;
    PyDictUnicodeEntry *e = DK_UNICODE_ENTRIES(((PyDictObject *)d)->ma_keys);
    for (Py_ssize_t k = 0; k < m->type->n; k++) {
        PyObject *v = own ? Py_XNewRef(wm_column_reuse(&columns[k], i, &own[k])) : wm_column_get(&columns[k], i);
        if (!v) {
            Py_DECREF(d);
            return NULL;
        }
        e[k].me_value = v; // in the place of None, which needs no release
    }
    if (!m->atoms) PyObject_GC_Track(d);
    return d;
}

static void set_slot(PyObject *o, Py_ssize_t offset, PyObject *v) {
    PyObject **slot = (PyObject **)(void *)((char *)o + offset);
    Py_XSETREF(*slot, v);
}

// learn_places looks where the attributes of o are, all of which were set in the order of the fields: objects of a class with the usual
// attributes have them behind themselves, at places that the class counts out, and a list of the places in the order of setting.
static void learn_places(struct wm_maker *m, PyObject *o) {
    if (!(Py_TYPE(o)->tp_flags & Py_TPFLAGS_INLINE_VALUES) || m->type->n > SHARED_KEYS_MAX_SIZE) return;
    PyDictValues *values = _PyObject_InlineValues(o);
    if (!values->valid || values->size != m->type->n) return;
    memcpy(m->places, get_insertion_order_array(values), values->size);
    m->keys = ((PyHeapTypeObject *)Py_TYPE(o))->ht_cached_keys;
}

// placed returns the attributes of a new object if they are where m knows them.
static PyDictValues *placed(const struct wm_maker *m, PyObject *o) {
    if (!m->keys || ((PyHeapTypeObject *)Py_TYPE(o))->ht_cached_keys != m->keys) return NULL;
    PyDictValues *values = _PyObject_InlineValues(o);
    return values->valid && !values->size && values->capacity >= m->type->n ? values : NULL;
}

static void set_places(const struct wm_maker *m, PyDictValues *values) {
    memcpy(get_insertion_order_array(values), m->places, (size_t)m->type->n);
    values->size = (uint8_t)m->type->n;
}

static PyObject *make_call(const struct wm_maker *m, const struct wm_column *columns, Py_ssize_t i) {
    Py_ssize_t n = m->type->n, k = 0;
    PyObject **values = PyMem_Calloc((size_t)n + 1, sizeof *values), *o = NULL;
    if (!values) return PyErr_NoMemory();
    while (k < n && (values[k + 1] = wm_column_get(&columns[k], i))) k++;
    if (k == n) o = PyObject_Vectorcall(m->class, values + 1, 0 | PY_VECTORCALL_ARGUMENTS_OFFSET, m->names);
    while (k > 0) Py_DECREF(values[k--]);
    PyMem_Free(values);
    return o;
}

static PyObject *make(struct wm_maker *m, const struct wm_column *columns, Py_ssize_t i, PyObject **own) {
    if (m->how == MAKE_DICT) return make_dict(m, columns, i, own);
    if (m->how == MAKE_CALL) return make_call(m, columns, i);
    PyTypeObject *type = (PyTypeObject *)m->class;
    PyObject *o = type->tp_alloc(type, m->how == MAKE_TUPLE ? m->type->n : 0);
    if (!o) return NULL;
    PyDictValues *values = m->how == MAKE_ATTRIBUTES ? placed(m, o) : NULL;
    for (Py_ssize_t k = 0; k < m->type->n; k++) {
        PyObject *v = own ? Py_XNewRef(wm_column_reuse(&columns[k], i, &own[k])) : wm_column_get(&columns[k], i);
        int bad = !v;
        if (v && m->how == MAKE_TUPLE) PyTuple_SET_ITEM(o, k, v);
        else if (v && m->how == MAKE_SLOTS) set_slot(o, m->offsets[k], v);
        else if (v && values) values->values[m->places[k]] = v;
        else if (v) bad = PyObject_GenericSetAttr(o, m->type->children[k].name, v), Py_DECREF(v); // past a frozen class's __setattr__
        if (bad) return Py_DECREF(o), NULL;
    }
    if (values) set_places(m, values);
    else if (m->how == MAKE_ATTRIBUTES && !m->keys) learn_places(m, o);
    return o;
}

PyObject *wm_maker_make(struct wm_maker *m, const struct wm_column *columns, Py_ssize_t i) { return make(m, columns, i, NULL); }

// entries returns those of a dict that has as many keys as m has fields, and never had others, or NULL.
static PyDictUnicodeEntry *entries(const struct wm_maker *m, PyObject *o) {
    const PyDictObject *d = (const PyDictObject *)o;
    Py_ssize_t n = m->type->n;
    bool same = m->empty && !d->ma_values && d->ma_used == n && d->ma_keys->dk_kind == DICT_KEYS_UNICODE && d->ma_keys->dk_nentries == n;
    return same ? DK_UNICODE_ENTRIES(d->ma_keys) : NULL;
}

// emptied_dict is emptied for dicts that have their fields still, in their places. The values become None, as in m->empty.
static bool emptied_dict(const struct wm_maker *m, PyObject *o) {
    PyDictUnicodeEntry *e = entries(m, o);
    if (!e) return false;
    for (Py_ssize_t k = 0; k < m->type->n; k++)
        if (e[k].me_key != m->type->children[k].name || !e[k].me_value) return false;
    for (Py_ssize_t k = 0; k < m->type->n; k++) Py_SETREF(e[k].me_value, Py_None);
    return true;
}

// emptied takes the values out of an object that was used, if it can be given out again: nobody has it, or could tell it from a new one.
static bool emptied(const struct wm_maker *m, PyObject *o) {
    if (Py_REFCNT(o) != 1) return false;
    if (m->ours) {
        for (Py_ssize_t k = 0; k < m->type->n; k++) set_slot(o, m->offsets[k], NULL);
        return true;
    }
    if (m->how == MAKE_DICT) return emptied_dict(m, o);
    if (m->how != MAKE_ATTRIBUTES || !m->keys || (PyObject *)Py_TYPE(o) != m->class || Py_TYPE(o)->tp_finalize || Py_TYPE(o)->tp_del) return false;
    if (((PyHeapTypeObject *)Py_TYPE(o))->ht_cached_keys != m->keys || _PyObject_GetManagedDict(o)) return false;
    if (_PyType_SUPPORTS_WEAKREFS(Py_TYPE(o)) && *_PyObject_GET_WEAKREFS_LISTPTR(o)) return false;
    PyDictValues *values = _PyObject_InlineValues(o);
    if (!values->valid || values->size != m->type->n) return false;
    for (Py_ssize_t k = 0; k < m->type->n; k++)
        if (!values->values[m->places[k]]) return false; // it has attributes of other names
    values->size = 0;
    for (Py_ssize_t k = 0; k < m->type->n; k++) Py_CLEAR(values->values[m->places[k]]);
    return true;
}

// refill gives the values of row i to an object that was emptied. It returns 1 if the object cannot take them, -1 with an exception set.
static int refill(const struct wm_maker *m, PyObject *o, const struct wm_column *columns, Py_ssize_t i, PyObject **own) {
    PyDictUnicodeEntry *e = m->how == MAKE_DICT ? entries(m, o) : NULL;
    PyDictValues *values = m->how == MAKE_ATTRIBUTES ? placed(m, o) : NULL;
    if (!m->ours && !e && !values) return 1;
    for (Py_ssize_t k = 0; k < m->type->n; k++) {
        PyObject *v = wm_column_reuse(&columns[k], i, &own[k]);
        if (!v) return -1;
        if (e) e[k].me_value = Py_NewRef(v); // in the place of None, which needs no release
        else if (values) values->values[m->places[k]] = Py_NewRef(v);
        else set_slot(o, m->offsets[k], Py_NewRef(v));
    }
    if (values) set_places(m, values);
    return 0;
}

PyObject *wm_event_next(struct wm_event *e, const struct wm_column *columns, Py_ssize_t i) {
    struct wm_maker *m = e->maker;
    if (e->emptied && e->object && Py_REFCNT(e->object) == 1) {
        e->emptied = false;
        int bad = refill(m, e->object, columns, i, e->own);
        if (bad <= 0) return bad ? NULL : e->object;
    }
    e->emptied = false;
    Py_CLEAR(e->object);
    return e->object = make(m, columns, i, m->how == MAKE_CALL ? NULL : e->own);
}

// wm_event_used leaves the values to own alone, unless the function kept the object.
void wm_event_used(struct wm_event *e) {
    if (!e->object) return;
    e->emptied = emptied(e->maker, e->object);
    if (!e->emptied) Py_CLEAR(e->object);
}
