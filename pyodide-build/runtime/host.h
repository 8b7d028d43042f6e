// The border to the host: what we export, and what we import. docs/abi.md has the contract.
#ifndef WASMILL_HOST_H
#define WASMILL_HOST_H

#include <stddef.h>
#include <stdint.h>

#ifdef __wasm__
#define WM_EXPORT(name) __attribute__((export_name(name), visibility("default")))
#define WM_IMPORT(name) __attribute__((import_module("wasmill"), import_name(name)))

WM_IMPORT("log") void wm_host_log(int level, const char *text, size_t size);
WM_IMPORT("metric") void wm_host_metric(const char *name, size_t size, double value);
WM_IMPORT("deadline") int64_t wm_host_deadline(void);
// wm_host_execute hands over a plan and returns when its job has ended: not negative when all went well, and the number of bytes
// that wm_host_result has; else the result is the text of the error. The host may copy the memory during this call and let
// copies run; they never return from it.
WM_IMPORT("py_execute") int64_t wm_host_execute(const char *plan, size_t size);
// wm_host_result copies the text of the last execute to ptr if it fits in cap, and returns its length.
WM_IMPORT("py_result") int64_t wm_host_result(char *to, size_t cap);
// wm_host_ask asks the host for something that a job's subtask needs, and returns the number of bytes that wm_host_answer has.
WM_IMPORT("py_ask") int64_t wm_host_ask(const char *request, size_t size);
// wm_host_answer copies the answer to the last wm_host_ask to ptr if it fits in cap, and returns its length.
WM_IMPORT("py_answer") int64_t wm_host_answer(char *to, size_t cap);
#else
// A native build has no host: it is for measuring the same code on both sides.
#define WM_EXPORT(name) __attribute__((visibility("default")))
static inline void wm_host_log(int level, const char *text, size_t size) { (void)level, (void)text, (void)size; }
static inline void wm_host_metric(const char *name, size_t size, double value) { (void)name, (void)size, (void)value; }
static inline int64_t wm_host_deadline(void) { return INT64_MAX; }
static inline int64_t wm_host_execute(const char *plan, size_t size) { return (void)plan, (void)size, -1; }
static inline int64_t wm_host_result(char *to, size_t cap) { return (void)to, (void)cap, 0; }
static inline int64_t wm_host_ask(const char *request, size_t size) { return (void)request, (void)size, 0; }
static inline int64_t wm_host_answer(char *to, size_t cap) { return (void)to, (void)cap, 0; }
#endif

#endif
