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

// ---- Text ------------------------------------------------------------------------------------------------------------

typedef struct { const char *data; size_t size; } wm_str; // bytes, not ended by a 0
#define WM_STR(s) (int)(s).size, (s).data                  // for "%.*s"
WM_FN_ wm_str wm_text(const char *c) { return (wm_str){c, strlen(c)}; }
WM_FN_ bool wm_same(wm_str a, wm_str b) { return a.size == b.size && !memcmp(a.data, b.data, a.size); }
WM_FN_ bool wm_is(wm_str s, const char *c) { return wm_same(s, wm_text(c)); }

typedef struct { char *data; size_t size, cap; } wm_text_; // a text that grows
WM_FN_ void wm_add_(wm_text_ *t, const void *data, size_t n) {
    if (t->cap - t->size < n) {
        size_t cap = (t->size + n) * 2 + 64;
        t->data = wm_grow_(t->data, t->cap, cap), t->cap = cap;
    }
    memcpy(t->data + t->size, data, n), t->size += n;
}
WM_FN_ void wm_puts_(wm_text_ *t, const char *s) { wm_add_(t, s, strlen(s)); }
WM_FN_ void wm_number_(wm_text_ *t, uint64_t v, unsigned base, unsigned width) {
    char digits[24], *d = digits + sizeof digits;
    do *--d = "0123456789abcdef"[v % base], v /= base;
    while (v || d > digits + sizeof digits - width);
    wm_add_(t, d, (size_t)(digits + sizeof digits - d));
}
WM_FN_ void wm_float_(wm_text_ *t, double v, int places) {
    if (v != v) return wm_puts_(t, "nan");
    if (v < 0) wm_puts_(t, "-"), v = -v;
    double scale = 1;
    for (int i = 0; i < places; i++) scale *= 10;
    if (v >= 1e18 / scale) return wm_puts_(t, v > 1.7976931348623157e308 ? "inf" : "(large)");
    uint64_t n = (uint64_t)(v * scale + 0.5);
    wm_number_(t, n / (uint64_t)scale, 10, 1);
    if (places) wm_puts_(t, "."), wm_number_(t, n % (uint64_t)scale, 10, (unsigned)places);
}

// wm_vprint_ knows %d %i %u %x %c %s %.*s %f %.Nf (N up to 9) %%, with the lengths l, ll and z.
static void wm_vprint_(wm_text_ *t, const char *f, va_list args) {
    for (; *f; f++) {
        const char *run = f;
        while (*f && *f != '%') f++;
        wm_add_(t, run, (size_t)(f - run));
        if (!*f++) return;
        int places = -1, wide = 0;
        if (*f == '.') {
            if (*++f == '*') places = va_arg(args, int), f++;
            else for (places = 0; *f >= '0' && *f <= '9'; f++) places = places * 10 + *f - '0';
        }
        for (; *f == 'l' || *f == 'z'; f++) wide += *f == 'l';
        uint64_t v = 0;
        if (*f == 'd' || *f == 'i') {
            int64_t n = wide > 1 ? va_arg(args, long long) : va_arg(args, long);
            if (n < 0) wm_puts_(t, "-");
            wm_number_(t, n < 0 ? 0 - (uint64_t)n : (uint64_t)n, 10, 1);
        } else if (*f == 'u' || *f == 'x') {
            v = wide > 1 ? va_arg(args, unsigned long long) : va_arg(args, unsigned long);
            wm_number_(t, v, *f == 'u' ? 10 : 16, 1);
        } else if (*f == 's') {
            const char *s = va_arg(args, const char *);
            wm_add_(t, s, places >= 0 ? (size_t)places : strlen(s));
        } else if (*f == 'c') {
            char c = (char)va_arg(args, int);
            wm_add_(t, &c, 1);
        } else if (*f == 'f') {
            wm_float_(t, va_arg(args, double), places < 0 ? 6 : places > 9 ? 9 : places);
        } else if (*f) {
            wm_add_(t, f, 1);
        } else {
            return;
        }
    }
}

#define WM_PRINTF_(at) __attribute__((unused, format(printf, at, (at) + 1)))
static wm_text_ wm_error_, wm_line_;

// wm_format returns text in scratch space.
WM_PRINTF_(1) static wm_str wm_format(const char *format, ...) {
    va_list args;
    va_start(args, format);
    wm_line_.size = 0, wm_vprint_(&wm_line_, format, args);
    va_end(args);
    char *s = wm_scratch(wm_line_.size);
    return memcpy(s, wm_line_.data, wm_line_.size), (wm_str){s, wm_line_.size};
}

// wm_fail says why a row failed: return wm_fail("no such airport: %.*s", WM_STR(in->origin));
WM_PRINTF_(1) static int wm_fail(const char *format, ...) {
    va_list args;
    va_start(args, format);
    wm_error_.size = 0, wm_vprint_(&wm_error_, format, args);
    va_end(args);
    return WM_FAILED;
}

// wm_log writes a line to the job's log.
WM_PRINTF_(2) static void wm_log(int level, const char *format, ...) {
    va_list args;
    va_start(args, format);
    wm_line_.size = 0, wm_vprint_(&wm_line_, format, args);
    va_end(args);
    wm_host_log_(level, wm_line_.data, wm_line_.size);
}

// wm_metric adds to a counter.
WM_FN_ void wm_metric(const char *name, double value) { wm_host_metric_(name, strlen(name), value); }

// ---- Columns ---------------------------------------------------------------------------------------------------------

typedef struct wm_schema_ { // ArrowSchema of the C data interface
    const char *format, *name, *metadata;
    int64_t flags, n_children;
    struct wm_schema_ **children, *dictionary;
    uint32_t release, private_data;
} wm_schema_;
typedef struct wm_array_ { // ArrowArray
    int64_t length, null_count, offset, n_buffers, n_children;
    const void **buffers;
    struct wm_array_ **children, *dictionary;
    uint32_t release, private_data;
} wm_array_;
_Static_assert(sizeof(wm_schema_) == 48 && sizeof(wm_array_) == 64, "wasmill.h needs 32-bit pointers");

// A column of the input, valid until the function returns. Row 0 is the first row of the batch whatever the offsets.
typedef struct wm_column {
    const char *name, *format; // as in ArrowSchema: "l" is int64, "u" utf8, ...
    bool nullable;
    const uint8_t *validity;   // bitmap, bit offset + row; NULL when there are no nulls
    const void *values;        // row 0's value; of text and lists: row 0's offset; of bool: a bitmap, bit offset + row
    const uint8_t *data;       // the bytes of text
    size_t offset, length, width, n_children;
    struct wm_column *children; // of lists, structs and maps; of a dictionary: its values
    const wm_array_ *array;
} wm_column;
typedef struct { const wm_column *items; size_t start, size; } wm_items; // items start … start + size - 1
typedef struct { const wm_column *column; size_t row; } wm_cell;         // a value of any type
typedef struct { uint64_t low; int64_t high; } wm_decimal;               // two's complement, 128 bits

#define WM_BIT_(bits, i) ((bits)[(i) >> 3] >> ((i) & 7) & 1)
WM_FN_ bool wm_is_null(const wm_column *c, size_t row) { return c->validity && !WM_BIT_(c->validity, c->offset + row); }

// An output column under construction, and a step of a result.
typedef struct wm_out {
    wm_array_ array;
    const void *buffers[3];
    uint8_t *validity, *values, *data;
    bool *bytes; // vectorised bool: a byte per row until the step ends
    size_t cap, size, data_cap, nulls;
    int width; // bytes of a value; or one of the W_ below
} wm_out;
enum { W_BITS_ = 0, W_TEXT_ = -4, W_LARGE_ = -8, W_PASS_ = -1, W_SIZED_ = -2, W_INPUT_ = -3 };
typedef struct wm_result_ {
    wm_array_ array; // first: the host releases a result by its address
    struct wm_result_ *next;
    struct wm_call *call;
    size_t rows, cap, bytes, first, side;
    int32_t *origins;
    wm_array_ **children;
    wm_out out[];
} wm_result_;

WM_FN_ void wm_set_null(wm_out *o, size_t row) { // vectorised functions: the row has no value
    uint8_t bit = (uint8_t)(1 << (row & 7));
    o->nulls += (o->validity[row >> 3] & bit) != 0, o->validity[row >> 3] &= (uint8_t)~bit;
}
WM_FN_ void wm_put_bytes_(wm_out *o, size_t row, wm_str s) {
    if (o->data_cap - o->size < s.size) {
        size_t cap = (o->size + s.size) * 2 + 1024;
        o->data = wm_grow_(o->data, o->data_cap, cap), o->data_cap = cap;
    }
    memcpy(o->data + o->size, s.data, s.size), o->size += s.size;
    if (o->width == W_LARGE_) ((int64_t *)(void *)o->values)[row + 1] = (int64_t)o->size;
    else ((int32_t *)(void *)o->values)[row + 1] = (int32_t)o->size;
}
WM_FN_ void wm_put_fixed_(wm_out *o, size_t row, wm_str s) { // shorter values are filled up with zeros, longer ones cut
    size_t width = (size_t)o->width, n = s.size < width ? s.size : width;
    memset(o->values + row * width, 0, width), memcpy(o->values + row * width, s.data, n);
}
// wm_append gives the next row of a vectorised column of text its value; rows come in order.
WM_FN_ void wm_append(wm_out *o, wm_str s) {
    size_t row = (size_t)o->array.length++;
    if (row >= o->cap) return; // wm_whole_ will say so
    if (o->width > 0) wm_put_fixed_(o, row, s);
    else wm_put_bytes_(o, row, s);
}
WM_FN_ void wm_append_null(wm_out *o) {
    if ((size_t)o->array.length < o->cap) wm_set_null(o, (size_t)o->array.length);
    wm_append(o, (wm_str){0});
}

