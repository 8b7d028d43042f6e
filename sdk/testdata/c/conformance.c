// The functions that the conformance kit asks for, in C on the SDK.
#include "wasmill.h"

#define N(COLUMN) COLUMN(int64, n)
#define AB(COLUMN) COLUMN(int64, a) COLUMN(int64, b)
#define COPIES(COLUMN) COLUMN(int64, n, "int64!") COLUMN(int64, i, "int64!")

WM_ANY_MAP(echo, "returns what comes") {
    (void)batch;
    return WM_OK;
}

WM_FILTER(echo_filter_odd, "keeps odd numbers", N) { return in->is_null.n ? WM_UNKNOWN : in->n & 1; }

#define COPY                                                                                                              \
    for (out->n = in->n, out->i = 0; out->i < in->n; out->i++) emit(out);                                                 \
    return WM_OK;
WM_FLAT_MAP(dup, "each row as often as it says", N, COPIES) { COPY }
WM_FLAT_MAP(many, "each row as often as it says, in steps", N, COPIES) { COPY }

#define SUM(COLUMN) COLUMN(int64, sum)
WM_SCALAR(add, "adds", AB, SUM) {
    out->sum = (int64_t)((uint64_t)in->a + (uint64_t)in->b);
    out->is_null.sum = in->is_null.a || in->is_null.b;
    return WM_OK;
}

#define GCD(COLUMN) COLUMN(int64, gcd)
WM_SCALAR_V(gcd, "greatest common divisor", AB, GCD) {
    for (size_t i = 0; i < n; i++) {
        int64_t a = in->a[i], b = in->b[i];
        if (wm_is_null(in->column.a, i) || wm_is_null(in->column.b, i)) {
            wm_set_null(out->column.gcd, i);
            continue;
        }
        for (int64_t t; b; t = a % b, a = b, b = t) {}
        out->gcd[i] = a;
    }
    return WM_OK;
}

#define S(COLUMN) COLUMN(utf8, s)
WM_SCALAR(upper, "to upper case", S, S) {
    char *up = wm_scratch(in->s.size);
    for (size_t i = 0; i < in->s.size; i++) {
        char c = in->s.data[i];
        up[i] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
    }
    out->s = (wm_str){up, in->s.size}, out->is_null.s = in->is_null.s;
    return WM_OK;
}

#define SAME(COLUMN) COLUMN(pass, n)
WM_MAP(fail_on_negative, "fails on negative numbers", N, SAME) {
    (void)out;
    if (in->n < 0) return wm_fail("the number is negative\nin fail_on_negative");
    return WM_OK;
}

#define CONFIG(COLUMN) COLUMN(utf8, config, "utf8!")
WM_SCALAR(config, "the configuration", N, CONFIG) {
    (void)in;
    out->config = wm_config();
    return WM_OK;
}

#define COUNTED(COLUMN) COLUMN(int64, n) COLUMN(int64, count, "int64!")
#define COUNT(COLUMN) COLUMN(int64, count)
WM_KEYED_MAP(count, "counts rows per key", N, COUNTED, COUNT) {
    out->n = in->n, out->is_null.n = in->is_null.n;
    out->count = ++state->count;
    emit(out);
    return WM_OK;
}

#include "process.h"

WM_MODULE("conformance", &echo, &echo_filter_odd, &dup, &many, &add, &gcd, &upper, &fail_on_negative, &config, &count, &operate)
