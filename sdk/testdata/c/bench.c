// What the benchmarks time: the same functions as in testdata/bench.
#include "wasmill.h"

#define FLIGHT(COLUMN) COLUMN(utf8, carrier) COLUMN(int64, distance) COLUMN(float64, delay)
#define LATE(COLUMN) COLUMN(pass, carrier) COLUMN(float64, speed, "float64!") COLUMN(bool, late)
WM_MAP(numbers, "", FLIGHT, LATE) {
    out->speed = (double)in->distance / 1.6;
    out->late = in->delay > 15, out->is_null.late = in->is_null.delay;
    return WM_OK;
}
#define NAMED(COLUMN) COLUMN(utf8, carrier) COLUMN(float64, delay)
WM_MAP(text, "", FLIGHT, NAMED) {
    out->carrier = in->carrier, out->is_null.carrier = in->is_null.carrier;
    out->delay = in->delay, out->is_null.delay = in->is_null.delay;
    return WM_OK;
}
WM_FILTER(late, "", FLIGHT) { return in->delay > 15; }
WM_FLAT_MAP(twice, "", FLIGHT, FLIGHT) {
    out->carrier = in->carrier, out->distance = in->distance, out->delay = in->delay;
    emit(out), emit(out);
    return WM_OK;
}
#define AB(COLUMN) COLUMN(int64, a) COLUMN(int64, b)
#define GCD(COLUMN) COLUMN(int64, gcd)
static int64_t divisor(int64_t a, int64_t b) {
    for (int64_t t; b; t = a % b, a = b, b = t) {}
    return a;
}
WM_SCALAR(gcd, "", AB, GCD) {
    out->gcd = divisor(in->a, in->b);
    return WM_OK;
}
WM_SCALAR_V(gcd_v, "", AB, GCD) {
    for (size_t i = 0; i < n; i++) out->gcd[i] = divisor(in->a[i], in->b[i]);
    return WM_OK;
}
WM_MODULE("bench", &numbers, &text, &late, &twice, &gcd, &gcd_v)
