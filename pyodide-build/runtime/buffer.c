#include "buffer.h"

#include <stdlib.h>

int wm_buffer_grow(struct wm_buffer *b, size_t more) {
    if (more > WM_BUFFER_MOST - b->size) {
        PyErr_SetString(PyExc_MemoryError, "a column of one step would hold more than 2 GiB");
        return -1;
    }
    size_t need = b->size + more, cap = b->cap < WM_BUFFER_MOST / 2 ? b->cap * 2 : WM_BUFFER_MOST;
    if (cap < need) cap = need;
    cap = (cap + 63) & ~(size_t)63;
    char *data = aligned_alloc(64, cap); // realloc does not keep the alignment
    if (!data && cap > need) data = aligned_alloc(64, cap = (need + 63) & ~(size_t)63);
    if (!data) {
        PyErr_NoMemory();
        return -1;
    }
    if (b->size) memcpy(data, b->data, b->size);
    free(b->data);
    b->data = data, b->cap = cap;
    return 0;
}

void wm_buffer_free(struct wm_buffer *b) {
    free(b->data);
    *b = (struct wm_buffer){0};
}