// For every type T of column: wm_c_T in a row, wm_v_T and wm_o_T in a vectorised function, wm_T(column, row) reads a
// value (0 or "" for null), wm_store_T writes one, wm_size_T counts a step's bytes.
#define WM_TYPE_(T, ctype, text, w, in, out)                                                                              \
    typedef ctype wm_c_##T;                                                                                               \
    typedef in wm_v_##T;                                                                                                  \
    typedef out wm_o_##T;                                                                                                 \
    static const char wm_t_##T[] __attribute__((unused)) = text;                                                          \
    enum { wm_w_##T = w };
#define WM_NUMBER_(T, ctype, text)                                                                                        \
    WM_TYPE_(T, ctype, text, sizeof(ctype), const ctype *, ctype *)                                                       \
    WM_FN_ ctype wm_##T(const wm_column *c, size_t row) {                                                                 \
        return wm_is_null(c, row) ? (ctype){0} : ((const ctype *)c->values)[row];                                         \
    }                                                                                                                     \
    WM_FN_ void wm_store_##T(wm_out *o, size_t row, ctype v) { ((ctype *)(void *)o->values)[row] = v; }                   \
    WM_FN_ const ctype *wm_vin_##T(const wm_column *c) { return c->values; }                                              \
    WM_FN_ ctype *wm_vout_##T(wm_out *o) { return (void *)o->values; }                                                    \
    WM_FN_ size_t wm_size_##T(ctype v) { return (void)v, 0; }
#define WM_BYTES_(T, text, w, offset)                                                                                     \
    WM_TYPE_(T, wm_str, text, w, const wm_column *, wm_out *)                                                             \
    WM_FN_ wm_str wm_##T(const wm_column *c, size_t row) {                                                                \
        if (wm_is_null(c, row)) return (wm_str){0};                                                                       \
        const offset *o = (const offset *)c->values + row;                                                                \
        return (wm_str){(const char *)c->data + o[0], (size_t)(o[1] - o[0])};                                             \
    }                                                                                                                     \
    WM_FN_ void wm_store_##T(wm_out *o, size_t row, wm_str v) { wm_put_bytes_(o, row, v); }                               \
    WM_VIEWS_(T) WM_FN_ size_t wm_size_##T(wm_str v) { return v.size; }
#define WM_VIEWS_(T)                                                                                                      \
    WM_FN_ const wm_column *wm_vin_##T(const wm_column *c) { return c; }                                                  \
    WM_FN_ wm_out *wm_vout_##T(wm_out *o) { return o; }
WM_NUMBER_(int8, int8_t, "int8") WM_NUMBER_(int16, int16_t, "int16") WM_NUMBER_(int32, int32_t, "int32")
WM_NUMBER_(int64, int64_t, "int64") WM_NUMBER_(uint8, uint8_t, "uint8") WM_NUMBER_(uint16, uint16_t, "uint16")
WM_NUMBER_(uint32, uint32_t, "uint32") WM_NUMBER_(uint64, uint64_t, "uint64") WM_NUMBER_(float32, float, "float32")
WM_NUMBER_(float64, double, "float64") WM_NUMBER_(date32, int32_t, "date32") WM_NUMBER_(time32, int32_t, "time32[ms]")
WM_NUMBER_(time64, int64_t, "time64[us]") WM_NUMBER_(timestamp, int64_t, "timestamp[us, UTC]")
WM_NUMBER_(duration, int64_t, "duration[us]") WM_NUMBER_(decimal128, wm_decimal, "decimal128(38, 0)")
WM_BYTES_(utf8, "utf8", W_TEXT_, int32_t) WM_BYTES_(binary, "binary", W_TEXT_, int32_t)
WM_BYTES_(large_utf8, "large_utf8", W_LARGE_, int64_t) WM_BYTES_(large_binary, "large_binary", W_LARGE_, int64_t)
WM_TYPE_(bool, bool, "bool", W_BITS_, const wm_column *, bool *)
WM_FN_ bool wm_bool(const wm_column *c, size_t row) {
    return !wm_is_null(c, row) && WM_BIT_((const uint8_t *)c->values, c->offset + row);
}
WM_FN_ void wm_store_bool(wm_out *o, size_t row, bool v) { o->values[row >> 3] |= (uint8_t)(v << (row & 7)); }
WM_FN_ const wm_column *wm_vin_bool(const wm_column *c) { return c; }
WM_FN_ bool *wm_vout_bool(wm_out *o) { return o->bytes = memset(wm_scratch(o->cap), 0, o->cap); }
WM_FN_ size_t wm_size_bool(bool v) { return (void)v, 0; }
WM_TYPE_(fixed_size_binary, wm_str, "", W_SIZED_, const wm_column *, wm_out *)
WM_FN_ wm_str wm_fixed_size_binary(const wm_column *c, size_t row) {
    return wm_is_null(c, row) ? (wm_str){0} : (wm_str){(const char *)c->values + row * c->width, c->width};
}
WM_FN_ void wm_store_fixed_size_binary(wm_out *o, size_t row, wm_str v) { wm_put_fixed_(o, row, v); }
WM_VIEWS_(fixed_size_binary) WM_FN_ size_t wm_size_fixed_size_binary(wm_str v) { return v.size; }
WM_TYPE_(list, wm_items, "", W_INPUT_, const wm_column *, wm_out *)
WM_FN_ wm_items wm_list(const wm_column *c, size_t row) {
    const int32_t *o = (const int32_t *)c->values + row;
    return wm_is_null(c, row) ? (wm_items){c->children, 0, 0} : (wm_items){c->children, (size_t)o[0], (size_t)(o[1] - o[0])};
}
WM_VIEWS_(list)
WM_TYPE_(any, wm_cell, "", W_INPUT_, const wm_column *, wm_out *)
WM_FN_ wm_cell wm_any(const wm_column *c, size_t row) { return (wm_cell){c, row}; }
WM_VIEWS_(any)
typedef struct {} wm_nothing_;
WM_TYPE_(pass, wm_nothing_, "", W_PASS_, const wm_column *, wm_out *)
WM_FN_ void wm_store_pass(wm_out *o, size_t row, wm_nothing_ v) { (void)o, (void)row, (void)v; }
WM_VIEWS_(pass) WM_FN_ size_t wm_size_pass(wm_nothing_ v) { return (void)v, 0; }

// ---- Calls -----------------------------------------------------------------------------------------------------------

typedef struct { const char *name, *type; int width; } wm_decl_;
typedef struct wm_call {
    const struct wm_function *fn;
    size_t n_columns, n_out, length, row, n_slots; // row: the one at work, for errors
    wm_column *columns;
    wm_str config; // JSON, "" for none
    const int32_t *slots;
    wm_result_ *now, *head, *tail, *idle;
    wm_column times;        // of a process: of its rows or timers
    const int8_t *domains;  // of its timers; NULL in a call with rows
    bool done;
} wm_call;
static wm_str wm_config_;
// wm_config returns the pipeline's configuration of the function at work: JSON, empty for none.
WM_FN_ wm_str wm_config(void) { return wm_config_; }
typedef struct wm_function {
    const char *name, *doc, *kind;
    bool any;                         // takes any columns
    const wm_decl_ *in, *out, *state; // ended by a NULL name; out is NULL when the description has none
    int (*run)(wm_call *);
    const struct wm_process_ *process; // of a process function
} wm_function;
typedef struct { const char *name; size_t n; const wm_function *const *functions; } wm_module;
extern const wm_module wm_module_;
// WM_MODULE(name, &function, ...) lists what the guest offers; once, at the end.
#define WM_MODULE(name, ...)                                                                                              \
    static const wm_function *const wm_functions_[] = {__VA_ARGS__};                                                      \
    const wm_module wm_module_ = {name, sizeof wm_functions_ / sizeof *wm_functions_, wm_functions_};

