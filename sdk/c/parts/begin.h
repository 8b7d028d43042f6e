// wasmill.h: write functions over streams in C. One header, no library needed. It is made of the files in sdk/c/parts, by
// go test ./sdk -run Header -update.
//
//   #include "wasmill.h"
//
//   #define IN(COLUMN)  COLUMN(utf8, carrier) COLUMN(float64, delay)
//   #define OUT(COLUMN) COLUMN(pass, carrier) COLUMN(bool, late)
//
//   WM_MAP(lateness, "says who is late", IN, OUT) {
//       if (in->is_null.delay) out->is_null.late = true;
//       else out->late = in->delay > 15;
//       return WM_OK;
//   }
//   WM_MODULE("flights", &lateness)
//
//   clang --target=wasm32 -std=c11 -O2 -nostdlib -ffreestanding -Wl,--no-entry -o flights.wasm flights.c
//
// sdk/c/README.md explains the kinds of function, the column types and the rules. The ABI beneath is docs/abi.md.
// Names that end in an underscore are the header's own. Include it in one C file of a guest.
#ifndef WASMILL_H
#define WASMILL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __wasi__ // wasi-libc is there: share its heap instead of having a second one
#include <stdlib.h>
#include <string.h>
#endif

#define WM_FN_ static inline __attribute__((unused))
#define WM_EXPORT_(name) __attribute__((export_name(name), used))
#define WM_IMPORT_(name) __attribute__((import_module("wasmill"), import_name(name)))
WM_IMPORT_("log") void wm_host_log_(int level, const char *text, size_t size);
WM_IMPORT_("metric") void wm_host_metric_(const char *name, size_t size, double value);
WM_IMPORT_("deadline") int64_t wm_deadline(void); // nanoseconds left of this call
WM_IMPORT_("state_get") int64_t wm_state_get_(size_t state, int32_t slot, void *to, size_t cap);
WM_IMPORT_("state_put") int wm_state_put_(size_t state, int32_t slot, const void *from, size_t size);
WM_IMPORT_("state_delete") int wm_state_delete_(size_t state, int32_t slot);

enum { WM_OK = 0, WM_MORE_ = 1, WM_ERROR_ = 2, WM_FAILED = -1 };
enum { WM_UNKNOWN = -2 }; // a filter's null: neither true nor false, and not kept
enum { WM_DEBUG = -4, WM_INFO = 0, WM_WARN = 4, WM_ERROR = 8 }; // levels of wm_log

// A step of a result ends when it holds this many rows or bytes of text; docs/abi.md allows 65,536 and 64 MiB.
#define WM_STEP_ROWS 65535u
#define WM_STEP_BYTES (32u << 20)

