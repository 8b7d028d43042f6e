// Growing memory: what builders and the JSON writer append to.
#ifndef WASMILL_BUFFER_H
#define WASMILL_BUFFER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <string.h>

// wm_buffer holds size bytes of cap at data, which is 64-byte aligned and NULL while cap is 0. It starts as all zeros. The
// one who declares it frees it with wm_buffer_free. A buffer that is used again keeps its memory: set size to 0.
struct wm_buffer {
    char *data;
    size_t size, cap;
};

// WM_BUFFER_MOST is the largest size that a buffer reaches, in bytes: offsets of utf8 and binary are 32 bits.
#define WM_BUFFER_MOST ((size_t)0x7fffffff)

// wm_buffer_grow makes room for more bytes behind size. On failure it returns -1 with MemoryError set; the buffer stays as it was.
int wm_buffer_grow(struct wm_buffer *b, size_t more);

// wm_buffer_free gives the memory back and leaves an empty buffer.
void wm_buffer_free(struct wm_buffer *b);

// wm_buffer_room is wm_buffer_grow without a call where there is room already.
static inline int wm_buffer_room(struct wm_buffer *b, size_t more) {
    return b->cap - b->size >= more ? 0 : wm_buffer_grow(b, more);
}

// wm_buffer_add appends n bytes. It returns -1 with MemoryError set when there is no memory.
static inline int wm_buffer_add(struct wm_buffer *b, const char *bytes, size_t n) {
    if (wm_buffer_room(b, n)) return -1;
    if (n) memcpy(b->data + b->size, bytes, n); // neither may be null, says C, even for nothing
    b->size += n;
    return 0;
}

#endif
