// The Arrow C data interface and the result of a step, as docs/abi.md lays them out for 32-bit pointers.
#ifndef WASMILL_ARROW_H
#define WASMILL_ARROW_H

#include <stdint.h>

// The schema of a column. It belongs to the host and is valid during wasmill_open.
struct wm_schema {
    const char *format, *name, *metadata;
    int64_t flags, n_children;
    struct wm_schema **children, *dictionary;
    uintptr_t release, private_data;
};

enum { WM_SCHEMA_NULLABLE = 2 };

// The data of a column. Input belongs to the host until the last step of its call; output to us until wasmill_release.
struct wm_array {
    int64_t length, null_count, offset, n_buffers, n_children;
    const void **buffers;
    struct wm_array **children, *dictionary;
    uintptr_t release, private_data; // release is not null in our arrays; the host never calls it
};

// What wasmill_call and wasmill_next fill in; zeros when they get it, but for row, which is -1.
struct wm_step {
    struct wm_array *array;
    int32_t *origins;
    int32_t row;
    uint32_t side_count;
    void *sides;
    uint32_t partial, reserved[2];
};

#ifdef __wasm__
_Static_assert(sizeof(struct wm_schema) == 48 && sizeof(struct wm_array) == 64 && sizeof(struct wm_step) == 32, "docs/abi.md");
#endif

enum wm_status { WM_OK = 0, WM_MORE = 1, WM_ERROR = 2 };

#endif
