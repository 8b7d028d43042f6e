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

