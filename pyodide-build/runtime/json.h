// JSON text and Python objects. What is common goes through a codec of our own; whatever is odd, errors included, is left to the standard
// library's, so that results and errors are the same.
#ifndef WASMILL_JSON_H
#define WASMILL_JSON_H

#include "buffer.h"

// wm_json_read returns the value of n bytes of JSON, a new reference, or NULL with the exception set that json.loads raises.
PyObject *wm_json_read(const char *s, Py_ssize_t n);

// wm_json_write appends o as JSON to out, compact and as UTF-8, null for numbers that JSON does not have. It returns -1 with
// an exception set, after which out holds a part. What nests deeper than WM_JSON_DEEPEST is written with escapes in place of UTF-8, and
// numbers that JSON does not have are a ValueError there.
int wm_json_write(PyObject *o, struct wm_buffer *out);

// wm_json_install makes json.loads and json.dumps, called with nothing but their argument, use the codec. Returns -1 with an exception set.
int wm_json_install(void);

// The parts. wm_json_parse returns NULL without an exception where the standard library has to look; wm_json_print returns 1 there, 0 when it
// has written, -1 with an exception set.
PyObject *wm_json_parse(const char *s, Py_ssize_t n);

enum wm_json_form {
    WM_JSON_EVENT, // compact, UTF-8
    WM_JSON_DUMPS, // as json.dumps writes by default, for objects that it treats in no special way
};
int wm_json_print(PyObject *o, struct wm_buffer *out, enum wm_json_form form);

// How deep the codec follows; what nests deeper is the standard library's, which knows the interpreter's limit.
enum { WM_JSON_DEEPEST = 100 };

#endif
