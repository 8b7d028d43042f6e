// Dates, times, timestamps, durations and decimals, put into columns without losing anything.
#include "out.h"

#include <datetime.h>

#include "calendar.h"
#include "column.h"

int wm_out_time_init(void) {
    PyDateTime_IMPORT; // sets a variable of this file
    return PyDateTimeAPI ? 0 : -1;
}

static int put_number(struct wm_out *o, int64_t x) {
    void *at = wm_out_slot(o);
    if (!at) return -1;
    if (o->type->width == 4) *(int32_t *)at = (int32_t)x;
    else *(int64_t *)at = x;
    return 0;
}

// put_moment puts seconds and microseconds in the column's unit.
static int put_moment(struct wm_out *o, PyObject *v, int64_t seconds, int us) {
    int64_t per = o->type->per_second, x;
    if (per < 1000000 && us % (1000000 / per)) return wm_out_unfit(o, v, per == 1 ? "the column's unit is seconds" : "the column's unit is milliseconds");
    int64_t part = per > 1000000 ? (int64_t)us * (per / 1000000) : us / (1000000 / per);
    if (__builtin_mul_overflow(seconds, per, &x) || __builtin_add_overflow(x, part, &x)) return wm_out_unfit(o, v, "the column's unit is too small for it");
    return put_number(o, x);
}

// offset_of gives the offset from UTC of v, a datetime with a zone.
static int offset_of(PyObject *v, int64_t *seconds, int *us) {
    *seconds = 0, *us = 0;
    if (PyDateTime_DATE_GET_TZINFO(v) == PyDateTime_TimeZone_UTC) return 0;
    PyObject *d = PyObject_CallMethod(v, "utcoffset", NULL);
    if (!d) return -1;
    if (d != Py_None) *seconds = (int64_t)PyDateTime_DELTA_GET_DAYS(d) * 86400 + PyDateTime_DELTA_GET_SECONDS(d), *us = PyDateTime_DELTA_GET_MICROSECONDS(d);
    int none = d == Py_None;
    Py_DECREF(d);
    return none;
}

static int put_timestamp(struct wm_out *o, PyObject *v) {
    if (!PyDateTime_Check(v)) return wm_out_refuse(o, v);
    int64_t offset = 0;
    int us_offset = 0, naive = PyDateTime_DATE_GET_TZINFO(v) == Py_None;
    if (!naive && (naive = offset_of(v, &offset, &us_offset)) < 0) return -1;
    if (naive != !o->type->zone)
        return wm_out_unfit(o, v, naive ? "it has no time zone, and the column has one; use datetime(..., tzinfo=timezone.utc)"
                                        : "it has a time zone, and the column has none");
    int64_t s = wm_civil_to_day(PyDateTime_GET_YEAR(v), PyDateTime_GET_MONTH(v), PyDateTime_GET_DAY(v)) * 86400 - offset;
    s += PyDateTime_DATE_GET_HOUR(v) * 3600 + PyDateTime_DATE_GET_MINUTE(v) * 60 + PyDateTime_DATE_GET_SECOND(v);
    int us = PyDateTime_DATE_GET_MICROSECOND(v) - us_offset;
    if (us < 0) us += 1000000, s--;
    return put_moment(o, v, s, us);
}

static int put_time(struct wm_out *o, PyObject *v) {
    if (!PyTime_Check(v)) return wm_out_refuse(o, v);
    if (PyDateTime_TIME_GET_TZINFO(v) != Py_None) return wm_out_unfit(o, v, "a time of day has no time zone in a column");
    int s = PyDateTime_TIME_GET_HOUR(v) * 3600 + PyDateTime_TIME_GET_MINUTE(v) * 60 + PyDateTime_TIME_GET_SECOND(v);
    return put_moment(o, v, s, PyDateTime_TIME_GET_MICROSECOND(v));
}

// put_digits puts the digits of a Decimal, times a power of ten, as an integer of 128 bits.
static int put_digits(struct wm_out *o, PyObject *v, PyObject *digits, Py_ssize_t exponent, bool negative) {
    const struct wm_type *t = o->type;
    unsigned __int128 u = 0, limit = 1; // 10**precision
    for (int p = 0; p < t->precision; p++) limit *= 10;
    Py_ssize_t n = PyTuple_GET_SIZE(digits), shift = exponent + t->scale; // zeros to append, or digits to drop
    for (Py_ssize_t k = 0; k < n + (shift > 0 ? shift : 0); k++) {
        long d = k < n ? PyLong_AsLong(PyTuple_GET_ITEM(digits, k)) : 0;
        if (shift < 0 && k >= n + shift) {
            if (d) return wm_out_unfit(o, v, "it has more decimals than the column; use quantize() to round it");
            continue;
        }
        if (u == 0 && d == 0) {
            if (k >= n) break; // zero stays zero
            continue;
        }
        u = u * 10 + (unsigned)d;
        if (u >= limit) return wm_out_unfit(o, v, "it has more digits than the column's precision");
    }
    if (negative) u = -u;
    void *at = wm_out_slot(o);
    if (!at) return -1;
    memcpy(at, &u, sizeof u);
    return 0;
}

static int put_decimal(struct wm_out *o, PyObject *v) {
    if (PyBool_Check(v) || (!PyLong_Check(v) && !PyObject_TypeCheck(v, (PyTypeObject *)wm_decimal))) return wm_out_refuse(o, v);
    PyObject *d = PyLong_Check(v) ? PyObject_CallOneArg(wm_decimal, v) : Py_NewRef(v), *parts = d ? PyObject_CallMethod(d, "as_tuple", NULL) : NULL;
    int bad = -1;
    if (parts && PyTuple_Check(parts) && PyTuple_GET_SIZE(parts) == 3) {
        PyObject *exponent = PyTuple_GET_ITEM(parts, 2);
        if (PyUnicode_Check(exponent)) bad = wm_out_unfit(o, v, "it is not finite");
        else bad = put_digits(o, v, PyTuple_GET_ITEM(parts, 1), PyLong_AsSsize_t(exponent), PyObject_IsTrue(PyTuple_GET_ITEM(parts, 0)));
    }
    Py_XDECREF(d);
    Py_XDECREF(parts);
    return bad;
}

int wm_out_put_time(struct wm_out *o, PyObject *v) {
    switch (o->type->kind) {
    case WM_DATE:
        if (!PyDate_Check(v) || PyDateTime_Check(v)) return wm_out_refuse(o, v);
        return put_number(o, wm_civil_to_day(PyDateTime_GET_YEAR(v), PyDateTime_GET_MONTH(v), PyDateTime_GET_DAY(v)));
    case WM_TIME: return put_time(o, v);
    case WM_TIMESTAMP: return put_timestamp(o, v);
    case WM_DURATION:
        if (!PyDelta_Check(v)) return wm_out_refuse(o, v);
        return put_moment(o, v, (int64_t)PyDateTime_DELTA_GET_DAYS(v) * 86400 + PyDateTime_DELTA_GET_SECONDS(v), PyDateTime_DELTA_GET_MICROSECONDS(v));
    default: return put_decimal(o, v);
    }
}
