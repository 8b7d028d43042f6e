// JSON text and Python objects.
#ifndef WASMILL_JSON_H
#define WASMILL_JSON_H

#include "buffer.h"

// wm_json_read returns the value of n bytes of JSON, a new reference, or NULL with the exception set that json.loads raises.
PyObject *wm_json_read(const char *s, Py_ssize_t n);

// wm_json_write appends o as JSON to out. It returns -1 with an exception set, after which out holds a part.
int wm_json_write(PyObject *o, struct wm_buffer *out);

#endif
