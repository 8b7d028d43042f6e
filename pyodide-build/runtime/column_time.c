// Values of the kinds that have to do with time, and decimals.
#include "column.h"

#include <datetime.h>

#include "calendar.h"

PyObject *wm_decimal;

int wm_time_init(void) {
    PyDateTime_IMPORT;
    if (!PyDateTimeAPI) return -1;
    PyObject *m = PyImport_ImportModule("decimal");
    wm_decimal = m ? PyObject_GetAttrString(m, "Decimal") : NULL;
    Py_XDECREF(m);
    return wm_decimal ? 0 : -1;
}

static PyObject *out_of_calendar(const struct wm_type *t, const char *what) {
    PyErr_Format(PyExc_OverflowError, "the %s in column `%U` lies outside of the years 1 to 9999 that Python has", what, t->name);
    return NULL;
}

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

// split cuts a time in units of 1/per_second into whole seconds and microseconds. What is finer than microseconds is cut off.
static int64_t split(int64_t v, int64_t per_second, int *us) {
    int64_t s = floor_div(v, per_second), rest = v - s * per_second;
    *us = (int)(per_second > 1000000 ? rest / (per_second / 1000000) : rest * (1000000 / per_second));
    return s;
}

static PyObject *get_timestamp(const struct wm_type *t, int64_t v) {
    int us;
    int64_t s = split(v, t->per_second, &us), day = floor_div(s, 86400);
    int year, month, mday, second = (int)(s - day * 86400);
    if (!wm_day_to_civil(day, &year, &month, &mday)) return out_of_calendar(t, "timestamp");
    PyObject *zone = t->zone ? t->zone : Py_None;
    bool utc = !t->zone || t->zone == PyDateTime_TimeZone_UTC;
    PyObject *o = PyDateTimeAPI->DateTime_FromDateAndTime(year, month, mday, second / 3600, second / 60 % 60, second % 60, us,
                                                          utc ? zone : PyDateTime_TimeZone_UTC, PyDateTimeAPI->DateTimeType);
    if (!o || utc) return o;
    PyObject *local = PyObject_CallMethod(o, "astimezone", "O", zone);
    Py_DECREF(o);
    return local;
}

static PyObject *get_date(const struct wm_type *t, int64_t day) {
    int year, month, mday;
    if (!wm_day_to_civil(day, &year, &month, &mday)) return out_of_calendar(t, "date");
    return PyDate_FromDate(year, month, mday);
}

static PyObject *get_time(const struct wm_type *t, int64_t v) {
    int us;
    int64_t s = split(v, t->per_second, &us);
    if (s < 0 || s >= 86400) {
        PyErr_Format(PyExc_OverflowError, "the time in column `%U` lies outside of a day: %lld seconds", t->name, (long long)s);
        return NULL;
    }
    return PyTime_FromTime((int)s / 3600, (int)s / 60 % 60, (int)s % 60, us);
}

static PyObject *get_duration(const struct wm_type *t, int64_t v) {
    int us;
    int64_t s = split(v, t->per_second, &us), day = floor_div(s, 86400);
    if (day < -999999999 || day > 999999999) {
        PyErr_Format(PyExc_OverflowError, "the duration in column `%U` is longer than the 999999999 days that Python has", t->name);
        return NULL;
    }
    return PyDelta_FromDSU((int)day, (int)(s - day * 86400), us);
}

static PyObject *get_decimal(const struct wm_type *t, const void *p) {
    unsigned __int128 u;
    memcpy(&u, p, sizeof u);
    bool negative = u >> 127;
    if (negative) u = -u;
    char text[64], *at = text + sizeof text; // at most 39 digits, a sign, and an exponent of 5 characters
    *--at = 0;
    unsigned scale = (unsigned)(t->scale < 0 ? -t->scale : t->scale);
    if (scale) {
        for (unsigned k = scale; k; k /= 10) *--at = (char)('0' + k % 10);
        *--at = t->scale > 0 ? '-' : '+', *--at = 'E';
    }
    do *--at = (char)('0' + (int)(u % 10)), u /= 10;
    while (u);
    if (negative) *--at = '-';
    return PyObject_CallFunction(wm_decimal, "s", at);
}

PyObject *wm_time_get(const struct wm_column *c, Py_ssize_t i) {
    const struct wm_type *t = c->type;
    if (t->kind == WM_DECIMAL) return get_decimal(t, c->values + i * 16);
    int64_t v = t->width == 4 ? ((const int32_t *)c->values)[i] : ((const int64_t *)c->values)[i];
    switch (t->kind) {
    case WM_DATE: return get_date(t, v);
    case WM_TIME: return get_time(t, v);
    case WM_DURATION: return get_duration(t, v);
    default: return get_timestamp(t, v);
    }
}