static size_t wm_digits_(const char *f) {
    size_t n = 0;
    for (; *f >= '0' && *f <= '9'; f++) n = n * 10 + (size_t)(*f - '0');
    return n;
}
// Width of a value or an offset, from the format of its type.
static size_t wm_width_(const char *f) {
    switch (f[0]) {
    case 'c': case 'C': return 1;
    case 's': case 'S': return 2;
    case 'i': case 'I': case 'f': case 'u': case 'z': return 4;
    case 'l': case 'L': case 'g': case 'U': case 'Z': return 8;
    case 'd': return 16;
    case 't': return (f[1] == 'd' && f[2] == 'D') || (f[1] == 't' && (f[2] == 's' || f[2] == 'm')) ? 4 : 8;
    case '+': return f[1] == 'l' || f[1] == 'm' ? 4 : 0;
    case 'w': return wm_digits_(f + 2);
    default: return 0;
    }
}
static char *wm_keep_(const char *s) { return memcpy(wm_must_(strlen(s) + 1), s, strlen(s) + 1); }
static void wm_learn_(wm_column *c, const wm_schema_ *s) { // at open: the schema is the host's, so copy it
    size_t n = s->dictionary ? 1 : (size_t)s->n_children;
    *c = (wm_column){.name = wm_keep_(s->name ? s->name : ""), .format = wm_keep_(s->format), .nullable = s->flags & 2};
    c->n_children = n, c->width = wm_width_(c->format), c->children = wm_must_((n + 1) * sizeof *c);
    for (size_t i = 0; i < n; i++) wm_learn_(&c->children[i], s->dictionary ? s->dictionary : s->children[i]);
}
static void wm_forget_(wm_column *c) {
    for (size_t i = 0; i < c->n_children; i++) wm_forget_(&c->children[i]);
    wm_free((void *)c->name, strlen(c->name) + 1), wm_free((void *)c->format, strlen(c->format) + 1);
    wm_free(c->children, (c->n_children + 1) * sizeof *c);
}
static const uint8_t *wm_none_(size_t rows) { // a bitmap of zeros, for columns of type null
    static uint8_t *zeros;
    static size_t size;
    if (rows / 8 >= size) zeros = wm_grow_(zeros, size, rows / 8 + 64), size = rows / 8 + 64, memset(zeros, 0, size);
    return zeros;
}
static void wm_view_(wm_column *c, const wm_array_ *a) {
    c->array = a, c->length = (size_t)a->length, c->offset = (size_t)a->offset;
    c->validity = a->null_count && a->n_buffers ? a->buffers[0] : NULL;
    if (c->format[0] == 'n') c->offset = 0, c->validity = wm_none_(c->length);
    c->values = a->n_buffers > 1 && a->buffers[1] ? (const char *)a->buffers[1] + c->offset * c->width : NULL;
    c->data = a->n_buffers > 2 ? a->buffers[2] : NULL;
    if (a->dictionary) wm_view_(c->children, a->dictionary);
    else for (size_t i = 0; i < c->n_children; i++) wm_view_(&c->children[i], a->children[i]);
}

static void wm_room_to_(wm_result_ *r, size_t rows) { // makes room for this many rows
    if (rows <= r->cap) return;
    size_t old = r->cap, cap = (rows + 63) & ~(size_t)63;
    r->origins = wm_grow_(r->origins, old * 4, cap * 4);
    for (size_t i = 0; i < r->call->n_out; i++) {
        wm_out *o = &r->out[i];
        if (o->width == W_PASS_) continue;
        o->validity = wm_grow_(o->validity, old / 8, cap / 8), memset(o->validity + old / 8, 255, (cap - old) / 8);
        if (o->width == W_BITS_) o->values = wm_grow_(o->values, old / 8, cap / 8), memset(o->values + old / 8, 0, (cap - old) / 8);
        else if (o->width > 0) o->values = wm_grow_(o->values, old * (size_t)o->width, cap * (size_t)o->width);
        else { // offsets: one more than rows; 64 bytes more keep the next one's alignment
            size_t w = (size_t)-o->width;
            o->values = wm_grow_(o->values, old ? old * w + 64 : 0, cap * w + 64);
            if (!old) memset(o->values, 0, 64);
        }
        o->cap = cap;
    }
    r->cap = cap;
}
static wm_result_ *wm_take_(wm_call *c, size_t rows) { // a result to fill, with its buffers of last time
    wm_result_ *r = c->idle;
    size_t n = c->n_out;
    if (r) {
        c->idle = r->next;
    } else {
        size_t size = sizeof *r + n * sizeof(wm_out);
        r = memset(wm_must_(size), 0, size), r->call = c, r->children = wm_must_((n + 1) * sizeof *r->children);
        for (size_t i = 0; i < n; i++) {
            int w = c->fn->out ? c->fn->out[i].width : *c->fn->kind == 'f' ? W_BITS_ : W_PASS_;
            r->out[i].width = w == W_SIZED_ ? (int)wm_digits_(c->fn->out[i].type + sizeof "fixed_size_binary") : w;
        }
    }
    r->next = NULL, r->rows = r->bytes = 0, r->first = c->row;
    for (size_t i = 0; i < n; i++) {
        wm_out *o = &r->out[i];
        if (o->nulls) memset(o->validity, 255, o->cap / 8);
        if (o->width == W_BITS_ && o->cap) memset(o->values, 0, o->cap / 8);
        o->size = o->nulls = 0, o->bytes = NULL, o->array.length = 0;
    }
    return wm_room_to_(r, rows ? rows : 1), c->now = r;
}
static void wm_idle_(wm_result_ *r) { r->next = r->call->idle, r->call->idle = r; }
static void wm_discard_(wm_result_ *r) { // gives all that a result holds back
    for (size_t i = 0; i < r->call->n_out; i++) {
        wm_out *o = &r->out[i];
        size_t w = o->width < 0 ? (size_t)-o->width : (size_t)o->width;
        if (o->width == W_PASS_) continue;
        wm_free(o->validity, o->cap / 8), wm_free(o->data, o->data_cap);
        wm_free(o->values, o->width == W_BITS_ ? o->cap / 8 : o->cap * w + (o->width < 0 ? 64 : 0));
    }
    wm_free(r->origins, r->cap * 4), wm_free(r->children, (r->call->n_out + 1) * sizeof *r->children);
    wm_free(r, sizeof *r + r->call->n_out * sizeof(wm_out));
}
static void wm_queue_(wm_call *c) { // the current result is full: it waits for the host
    if (c->head) c->tail->next = c->now; else c->head = c->now;
    c->tail = c->now, c->now = NULL;
}
static void wm_drop_(wm_call *c) { // a new call, or an error: what was not handed out is not wanted
    for (wm_result_ *r = c->head, *next; r; r = next) next = r->next, wm_idle_(r);
    if (c->now) wm_idle_(c->now);
    c->head = c->now = NULL;
}
// wm_add_row_ returns the place for one more row of an output with bytes of text.
WM_FN_ wm_result_ *wm_add_row_(wm_call *c, size_t bytes) {
    if (c->now->rows == WM_STEP_ROWS || (c->now->rows && c->now->bytes + bytes > WM_STEP_BYTES)) wm_queue_(c), wm_take_(c, 1024);
    if (c->now->rows == c->now->cap) wm_room_to_(c->now, c->now->cap * 2);
    c->now->bytes += bytes, c->now->origins[c->now->rows++] = (int32_t)c->row;
    return c->now;
}

// ---- Functions -------------------------------------------------------------------------------------------------------

#define WM_ONE_(type, name, ...) +1
#define WM_FIELD_(type, name, ...) wm_c_##type name;
#define WM_FLAG_(type, name, ...) bool name;
#define WM_DECL_(type, name, ...) {#name, sizeof("" __VA_ARGS__) > 1 ? "" __VA_ARGS__ : wm_t_##type, wm_w_##type},
#define WM_LOAD_(type, name, ...) in.name = wm_##type(&c[i_], row), in.is_null.name = wm_is_null(&c[i_], row), i_++;
#define WM_SIZE_(type, name, ...) +wm_size_##type(out->name)
#define WM_STORE_(type, name, ...)                                                                                        \
    wm_store_##type(&o[i_], row, out->name);                                                                              \
    if (out->is_null.name) wm_set_null(&o[i_], row);                                                                      \
    i_++;
#define WM_INLINE_ static inline __attribute__((always_inline))

// The input: its struct, its declaration, and the columns of a call as locals.
#define WM_IN_(name, IN)                                                                                                  \
    struct name##_in { struct { IN(WM_FLAG_) } is_null; IN(WM_FIELD_) };                                                  \
    static const wm_decl_ name##_in_[] = {IN(WM_DECL_){0}};
#define WM_OUT_(name, OUT)                                                                                                \
    struct name##_out { struct { OUT(WM_FLAG_) } is_null; OUT(WM_FIELD_) };                                               \
    static const wm_decl_ name##_out_[] = {OUT(WM_DECL_){0}};
#define WM_COLUMNS_(IN)                                                                                                   \
    wm_column c[1 IN(WM_ONE_)];                                                                                           \
    memcpy(c, call->columns, sizeof c - sizeof *c);
#define WM_ROW_(name, IN)                                                                                                 \
    struct name##_in in;                                                                                                  \
    size_t i_ = 0;                                                                                                        \
    IN(WM_LOAD_)(void) i_, call->row = row;

