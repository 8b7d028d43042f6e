// The functions that the benchmarks run.
#include "wasmill.h"

#define PAIR(COLUMN) COLUMN(int64, a, "int64!") COLUMN(int64, b, "int64!")
#define GCD(COLUMN) COLUMN(int64, gcd, "int64!")
WM_SCALAR_V(gcd, "the greatest common divisor of two numbers", PAIR, GCD) {
    for (size_t i = 0; i < n; i++) {
        int64_t a = in->a[i], b = in->b[i];
        for (int64_t t; b; t = a % b, a = b, b = t) {}
        out->gcd[i] = a;
    }
    return WM_OK;
}

#define SAME(COLUMN) COLUMN(pass, a) COLUMN(pass, b)
WM_MAP_V(echo, "hands its columns back", PAIR, SAME) {
    (void)in, (void)out, (void)n;
    return WM_OK;
}

#define EVENT(COLUMN) COLUMN(int64, id) COLUMN(int64, at) COLUMN(utf8, carrier) COLUMN(utf8, origin) COLUMN(utf8, destination) \
    COLUMN(float64, delay) COLUMN(int64, distance)
#define SCORED(COLUMN) COLUMN(pass, id) COLUMN(pass, at) COLUMN(pass, carrier) COLUMN(pass, origin) COLUMN(pass, destination) \
    COLUMN(pass, delay) COLUMN(float64, score)
WM_MAP(score, "how much a delay matters on a flight of this length", EVENT, SCORED) {
    out->score = in->delay * 1000 / ((double)in->distance + 100);
    return WM_OK;
}

#define MEASURED(COLUMN) COLUMN(int64, key) COLUMN(float64, value)
#define MEAN(COLUMN) COLUMN(int64, key) COLUMN(int64, count) COLUMN(float64, mean)
#define SO_FAR(COLUMN) COLUMN(int64, count) COLUMN(float64, sum)
WM_KEYED_MAP(mean, "the mean of a key's values so far", MEASURED, MEAN, SO_FAR) {
    state->count++;
    state->sum += in->value;
    out->key = in->key;
    out->count = state->count;
    out->mean = state->sum / (double)state->count;
    emit(out);
    return WM_OK;
}

WM_MODULE("bench", &gcd, &echo, &score, &mean)
