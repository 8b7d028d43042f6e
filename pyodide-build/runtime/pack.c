// Free memory in small pieces is taken out of use before an image is made. They lie all over the heap, and a clone that took its memory from
// them would write to a page for each, and to those of the neighbours in the allocators' lists; from one stretch behind all that is in use it takes a few.
#include "runtime.h"

#include <stdlib.h>

#ifndef Py_BUILD_CORE
#define Py_BUILD_CORE 1
#endif
#include "internal/pycore_interp.h"
#include "internal/pycore_obmalloc.h"
#include "internal/pycore_pystate.h"

// A file that has freed much more than this has scattered holes that are better used than kept empty.
enum { MOST = 2 << 20, LARGE = 256 << 10, SMALL = 8 };

struct piece {
    struct piece *next;
};

static struct piece *pieces, *objects; // of malloc, and of Python's allocator

static void hold(struct piece **list, void *p) {
    struct piece *piece = p;
    piece->next = *list, *list = piece;
}

// pack_malloc takes the pieces that are smaller than LARGE. What a request of that size gets is the first stretch to leave alone: malloc takes the
// smallest piece that fits, so that it is also what a smaller request gets once there are no other pieces.
static void pack_malloc(void) {
    void *volatile stretch = malloc(LARGE), *p; // volatile: the compiler takes a malloc whose memory is only freed for none
    free(stretch);
    size_t held = 0;
    for (size_t size = LARGE / 2; stretch && size >= SMALL; size = size > 512 ? size / 2 : size - SMALL) {
        while ((p = malloc(size)) && p != stretch && held < MOST) hold(&pieces, p), held += size;
        free(p);
    }
}

// pack_objects empties the pools that are in use in part, so that each size's next object begins a new one.
static void pack_objects(void) {
    struct _obmalloc_state *state = _PyInterpreterState_GET()->obmalloc;
    size_t held = 0;
    for (size_t i = 0; i < NB_SMALL_SIZE_CLASSES; i++) {
        poolp *first = &state->pools.used[i + i];
        while ((*first)->nextpool != *first && held < MOST) { // else it is the list's head alone
            void *p = PyObject_Malloc((i + 1) << ALIGNMENT_SHIFT);
            if (!p) return;
            hold(&objects, p), held += (i + 1) << ALIGNMENT_SHIFT;
        }
    }
}

void wm_pack(void) {
    wm_unpack();
    PyGC_Collect(); // empties the lists of free objects, too
    pack_objects();
    pack_malloc();
}

void wm_unpack(void) {
    for (struct piece *next; pieces; pieces = next) next = pieces->next, free(pieces);
    for (struct piece *next; objects; objects = next) next = objects->next, PyObject_Free(objects);
}
