// Sums of a key by second, made by hand: a map of them and a timer at the end of each. Odd numbers go to a side output as well.
#include "wasmill.h"

#define NUMBER(COLUMN) COLUMN(int64, k, "int64!") COLUMN(int64, v, "int64!")
#define SUM(COLUMN) COLUMN(int64, k, "int64!") COLUMN(int64, end, "int64!") COLUMN(int64, sum, "int64!") COLUMN(int64, n, "int64!")
#define ODD(COLUMN) COLUMN(int64, k, "int64!") COLUMN(int64, at, "int64!") COLUMN(int64, v, "int64!")
#define STATES(VALUE, LIST, MAP) VALUE(int64, k) MAP(int64, int64, sums) LIST(int64, ends)
#define SIDES(SIDE) SIDE(odd)
WM_SIDE(odd, ODD)

WM_PROCESS(buckets, "sums by second", NUMBER, SUM, STATES, SIDES) {
    int64_t at, sum = 0;
    if (!wm_time(&at)) return wm_fail("the number has no time");
    int64_t end = at - at % 1000 + 1000;
    (void)out, (void)emit;
    wm_set(state->k, in->k);
    if (!wm_map_get(state->sums, end, &sum)) wm_set_timer(WM_EVENT_TIME, end - 1);
    wm_map_put(state->sums, end, sum + in->v);
    wm_add(state->ends, end);
    if (in->v % 2) odd_emit(&(struct odd_out){.k = in->k, .at = at, .v = in->v});
    return WM_OK;
}
WM_ON_TIMER(buckets) {
    int64_t *ends;
    size_t n = wm_values(state->ends, &ends);
    out->end = timer.time + 1;
    wm_get(state->k, &out->k);
    if (!wm_map_get(state->sums, out->end, &out->sum)) return wm_fail("there is no sum for %lld", out->end);
    wm_map_remove(state->sums, out->end);
    wm_clear(state->ends);
    for (size_t i = 0; i < n; i++)
        if (ends[i] == out->end) out->n++;
        else wm_add(state->ends, ends[i]);
    emit(out);
    return WM_OK;
}

WM_MODULE("buckets", &buckets)
