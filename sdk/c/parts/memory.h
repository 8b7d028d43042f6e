// ---- Memory ----------------------------------------------------------------------------------------------------------
// Blocks are multiples of 64 bytes in classes of four per doubling, each with its list of free blocks. Freed space serves
// the same class again: a stream whose batches have settled in size stops growing. Frees name their size, so blocks have
// no headers and 64-byte alignment wastes nothing.

#ifdef __wasi__
WM_FN_ void *wm_alloc(size_t size) { return aligned_alloc(64, (size + 64) & ~(size_t)63); }
WM_FN_ void wm_free(void *p, size_t size) { (void)size, free(p); }
#else
extern unsigned char __heap_base;
static struct { void *free[100]; uint64_t top; } wm_heap_;

// memcpy and its kin: clang calls them by name, and there is no libc to have them. Eight bytes at a time.
__attribute__((weak, no_builtin)) void *memcpy(void *to, const void *from, size_t n) {
    typedef uint64_t __attribute__((aligned(1), may_alias)) word;
    char *t = to;
    const char *f = from;
    for (; n >= 8; n -= 8, t += 8, f += 8) *(word *)t = *(const word *)f;
    while (n--) *t++ = *f++;
    return to;
}
__attribute__((weak, no_builtin)) void *memmove(void *to, const void *from, size_t n) {
    char *t = to;
    const char *f = from;
    if (t <= f || t >= f + n) return memcpy(to, from, n);
    while (n--) t[n] = f[n];
    return to;
}
__attribute__((weak, no_builtin)) void *memset(void *to, int value, size_t n) {
    typedef uint64_t __attribute__((aligned(1), may_alias)) word;
    char *t = to;
    for (; n >= 8; n -= 8, t += 8) *(word *)t = (uint8_t)value * 0x0101010101010101u;
    while (n--) *t++ = (char)value;
    return to;
}
__attribute__((weak, no_builtin)) int memcmp(const void *a, const void *b, size_t n) {
    const uint8_t *x = a, *y = b;
    for (; n; n--, x++, y++)
        if (*x != *y) return *x - *y;
    return 0;
}
__attribute__((weak, no_builtin)) size_t strlen(const char *s) {
    size_t n = 0;
    while (s[n]) n++;
    return n;
}

// wm_class_ rounds size up to its class, and returns the class's number.
WM_FN_ size_t wm_class_(size_t *size) {
    if (*size <= 256) {
        size_t c = *size ? (*size + 63) / 64 : 1;
        return *size = c * 64, c;
    }
    unsigned k = 31 - (unsigned)__builtin_clz((unsigned)*size - 1);
    size_t base = (size_t)1 << k, step = base / 4, quarter = (*size - 1 - base) / step + 1;
    return *size = base + quarter * step, (k - 8) * 4 + quarter + 4;
}

// wm_alloc returns size bytes at an address divisible by 64, or NULL.
WM_FN_ void *wm_alloc(size_t size) {
    if (size > 0x7fffffff) return NULL;
    size_t class = wm_class_(&size);
    void *p = wm_heap_.free[class];
    if (p) return wm_heap_.free[class] = *(void **)p, p;
    if (!wm_heap_.top) wm_heap_.top = ((uintptr_t)&__heap_base + 63) & ~(uintptr_t)63;
    uint64_t end = wm_heap_.top + size, have = (uint64_t)__builtin_wasm_memory_size(0) << 16;
    if (end > have) {
        uint64_t pages = (end - have + 65535) >> 16;
        if (__builtin_wasm_memory_grow(0, (size_t)pages) == (size_t)-1) return NULL;
    }
    p = (void *)(uintptr_t)wm_heap_.top;
    wm_heap_.top = end;
    return p;
}

// wm_free gives back what wm_alloc returned for the same size.
WM_FN_ void wm_free(void *p, size_t size) {
    if (!p) return;
    size_t class = wm_class_(&size);
    *(void **)p = wm_heap_.free[class];
    wm_heap_.free[class] = p;
}
#endif

// wm_must_ is wm_alloc for the header's own needs: without memory the guest cannot go on, and is discarded by its host.
WM_FN_ void *wm_must_(size_t size) {
    void *p = wm_alloc(size);
    if (!p) {
        static const char text[] = "out of memory";
        wm_host_log_(WM_ERROR, text, sizeof text - 1);
        __builtin_trap();
    }
    return p;
}
WM_FN_ void *wm_grow_(void *p, size_t old, size_t size) {
    void *q = wm_must_(size);
    if (old) memcpy(q, p, old);
    wm_free(p, old);
    return q;
}

// Scratch space lives until the row is done (in a keyed map: until the step is done). Blocks double, and stay.
typedef struct wm_block_ { struct wm_block_ *next; size_t size, used; } wm_block_;
static wm_block_ *wm_scratch_, *wm_scratch_first_;

// wm_scratch returns size bytes at an address divisible by 8 for this row's use. Nobody frees it.
WM_FN_ void *wm_scratch(size_t size) {
    if (size > 0x7ffffff0) return wm_must_(size); // refuses
    size = (size + 7) & ~(size_t)7;
    while (!wm_scratch_ || wm_scratch_->size - wm_scratch_->used < size) {
        wm_block_ *b = wm_scratch_ ? wm_scratch_->next : wm_scratch_first_;
        if (!b) {
            size_t n = size + sizeof *b < 16384 ? 16384 : size + sizeof *b;
            b = wm_must_(n);
            *b = (wm_block_){NULL, n, sizeof *b};
            *(wm_scratch_ ? &wm_scratch_->next : &wm_scratch_first_) = b;
        }
        b->used = sizeof *b, wm_scratch_ = b;
    }
    void *p = (char *)wm_scratch_ + wm_scratch_->used;
    wm_scratch_->used += size;
    return p;
}
WM_FN_ void wm_scratch_reset_(void) {
    if (wm_scratch_) wm_scratch_ = wm_scratch_first_, wm_scratch_->used = sizeof *wm_scratch_;
}