// WM_MAP(name, doc, IN, OUT) { … return WM_OK; } makes one row of each. The body has in and out.
#define WM_MAP(name, doc, IN, OUT) WM_MAP_(name, doc, "map", IN, OUT)
// WM_SCALAR is a WM_MAP whose OUT has one column: an expression over columns.
#define WM_SCALAR(name, doc, IN, OUT) WM_MAP_(name, doc, "scalar", IN, OUT)
#define WM_MAP_(name, doc, kind, IN, OUT)                                                                                 \
    WM_IN_(name, IN) WM_OUT_(name, OUT)                                                                                   \
    WM_INLINE_ int name##_row_(const struct name##_in *in, struct name##_out *out);                                       \
    WM_INLINE_ size_t name##_size_(const struct name##_out *out) { return (void)out, 0 OUT(WM_SIZE_); }                   \
    WM_INLINE_ void name##_store_(wm_out *o, size_t row, const struct name##_out *out) {                                  \
        size_t i_ = 0;                                                                                                    \
        OUT(WM_STORE_)(void) i_;                                                                                          \
    }                                                                                                                     \
    static int name##_run_(wm_call *call) {                                                                               \
        WM_COLUMNS_(IN)                                                                                                   \
        size_t first = call->row, end = call->length - first > WM_STEP_ROWS ? first + WM_STEP_ROWS : call->length;        \
        wm_result_ *r = wm_take_(call, end - first);                                                                      \
        for (size_t row = first; row < end; row++) {                                                                      \
            WM_ROW_(name, IN)                                                                                             \
            struct name##_out out = {0};                                                                                  \
            if (name##_row_(&in, &out)) return WM_FAILED;                                                                 \
            if ((r->bytes += name##_size_(&out)) > 2 * WM_STEP_BYTES) return wm_fail("the row's text is above 32 MiB");   \
            name##_store_(r->out, row - first, &out), r->rows++, wm_scratch_reset_();                                     \
            if (r->bytes > WM_STEP_BYTES && row + 1 < call->length) return call->row = row + 1, WM_MORE_;                 \
        }                                                                                                                 \
        return call->row = end, end < call->length ? WM_MORE_ : WM_OK;                                                    \
    }                                                                                                                     \
    static const wm_function name = {#name, doc, kind, false, name##_in_, name##_out_, NULL, name##_run_, NULL};          \
    WM_INLINE_ int name##_row_(const struct name##_in *in, struct name##_out *out)

WM_FN_ void wm_store_keep_(wm_out *o, size_t row, int keep) {
    wm_store_bool(o, row, keep > 0);
    if (keep == WM_UNKNOWN) wm_set_null(o, row);
}
// WM_FILTER(name, doc, IN) { return in->delay > 15; } keeps the rows for which it returns true.
#define WM_FILTER(name, doc, IN)                                                                                          \
    WM_IN_(name, IN)                                                                                                      \
    WM_INLINE_ int name##_row_(const struct name##_in *in);                                                               \
    static int name##_run_(wm_call *call) {                                                                               \
        WM_COLUMNS_(IN)                                                                                                   \
        wm_result_ *r = wm_take_(call, call->length);                                                                     \
        for (size_t row = 0; row < call->length; row++) {                                                                 \
            WM_ROW_(name, IN)                                                                                             \
            int keep = name##_row_(&in);                                                                                  \
            if (keep < 0 && keep != WM_UNKNOWN) return WM_FAILED;                                                                               \
            wm_store_keep_(r->out, row, keep), wm_scratch_reset_();                                                   \
        }                                                                                                                 \
        return r->rows = call->length, WM_OK;                                                                             \
    }                                                                                                                     \
    static const wm_function name = {#name, doc, "filter", false, name##_in_, NULL, NULL, name##_run_, NULL};             \
    WM_INLINE_ int name##_row_(const struct name##_in *in)

#define WM_EMIT_(name, OUT)                                                                                               \
    static wm_call *name##_call_;                                                                                         \
    static void name##_emit_(const struct name##_out *out) {                                                              \
        size_t bytes = 0 OUT(WM_SIZE_), i_ = 0;                                                                           \
        wm_result_ *r = wm_add_row_(name##_call_, bytes);                                                                 \
        wm_out *o = r->out;                                                                                               \
        size_t row = r->rows - 1;                                                                                         \
        OUT(WM_STORE_)(void) i_;                                                                                          \
    }
// WM_FLAT_MAP(name, doc, IN, OUT) { … out->word = w, emit(out); … return WM_OK; } makes any number of rows of each.
#define WM_FLAT_MAP(name, doc, IN, OUT)                                                                                   \
    WM_IN_(name, IN) WM_OUT_(name, OUT) WM_EMIT_(name, OUT)                                                               \
    WM_INLINE_ int name##_row_(const struct name##_in *in, struct name##_out *out, void (*emit)(const struct name##_out *)); \
    static int name##_run_(wm_call *call) {                                                                               \
        WM_COLUMNS_(IN)                                                                                                   \
        name##_call_ = call, wm_take_(call, call->length);                                                                \
        for (size_t row = call->row; row < call->length; row++) {                                                         \
            WM_ROW_(name, IN)                                                                                             \
            struct name##_out out = {0};                                                                                  \
            if (name##_row_(&in, &out, name##_emit_)) return WM_FAILED;                                                   \
            wm_scratch_reset_();                                                                                          \
            if (call->head && row + 1 < call->length) return call->row = row + 1, WM_MORE_;                               \
        }                                                                                                                 \
        return WM_OK;                                                                                                     \
    }                                                                                                                     \
    static const wm_function name = {#name, doc, "flat_map", false, name##_in_, name##_out_, NULL, name##_run_, NULL};    \
    WM_INLINE_ int name##_row_(const struct name##_in *in, struct name##_out *out, void (*emit)(const struct name##_out *))

// ---- State -----------------------------------------------------------------------------------------------------------
// A key's state is fetched when the first row of the batch touches it, and what has changed is stored at the end of the step.

WM_FN_ int wm_fetch_(size_t state, int32_t slot, void *value, size_t size, bool text, bool *stored) {
    wm_str *s = value;
    int64_t n = wm_state_get_(state, slot, text ? NULL : value, text ? 0 : size);
    if ((*stored = n >= 0) && text) s->data = wm_scratch((size_t)n), s->size = (size_t)n, wm_state_get_(state, slot, (void *)s->data, s->size);
    return n < 0 || text || (size_t)n == size ? 0 : wm_fail("state %zu holds %lld bytes, expected %zu", state, n, size);
}
WM_FN_ int wm_save_(size_t state, int32_t slot, const void *now, const void *old, size_t size, bool text, bool gone, bool stored) {
    const wm_str *s = now;
    if (gone) return stored ? wm_state_delete_(state, slot) : 0;
    if (stored && (text ? wm_same(*s, *(const wm_str *)old) : !memcmp(now, old, size))) return 0;
    if (!wm_state_put_(state, slot, text ? s->data : now, text ? s->size : size)) return 0;
    return wm_fail("state %zu: a value of %zu bytes was refused", state, text ? s->size : size);
}
#define WM_FETCH_(type, name, ...)                                                                                        \
    if (wm_fetch_(i_++, slot, &s->now.name, sizeof s->now.name, wm_w_##type == W_TEXT_, &s->stored.name)) return WM_FAILED; \
    s->now.is_new &= !s->stored.name;
#define WM_SAVE_(type, name, ...)                                                                                         \
    if (wm_save_(i_++, slot, &s->now.name, &s->old.name, sizeof s->now.name, wm_w_##type == W_TEXT_, s->now.is_new, s->stored.name)) \
        return WM_FAILED;

// WM_KEYED_MAP(name, doc, IN, OUT, STATE) { state->sum += in->delay; … emit(out); return WM_OK; } is a WM_FLAT_MAP with
// state of the row's key: 0 and "" with state->is_new set when there is none, and deleted when the body sets state->remove.
#define WM_KEYED_MAP(name, doc, IN, OUT, STATE)                                                                           \
    WM_IN_(name, IN) WM_OUT_(name, OUT) WM_EMIT_(name, OUT)                                                               \
    struct name##_state { STATE(WM_FIELD_) bool is_new, remove; };                                                        \
    static const wm_decl_ name##_state_[] = {STATE(WM_DECL_){0}};                                                         \
    struct name##_slot_ { struct name##_state now, old; struct { STATE(WM_FLAG_) } stored; bool loaded; };                \
    WM_INLINE_ int name##_row_(const struct name##_in *in, struct name##_out *out, struct name##_state *state,            \
                               void (*emit)(const struct name##_out *));                                                  \
    static int name##_load_(struct name##_slot_ *s, int32_t slot) {                                                       \
        size_t i_ = 0;                                                                                                    \
        s->loaded = s->now.is_new = true;                                                                                 \
        STATE(WM_FETCH_)                                                                                                  \
        return s->old = s->now, WM_OK;                                                                                    \
    }                                                                                                                     \
    static int name##_save_(struct name##_slot_ *s, int32_t slot) {                                                       \
        size_t i_ = 0;                                                                                                    \
        STATE(WM_SAVE_)                                                                                                   \
        return WM_OK;                                                                                                     \
    }                                                                                                                     \
    static int name##_run_(wm_call *call) {                                                                               \
        WM_COLUMNS_(IN)                                                                                                   \
        int status = WM_OK;                                                                                               \
        size_t size = call->n_slots * sizeof(struct name##_slot_);                                                        \
        struct name##_slot_ *slots = memset(wm_scratch(size), 0, size);                                                   \
        name##_call_ = call, wm_take_(call, call->length);                                                                \
        for (size_t row = call->row; row < call->length; row++) {                                                         \
            WM_ROW_(name, IN)                                                                                             \
            struct name##_out out = {0};                                                                                  \
            int32_t slot = call->slots[row];                                                                              \
            struct name##_slot_ *s = &slots[slot];                                                                        \
            if (!s->loaded && name##_load_(s, slot)) return WM_FAILED;                                                    \
            if (name##_row_(&in, &out, &s->now, name##_emit_)) return WM_FAILED;                                          \
            if (s->now.remove) s->now = (struct name##_state){.is_new = true};                                            \
            else s->now.is_new = false;                                                                                   \
            if (call->head && row + 1 < call->length) {                                                                   \
                call->row = row + 1, status = WM_MORE_;                                                                   \
                break;                                                                                                    \
            }                                                                                                             \
        }                                                                                                                 \
        for (size_t i = 0; i < call->n_slots; i++)                                                                        \
            if (slots[i].loaded && name##_save_(&slots[i], (int32_t)i)) return call->row = (size_t)-1, WM_FAILED;         \
        return status;                                                                                                    \
    }                                                                                                                     \
    static const wm_function name = {#name, doc, "keyed_map", false, name##_in_, name##_out_, name##_state_, name##_run_, NULL}; \
    WM_INLINE_ int name##_row_(const struct name##_in *in, struct name##_out *out, struct name##_state *state,            \
                               void (*emit)(const struct name##_out *))

// ---- State of process functions --------------------------------------------------------------------------------------
// A handle belongs to the key of the row or the timer at hand. Text that is read lives until the row is done.

WM_IMPORT_("list_add") int wm_list_add_(size_t state, int32_t slot, const void *from, size_t size);
WM_IMPORT_("list_get") int64_t wm_list_get_(size_t state, int32_t slot, void *to, size_t cap);
WM_IMPORT_("map_get") int64_t wm_map_get_(size_t state, int32_t slot, const void *key, size_t key_size, void *to, size_t cap);
WM_IMPORT_("map_put") int wm_map_put_(size_t state, int32_t slot, const void *key, size_t key_size, const void *from, size_t size);
WM_IMPORT_("map_remove") int wm_map_remove_(size_t state, int32_t slot, const void *key, size_t key_size);
WM_IMPORT_("map_next") int64_t wm_map_next_(size_t state, int32_t slot, const void *key, size_t key_size, void *to, size_t cap);

typedef struct { const char *name, *kind, *type, *value_type, *ttl; } wm_state_decl_;
static wm_call *wm_at_;        // the call of the process function at work
static bool wm_state_failed_;  // some state could not be read or written: the row fails
WM_FN_ int32_t wm_slot_(void) { return wm_at_->slots[wm_at_->row]; }
#define WM_IS_TEXT_(v) _Generic((v), wm_str: true, default: false)

WM_FN_ wm_str wm_raw_(const void *v, size_t size, bool text) { return text ? *(const wm_str *)v : (wm_str){v, size}; }
WM_FN_ void wm_refused_(size_t state, size_t size) {
    if (!wm_state_failed_) wm_fail("state %zu: a value of %zu bytes was refused", state, size), wm_state_failed_ = true;
}
WM_FN_ bool wm_cooked_(size_t state, wm_str from, void *v, size_t size, bool text) {
    if (text) *(wm_str *)v = from;
    else if (from.size == size) memcpy(v, from.data, size);
    else if (!wm_state_failed_) wm_fail("state %zu holds %zu bytes, expected %zu", state, from.size, size), wm_state_failed_ = true;
    return !wm_state_failed_;
}
WM_FN_ bool wm_get_(size_t state, void *v, size_t size, bool text) {
    char few[64], *at = few;
    int64_t n = wm_state_get_(state, wm_slot_(), few, sizeof few);
    if (n < 0) return false;
    if (text || (size_t)n > sizeof few) at = wm_scratch((size_t)n), wm_state_get_(state, wm_slot_(), at, (size_t)n);
    return wm_cooked_(state, (wm_str){at, (size_t)n}, v, size, text);
}
WM_FN_ void wm_set_(size_t state, wm_str v) {
    if (wm_state_put_(state, wm_slot_(), v.data, v.size)) wm_refused_(state, v.size);
}
WM_FN_ void wm_append_value_(size_t state, wm_str v) {
    if (wm_list_add_(state, wm_slot_(), v.data, v.size)) wm_refused_(state, v.size);
}
WM_FN_ size_t wm_values_(size_t state, void *values, size_t size, bool text) {
    int64_t n = wm_list_get_(state, wm_slot_(), NULL, 0);
    if (n <= 0) return 0;
    char *all = wm_scratch((size_t)n), *end = all + n, *to;
    wm_list_get_(state, wm_slot_(), all, (size_t)n);
    size_t count = 0;
    uint32_t one;
    for (char *at = all; at < end; at += 4 + one) memcpy(&one, at, 4), count++;
    memcpy(values, &(char *){to = wm_scratch(count * size)}, sizeof to);
    for (char *at = all; at < end; at += 4 + one, to += size) {
        memcpy(&one, at, 4);
        if (!wm_cooked_(state, (wm_str){at + 4, one}, to, size, text)) return 0;
    }
    return count;
}
WM_FN_ bool wm_entry_(size_t state, wm_str key, void *v, size_t size, bool text) {
    char few[64], *at = few;
    int64_t n = wm_map_get_(state, wm_slot_(), key.data, key.size, few, sizeof few);
    if (n < 0) return false;
    if (text || (size_t)n > sizeof few) at = wm_scratch((size_t)n), wm_map_get_(state, wm_slot_(), key.data, key.size, at, (size_t)n);
    return wm_cooked_(state, (wm_str){at, (size_t)n}, v, size, text);
}
WM_FN_ void wm_put_(size_t state, wm_str key, wm_str v) {
    if (wm_map_put_(state, wm_slot_(), key.data, key.size, v.data, v.size)) wm_refused_(state, key.size + v.size);
}
// wm_cursor is where a walk through a map has come to; it begins as {0}.
typedef struct { char *page; size_t used, size; wm_str last; bool begun; } wm_cursor;
WM_FN_ bool wm_next_(size_t state, wm_cursor *c, void *k, size_t k_size, bool k_text, void *v, size_t v_size, bool v_text) {
    if (c->used == c->size) {
        size_t cap = 4096, from = c->begun ? c->last.size : (size_t)-1;
        c->page = wm_scratch(cap);
        int64_t n = wm_map_next_(state, wm_slot_(), c->last.data, from, c->page, cap);
        if (n < 0) c->page = wm_scratch((size_t)-n), n = wm_map_next_(state, wm_slot_(), c->last.data, from, c->page, (size_t)-n);
        c->used = 0, c->size = (size_t)n, c->begun = true;
        if (!n) return false;
    }
    uint32_t sizes[2];
    memcpy(sizes, c->page + c->used, sizeof sizes);
    c->last = (wm_str){c->page + c->used + 8, sizes[0]};
    wm_str value = {c->last.data + sizes[0], sizes[1]};
    c->used += 8 + sizes[0] + sizes[1];
    return wm_cooked_(state, c->last, k, k_size, k_text) && wm_cooked_(state, value, v, v_size, v_text);
}

// Handles are members of state. All are of one size: their numbers are filled in before the first row.
#define WM_HANDLE_(kind, K, V, name) struct { size_t kind; K *key; V *value; } name;
#define WM_H_VALUE_(type, name, ...) WM_HANDLE_(value_state, char, wm_c_##type, name)
#define WM_H_LIST_(type, name, ...) WM_HANDLE_(list_state, char, wm_c_##type, name)
#define WM_H_MAP_(key, type, name, ...) WM_HANDLE_(map_state, wm_c_##key, wm_c_##type, name)
#define WM_D_VALUE_(type, name, ...) {#name, "value", NULL, wm_t_##type, "" __VA_ARGS__},
#define WM_D_LIST_(type, name, ...) {#name, "list", NULL, wm_t_##type, "" __VA_ARGS__},
#define WM_D_MAP_(key, type, name, ...) {#name, "map", wm_t_##key, wm_t_##type, "" __VA_ARGS__},
typedef struct { size_t number; void *types[2]; } wm_handle_;
WM_FN_ void wm_number_handles_(void *state, size_t size) {
    for (size_t i = 0; i < size / sizeof(wm_handle_); i++) memcpy((char *)state + i * sizeof(wm_handle_), &i, sizeof i);
}

#define WM_TYPED_(pointer, v) __typeof__(*(pointer)) v
// Values: wm_get(state->x, &v) says whether there is one, wm_set(state->x, v) stores one.
#define wm_get(h, to) ({ WM_TYPED_((h).value, *to_) = (to); wm_get_((h).value_state, to_, sizeof *to_, WM_IS_TEXT_(*to_)); })
#define wm_set(h, v) ({ WM_TYPED_((h).value, v_) = (v); wm_set_((h).value_state, wm_raw_(&v_, sizeof v_, WM_IS_TEXT_(v_))); })
// Lists: wm_add(state->x, v) appends, wm_values(state->x, &values) returns how many there are, in wm_scratch.
#define wm_add(h, v) ({ WM_TYPED_((h).value, v_) = (v); wm_append_value_((h).list_state, wm_raw_(&v_, sizeof v_, WM_IS_TEXT_(v_))); })
#define wm_values(h, to) ({ WM_TYPED_((h).value, **to_) = (to); wm_values_((h).list_state, to_, sizeof **to_, WM_IS_TEXT_(**to_)); })
// Maps: wm_map_get(state->x, key, &v), wm_map_put(state->x, key, v), wm_map_remove(state->x, key), and in the order of the keys' bytes
// wm_cursor at = {0}; while (wm_map_next(state->x, &at, &key, &v)) ...
#define wm_map_get(h, k, to) ({ WM_TYPED_((h).key, k_) = (k); WM_TYPED_((h).value, *to_) = (to);                          \
    wm_entry_((h).map_state, wm_raw_(&k_, sizeof k_, WM_IS_TEXT_(k_)), to_, sizeof *to_, WM_IS_TEXT_(*to_)); })
#define wm_map_put(h, k, v) ({ WM_TYPED_((h).key, k_) = (k); WM_TYPED_((h).value, v_) = (v);                              \
    wm_put_((h).map_state, wm_raw_(&k_, sizeof k_, WM_IS_TEXT_(k_)), wm_raw_(&v_, sizeof v_, WM_IS_TEXT_(v_))); })
#define wm_map_remove(h, k) ({ WM_TYPED_((h).key, k_) = (k); wm_str r_ = wm_raw_(&k_, sizeof k_, WM_IS_TEXT_(k_));         \
    (void)wm_map_remove_((h).map_state, wm_slot_(), r_.data, r_.size); })
#define wm_map_next(h, at, k, to) ({ WM_TYPED_((h).key, *k_) = (k); WM_TYPED_((h).value, *to_) = (to);                    \
    wm_next_((h).map_state, (at), k_, sizeof *k_, WM_IS_TEXT_(*k_), to_, sizeof *to_, WM_IS_TEXT_(*to_)); })
// wm_clear(state->x) removes all that a state of any kind holds.
#define wm_clear(h) ((void)wm_state_delete_(((const wm_handle_ *)(const void *)&(h))->number, wm_slot_()))

// ---- Process functions -----------------------------------------------------------------------------------------------

WM_IMPORT_("timer_set") void wm_timer_set_(int32_t slot, int domain, int64_t ms);
WM_IMPORT_("timer_delete") void wm_timer_delete_(int32_t slot, int domain, int64_t ms);
WM_IMPORT_("watermark") int64_t wm_watermark(void); // event time that the input has come to, in ms; INT64_MIN before the first one
WM_IMPORT_("now") int64_t wm_now(void);             // processing time in ms

typedef enum { WM_EVENT_TIME = 0, WM_PROCESSING_TIME = 1 } wm_domain;
typedef struct { int64_t time; wm_domain domain; } wm_timer; // time in milliseconds since 1970 UTC
typedef struct wm_process_ {
    const wm_state_decl_ *states; // ended by a NULL name
    wm_call *const *sides;        // ended by NULL
} wm_process_;

// wm_time tells the event time of the row, or the time of the timer, in milliseconds, and whether there is one.
WM_FN_ bool wm_time(int64_t *ms) {
    const wm_column *c = &wm_at_->times;
    return *ms = ((const int64_t *)c->values)[wm_at_->row], !wm_is_null(c, wm_at_->row);
}
// wm_set_timer makes sure that the key has a timer; one whose time is over fires soon. wm_delete_timer removes one, if it is there.
WM_FN_ void wm_set_timer(wm_domain domain, int64_t ms) { wm_timer_set_(wm_slot_(), (int)domain, ms); }
WM_FN_ void wm_delete_timer(wm_domain domain, int64_t ms) { wm_timer_delete_(wm_slot_(), (int)domain, ms); }

WM_FN_ void wm_begin_process_(wm_call *call, void *state, size_t size) {
    wm_at_ = call, wm_state_failed_ = false, wm_number_handles_(state, size);
    wm_take_(call, call->length);
    for (wm_call *const *side = call->fn->process->sides; *side; side++) wm_take_(*side, 64);
}
WM_FN_ bool wm_pause_(const wm_call *call) { // a step is full
    bool full = call->head;
    for (wm_call *const *side = call->fn->process->sides; *side; side++) full |= (*side)->head != NULL;
    return full;
}

// WM_SIDE(name, COLUMNS) declares a side output: name_emit(&row), with a struct name_out, makes a row of it. It belongs to one function.
#define WM_SIDE(name, OUT)                                                                                                \
    WM_OUT_(name, OUT) WM_EMIT_(name, OUT)                                                                                \
    static const wm_function name##_side_ = {#name, NULL, "side", false, NULL, name##_out_, NULL, NULL, NULL};            \
    static wm_call name##_of_ = {.fn = &name##_side_, .n_out = 0 OUT(WM_ONE_)};                                           \
    WM_FN_ void name##_emit(const struct name##_out *out) {                                                               \
        name##_call_ = &name##_of_, name##_of_.row = wm_at_->row, name##_emit_(out);                                      \
    }
#define WM_SIDE_(name) &name##_of_,
#define WM_NONE(...)

// WM_PROCESS(name, doc, IN, OUT, STATES, SIDES) { … return WM_OK; } is called for each row, with in, out, emit and state, and
// WM_ON_TIMER(name) { … return WM_OK; } behind it for each timer, with timer, out, emit and state. STATES takes three macros:
//   #define STATES(VALUE, LIST, MAP) VALUE(int64, last) LIST(utf8, seen, "1h") MAP(utf8, int64, counts)
// where a last argument is when what is stored expires, and SIDES one: #define SIDES(SIDE) SIDE(missed); WM_NONE for none.
#define WM_PROCESS(name, doc, IN, OUT, STATES, SIDES)                                                                     \
    WM_IN_(name, IN) WM_OUT_(name, OUT) WM_EMIT_(name, OUT)                                                               \
    struct name##_state { STATES(WM_H_VALUE_, WM_H_LIST_, WM_H_MAP_) };                                                   \
    static struct name##_state name##_handles_;                                                                           \
    static const wm_state_decl_ name##_states_[] = {STATES(WM_D_VALUE_, WM_D_LIST_, WM_D_MAP_){0}};                       \
    static wm_call *const name##_sides_[] = {SIDES(WM_SIDE_) NULL};                                                       \
    static const wm_process_ name##_process_ = {name##_states_, name##_sides_};                                           \
    WM_INLINE_ int name##_row_(const struct name##_in *in, struct name##_out *out, const struct name##_state *state,      \
                               void (*emit)(const struct name##_out *));                                                  \
    static int name##_timer_(wm_timer timer, struct name##_out *out, const struct name##_state *state,                    \
                             void (*emit)(const struct name##_out *));                                                    \
    static int name##_run_(wm_call *call) {                                                                               \
        WM_COLUMNS_(IN)                                                                                                   \
        name##_call_ = call, wm_begin_process_(call, &name##_handles_, sizeof name##_handles_);                           \
        for (size_t row = call->row; row < call->length; row++) {                                                         \
            struct name##_out out = {0};                                                                                  \
            int status;                                                                                                   \
            if (call->domains) {                                                                                          \
                wm_timer timer = {((const int64_t *)call->times.values)[row], (wm_domain)call->domains[row]};             \
                call->row = row, status = name##_timer_(timer, &out, &name##_handles_, name##_emit_);                     \
            } else {                                                                                                      \
                WM_ROW_(name, IN)                                                                                         \
                status = name##_row_(&in, &out, &name##_handles_, name##_emit_);                                          \
            }                                                                                                             \
            if (status || wm_state_failed_) return WM_FAILED;                                                             \
            wm_scratch_reset_();                                                                                          \
            if (row + 1 < call->length && wm_pause_(call)) return call->row = row + 1, WM_MORE_;                          \
        }                                                                                                                 \
        return WM_OK;                                                                                                     \
    }                                                                                                                     \
    static const wm_function name = {                                                                                     \
        #name, doc, "process", false, name##_in_, name##_out_, NULL, name##_run_, &name##_process_};                      \
    WM_INLINE_ int name##_row_(const struct name##_in *in, struct name##_out *out, const struct name##_state *state,      \
                               void (*emit)(const struct name##_out *))
#define WM_ON_TIMER(name)                                                                                                 \
    static int name##_timer_(wm_timer timer, struct name##_out *out, const struct name##_state *state,                    \
                             void (*emit)(const struct name##_out *))

// ---- Vectorised functions --------------------------------------------------------------------------------------------

#define WM_VFIELD_(type, name, ...) wm_v_##type name;
#define WM_VCOLUMN_(type, name, ...) const wm_column *name;
#define WM_OFIELD_(type, name, ...) wm_o_##type name;
#define WM_OCOLUMN_(type, name, ...) wm_out *name;
#define WM_VLOAD_(type, name, ...) in.name = wm_vin_##type(&c[i_]), in.column.name = &c[i_], i_++;
#define WM_OLOAD_(type, name, ...) out.name = wm_vout_##type(&o[k_]), out.column.name = &o[k_], k_++;
#define WM_KEEP_(COLUMN) COLUMN(bool, keep)
// WM_MAP_V, WM_SCALAR_V, WM_FILTER_V get whole columns: n rows, in->x and out->x are arrays of numbers (out->x of bool, too);
// other columns are wm_column and wm_out, as are in->column.x and out->column.x of every column. A filter sets out->keep[i].
#define WM_MAP_V(name, doc, IN, OUT) WM_VECTOR_(name, doc, "map", IN, OUT, name##_out_)
#define WM_SCALAR_V(name, doc, IN, OUT) WM_VECTOR_(name, doc, "scalar", IN, OUT, name##_out_)
#define WM_FILTER_V(name, doc, IN) WM_VECTOR_(name, doc, "filter", IN, WM_KEEP_, NULL)
#define WM_VECTOR_(name, doc, kind, IN, OUT, out_decl)                                                                    \
    struct name##_in { IN(WM_VFIELD_) struct { IN(WM_VCOLUMN_) } column; };                                               \
    struct name##_out { OUT(WM_OFIELD_) struct { OUT(WM_OCOLUMN_) } column; };                                            \
    static const wm_decl_ name##_in_[] = {IN(WM_DECL_){0}};                                                               \
    static const wm_decl_ name##_out_[] __attribute__((unused)) = {OUT(WM_DECL_){0}};                                     \
    static int name##_all_(size_t n, const struct name##_in *in, struct name##_out *out);                                 \
    static int name##_run_(wm_call *call) {                                                                               \
        wm_column *c = call->columns;                                                                                     \
        wm_out *o = wm_take_(call, call->length)->out;                                                                    \
        struct name##_in in;                                                                                              \
        struct name##_out out;                                                                                            \
        size_t i_ = 0, k_ = 0;                                                                                            \
        IN(WM_VLOAD_) OUT(WM_OLOAD_)(void) i_, (void)k_, (void)c, (void)o;                                                \
        call->row = (size_t)-1;                                                                                           \
        return name##_all_(call->length, &in, &out) ? WM_FAILED : wm_whole_(call);                                        \
    }                                                                                                                     \
    static const wm_function name = {#name, doc, kind, false, name##_in_, out_decl, NULL, name##_run_, NULL};             \
    static int name##_all_(size_t n, const struct name##_in *in, struct name##_out *out)

WM_FN_ int wm_whole_(wm_call *call) { // takes over what a vectorised function has put in its columns
    wm_result_ *r = call->now;
    r->rows = call->length, r->first = 0;
    for (size_t i = 0; i < call->n_out; i++) {
        wm_out *o = &r->out[i];
        for (size_t row = 0; o->bytes && row < r->rows; row++) wm_store_bool(o, row, o->bytes[row]);
        bool appended = o->width <= W_TEXT_ || o->array.length > 0;
        if (appended && (size_t)o->array.length != r->rows)
            return wm_fail("column %s has %lld values for %zu rows", call->fn->out[i].name, o->array.length, r->rows);
    }
    return WM_OK;
}

// WM_ANY_FILTER(name, doc) { … } is a filter over any columns: batch->columns[i], batch->n_columns and row.
#define WM_ANY_FILTER(name, doc)                                                                                          \
    static int name##_row_(const wm_call *batch, size_t row);                                                             \
    static int name##_run_(wm_call *call) {                                                                               \
        wm_result_ *r = wm_take_(call, call->length);                                                                     \
        for (call->row = 0; call->row < call->length; call->row++) {                                                      \
            int keep = name##_row_(call, call->row);                                                                      \
            if (keep < 0 && keep != WM_UNKNOWN) return WM_FAILED;                                                                               \
            wm_store_keep_(r->out, call->row, keep), wm_scratch_reset_();                                             \
        }                                                                                                                 \
        return r->rows = call->length, WM_OK;                                                                             \
    }                                                                                                                     \
    static const wm_function name = {#name, doc, "filter", true, NULL, NULL, NULL, name##_run_, NULL};                    \
    static int name##_row_(const wm_call *batch, size_t row)

// WM_ANY_MAP(name, doc) { … return WM_OK; } sees batches of any columns and returns them as they are.
#define WM_ANY_MAP(name, doc)                                                                                             \
    static int name##_all_(const wm_call *batch);                                                                         \
    static int name##_run_(wm_call *call) {                                                                               \
        wm_take_(call, call->length)->rows = call->length;                                                                \
        return name##_all_(call) ? WM_FAILED : WM_OK;                                                                     \
    }                                                                                                                     \
    static const wm_function name = {#name, doc, "map", true, NULL, NULL, NULL, name##_run_, NULL};                       \
    static int name##_all_(const wm_call *batch)

// ---- The ABI ---------------------------------------------------------------------------------------------------------

static wm_call *wm_calls_; // one per function

static int wm_index_(const wm_call *c, const char *name) { // which input column a "pass" column is
    for (size_t i = 0; i < c->n_columns; i++)
        if (wm_is(wm_text(c->columns[i].name), name)) return (int)i;
    return -1;
}
static void wm_finish_(wm_result_ *r) { // points the Arrow structures at what has been built
    wm_call *c = r->call;
    bool whole = r->first == 0 && r->rows == c->length;
    for (size_t i = 0; i < c->n_out; i++) {
        wm_out *o = &r->out[i];
        r->children[i] = &o->array;
        if (o->width == W_PASS_) {
            o->array = *c->columns[c->fn->any ? (int)i : wm_index_(c, c->fn->out[i].name)].array;
            o->array.offset += (int64_t)r->first;
            if (!whole && o->array.null_count) o->array.null_count = -1;
        } else {
            o->buffers[0] = o->nulls ? o->validity : NULL, o->buffers[1] = o->values, o->buffers[2] = o->data;
            o->array = (wm_array_){.null_count = (int64_t)o->nulls, .n_buffers = o->width <= W_TEXT_ ? 3 : 2, .buffers = o->buffers};
        }
        o->array.length = (int64_t)r->rows, o->array.release = 1;
    }
    static const void *none[1];
    r->array = (wm_array_){.length = (int64_t)r->rows, .n_buffers = 1, .n_children = (int64_t)c->n_out,
                           .buffers = none, .children = r->children, .release = 1};
}

typedef struct { wm_result_ *array; int32_t *origins; int32_t row; uint32_t sides[2], partial, side, reserved; } wm_step_;
static int wm_step_error_(wm_step_ *out, int32_t row) {
    if (!wm_error_.size) wm_puts_(&wm_error_, "the function failed without saying why");
    return out->row = row, WM_ERROR_;
}
static void wm_follow_(wm_call *c, wm_result_ *r) { // r waits for the host behind what does
    if (c->head) c->tail->next = r; else c->head = r;
    c->tail = r, r->next = NULL;
}
static void wm_gather_(wm_call *c) { // what side outputs have waits behind the results
    for (size_t i = 0; c->fn->process && c->fn->process->sides[i]; i++) {
        wm_call *side = c->fn->process->sides[i];
        if (side->now) wm_queue_(side);
        for (wm_result_ *r = side->head, *next; r; r = next)
            if (next = r->next, r->side = i + 1, r->rows) wm_follow_(c, r); else wm_idle_(r);
        side->head = NULL;
    }
}
static void wm_drop_all_(wm_call *c) {
    wm_drop_(c);
    for (size_t i = 0; c->fn->process && c->fn->process->sides[i]; i++) wm_drop_(c->fn->process->sides[i]);
}
static int wm_run_(wm_call *c, wm_step_ *out) {
    wm_error_.size = 0;
    if (!c->head) {
        if (c->done) return wm_fail("wasmill_next was called after the last step"), wm_step_error_(out, -1);
        wm_scratch_reset_(), wm_config_ = c->config;
        int status = c->fn->run(c);
        if (status == WM_FAILED) return c->done = true, wm_drop_all_(c), wm_step_error_(out, (int32_t)c->row);
        c->done = status == WM_OK;
        wm_result_ *now = c->now;
        if (now->rows) wm_queue_(c);
        wm_gather_(c), c->now = NULL;
        if (!now->rows && c->head) wm_idle_(now);
        else if (!now->rows) wm_follow_(c, now);
    }
    wm_result_ *r = c->head;
    c->head = r->next, wm_finish_(r), out->array = r, out->side = (uint32_t)r->side;
    if (c->fn->process) out->origins = r->origins;
    if (c->fn->kind[1] == 'l' || c->fn->kind[0] == 'k') { // flat_map, keyed_map
        out->origins = r->origins;
        out->partial = c->head && c->head->origins[0] == r->origins[r->rows - 1];
    }
    return c->head || !c->done ? WM_MORE_ : WM_OK;
}

WM_EXPORT_("wasmill_abi_v1") int wasmill_abi_v1(void) { return 1; }
WM_EXPORT_("wasmill_alloc") void *wasmill_alloc(size_t size, size_t align) {
    if (align <= 64) return wm_alloc(size);
    if (align > 1u << 20 || size > 1u << 30) return NULL;
    char *p = wm_alloc(size + align), *at = p ? p + (align - (uintptr_t)p % align) : NULL; // at least 64 bytes in front
    return p ? ((char **)(void *)at)[-1] = p, at : NULL;
}
WM_EXPORT_("wasmill_free") void wasmill_free(void *p, size_t size, size_t align) {
    if (align <= 64) wm_free(p, size);
    else if (p) wm_free(((char **)p)[-1], size + align);
}
WM_EXPORT_("wasmill_error") uint64_t wasmill_error(void) { return (uint64_t)(uintptr_t)wm_error_.data << 32 | wm_error_.size; }
WM_EXPORT_("wasmill_release") void wasmill_release(void *array) { if (array) wm_idle_(array); }

static void wm_json_(wm_text_ *t, const char *s) {
    wm_puts_(t, "\"");
    for (; *s; s++) {
        if ((uint8_t)*s < 32) wm_puts_(t, "\\u"), wm_number_(t, (uint8_t)*s, 16, 4);
        else if (*s == '"' || *s == '\\') wm_puts_(t, "\\"), wm_add_(t, s, 1);
        else wm_add_(t, s, 1);
    }
    wm_puts_(t, "\"");
}
static void wm_json_columns_(wm_text_ *t, const char *what, const wm_decl_ *d, const wm_decl_ *in) {
    if (!d) return;
    wm_puts_(t, ", \""), wm_puts_(t, what), wm_puts_(t, "\": [");
    for (const wm_decl_ *first = d; d->name; d++) {
        const wm_decl_ *from = d->width == W_PASS_ ? in : NULL; // a column passed through has its input's type
        while (from && from->name && !wm_is(wm_text(from->name), d->name)) from++;
        wm_puts_(t, d == first ? "{\"name\": " : ", {\"name\": "), wm_json_(t, d->name);
        wm_puts_(t, ", \"type\": "), wm_json_(t, from ? from->name ? from->type : "pass: no such input column" : d->type);
        wm_puts_(t, "}");
    }
    wm_puts_(t, "]");
}
static void wm_json_process_(wm_text_ *t, const wm_process_ *p) {
    wm_puts_(t, ", \"state\": [");
    for (const wm_state_decl_ *d = p->states; d->name; d++) {
        wm_puts_(t, d == p->states ? "{\"name\": " : ", {\"name\": "), wm_json_(t, d->name);
        wm_puts_(t, ", \"kind\": "), wm_json_(t, d->kind), wm_puts_(t, ", \"type\": \"");
        if (d->type) wm_puts_(t, d->type), wm_puts_(t, ", ");
        wm_puts_(t, d->value_type), wm_puts_(t, "\"");
        if (*d->ttl) wm_puts_(t, ", \"ttl\": "), wm_json_(t, d->ttl);
        wm_puts_(t, "}");
    }
    wm_puts_(t, "], \"sides\": [");
    for (wm_call *const *side = p->sides; *side; side++) {
        wm_puts_(t, side == p->sides ? "{\"tag\": " : ", {\"tag\": "), wm_json_(t, (*side)->fn->name);
        wm_json_columns_(t, "out", (*side)->fn->out, NULL), wm_puts_(t, "}");
    }
    wm_puts_(t, "]");
}
WM_EXPORT_("wasmill_describe") uint64_t wasmill_describe(void) {
    static wm_text_ t;
    bool timed = false;
    for (size_t i = 0; i < wm_module_.n; i++) timed |= wm_module_.functions[i]->process != NULL;
    t.size = 0, wm_puts_(&t, timed ? "{\"abi\": 1, \"minor\": 1, \"name\": " : "{\"abi\": 1, \"name\": "), wm_json_(&t, wm_module_.name), wm_puts_(&t, ", \"functions\": [");
    for (size_t i = 0; i < wm_module_.n; i++) {
        const wm_function *f = wm_module_.functions[i];
        wm_puts_(&t, i ? ",\n{\"name\": " : "\n{\"name\": "), wm_json_(&t, f->name), wm_puts_(&t, ", \"kind\": "), wm_json_(&t, f->kind);
        wm_puts_(&t, ", \"doc\": "), wm_json_(&t, f->doc), wm_json_columns_(&t, "in", f->in, NULL);
        wm_json_columns_(&t, "out", f->out, f->in), wm_json_columns_(&t, "state", f->state, NULL);
        if (f->process) wm_json_process_(&t, f->process);
        wm_puts_(&t, "}");
    }
    wm_puts_(&t, "\n]}");
    return (uint64_t)(uintptr_t)t.data << 32 | t.size;
}
WM_EXPORT_("wasmill_open") int wasmill_open(size_t fn, const wm_schema_ *schema, const char *config, size_t config_size) {
    wm_error_.size = 0;
    if (fn >= wm_module_.n) return wm_fail("there is no function %zu", fn), WM_ERROR_;
    if (!wm_calls_) wm_calls_ = memset(wm_must_(wm_module_.n * sizeof *wm_calls_), 0, wm_module_.n * sizeof *wm_calls_);
    wm_call *c = &wm_calls_[fn];
    const wm_function *f = wm_module_.functions[fn];
    size_t n = 0, have = (size_t)schema->n_children;
    for (; f->in && f->in[n].name; n++) {}
    if (!f->any && n != have) return wm_fail("expected %zu columns, got %zu", n, have), WM_ERROR_;
    if (c->fn) { // opened again: start anew
        wm_drop_all_(c);
        for (wm_result_ *r = c->idle, *next; r; r = next) next = r->next, wm_discard_(r);
        for (size_t i = 0; i < c->n_columns; i++) wm_forget_(&c->columns[i]);
        wm_free(c->columns, (c->n_columns + 1) * sizeof *c->columns), wm_free((void *)c->config.data, c->config.size);
    }
    *c = (wm_call){.fn = f, .n_columns = have, .done = true};
    c->columns = wm_must_((have + 1) * sizeof *c->columns);
    for (size_t i = 0; i < have; i++) wm_learn_(&c->columns[i], schema->children[i]);
    c->config = (wm_str){memcpy(wm_must_(config_size), config, config_size), config_size};
    c->n_out = *f->kind == 'f' && f->kind[1] == 'i' ? 1 : f->any ? have : 0;
    for (; f->out && f->out[c->n_out].name; c->n_out++)
        if (f->out[c->n_out].width == W_PASS_ && wm_index_(c, f->out[c->n_out].name) < 0)
            return wm_fail("there is no input column %s to pass through", f->out[c->n_out].name), WM_ERROR_;
    return WM_OK;
}
static void wm_timed_(wm_call *c, const wm_array_ *times, const wm_array_ *slots) {
    c->times = (wm_column){.format = "l", .width = 8}, wm_view_(&c->times, times);
    c->slots = slots->n_buffers > 1 ? (const int32_t *)slots->buffers[1] + slots->offset : NULL;
}
WM_EXPORT_("wasmill_timers") int wasmill_timers(size_t fn, const wm_array_ *in, wm_step_ *out) {
    wm_call *c = wm_calls_ && fn < wm_module_.n ? &wm_calls_[fn] : NULL;
    wm_error_.size = 0;
    if (!c || !c->fn || !c->fn->process) return wm_fail("function %zu is no process function that is open", fn), wm_step_error_(out, -1);
    wm_drop_all_(c), c->done = false, c->row = c->n_slots = 0, c->length = (size_t)in->length;
    wm_timed_(c, in->children[0], in->children[2]);
    c->domains = (const int8_t *)in->children[1]->buffers[1] + in->children[1]->offset;
    return wm_run_(c, out);
}
WM_EXPORT_("wasmill_call") int wasmill_call(size_t fn, const wm_array_ *in, wm_step_ *out) {
    wm_call *c = wm_calls_ && fn < wm_module_.n ? &wm_calls_[fn] : NULL;
    wm_error_.size = 0;
    if (!c || !c->fn) return wm_fail("function %zu is not open", fn), wm_step_error_(out, -1);
    wm_drop_all_(c), c->done = false, c->domains = NULL, c->row = c->n_slots = 0, c->length = (size_t)in->length;
    for (size_t i = 0; i < c->n_columns; i++) wm_view_(&c->columns[i], in->children[i]);
    if (c->fn->process) wm_timed_(c, in->children[c->n_columns], in->children[c->n_columns + 1]);
    if (c->fn->state) {
        const wm_array_ *s = in->children[c->n_columns];
        c->slots = s->n_buffers > 1 ? (const int32_t *)s->buffers[1] + s->offset : NULL;
        for (size_t i = 0; i < c->length; i++)
            if ((size_t)c->slots[i] >= c->n_slots) c->n_slots = (size_t)c->slots[i] + 1;
    }
    return wm_run_(c, out);
}
WM_EXPORT_("wasmill_next") int wasmill_next(size_t fn, wm_step_ *out) {
    if (wm_calls_ && fn < wm_module_.n && wm_calls_[fn].fn) return wm_run_(&wm_calls_[fn], out);
    return wm_fail("function %zu is not open", fn), wm_step_error_(out, -1);
}

#endif
