// What the parts of the runtime share.
#ifndef WASMILL_RUNTIME_H
#define WASMILL_RUNTIME_H

#include "function.h"

// wm_runtime is the Python module wasmill._runtime, from the start on.
extern PyObject *wm_runtime;

// wm_runtime_start imports the Python package. It returns -1 with an exception set.
int wm_runtime_start(void);

// wm_functions_learn takes the description of the loaded file, and a place for each function in it. -1 with an exception set.
int wm_functions_learn(void);

// wm_runtime_flush writes out what the user's code has printed without ending a line.
void wm_runtime_flush(void);

// wm_settle makes objects immortal before an image is made: all that there are, or those of code alone.
void wm_settle(bool all);

// wm_pack takes the small pieces of free memory out of use before an image is made (pack.c). wm_unpack gives them back, where the guest that the image is of
// goes on.
void wm_pack(void);
void wm_unpack(void);

PyObject *PyInit__wasmill(void);

// wm_row_type_init adds the class Row to the module.
int wm_row_type_init(PyObject *module);

// wm_error is the text of the last error, UTF-8.
extern struct wm_buffer wm_error;

// wm_error_reserve keeps some memory for the text of a MemoryError; once, at the start.
void wm_error_reserve(void);

// wm_error_take makes the exception that is set the last error, and clears it. f is the function at work, or NULL; row the row, or -1.
// What the exception holds alive is free after that.
void wm_error_take(const struct wm_function *f, Py_ssize_t row);

#endif
