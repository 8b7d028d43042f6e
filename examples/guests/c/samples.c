// Training samples by timer: what a user clicks within ten minutes of being shown it is a positive sample, with the time it took, and what
// they do not click a negative one. Clicks on what was not shown, or too long ago, go to the side output `unseen`. The pipeline's key_by says
// that the key is the user.
#include "wasmill.h"

#define EVENT(COLUMN) COLUMN(utf8, user, "utf8!") COLUMN(utf8, item, "utf8!") COLUMN(utf8, kind, "utf8!")
#define SAMPLE(COLUMN) COLUMN(utf8, user, "utf8!") COLUMN(utf8, item, "utf8!") COLUMN(bool, positive, "bool!") COLUMN(int64, after)
#define CLICK(COLUMN) COLUMN(utf8, user, "utf8!") COLUMN(utf8, item, "utf8!")
WM_SIDE(unseen, CLICK)

#define STATES(VALUE, LIST, MAP) VALUE(utf8, user) MAP(utf8, int64, shown)
#define SIDES(SIDE) SIDE(unseen)
static const int64_t patience = 10 * 60 * 1000;

WM_PROCESS(samples, "positive and negative samples", EVENT, SAMPLE, STATES, SIDES) {
    int64_t at, since;
    if (!wm_time(&at)) return wm_fail("the event has no time");
    if (wm_is(in->kind, "show")) {
        wm_set(state->user, in->user);
        wm_map_put(state->shown, in->item, at);
        wm_set_timer(WM_EVENT_TIME, at + patience);
    } else if (wm_map_get(state->shown, in->item, &since)) {
        wm_map_remove(state->shown, in->item);
        out->user = in->user, out->item = in->item, out->positive = true, out->after = at - since;
        emit(out);
    } else {
        unseen_emit(&(struct unseen_out){.user = in->user, .item = in->item});
    }
    return WM_OK;
}
WM_ON_TIMER(samples) {
    wm_cursor at = {0};
    wm_str item;
    int64_t since;
    wm_get(state->user, &out->user);
    while (wm_map_next(state->shown, &at, &item, &since)) {
        if (since + patience > timer.time) continue; // shown once more, and its timer is to come
        wm_map_remove(state->shown, item);
        out->item = item, out->is_null.after = true;
        emit(out);
    }
    return WM_OK;
}

WM_MODULE("samples", &samples)
