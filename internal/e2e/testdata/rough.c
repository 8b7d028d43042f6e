// Functions that make many rows of one and fail in every way.
#include "wasmill.h"

#define FLIGHT(COLUMN) COLUMN(utf8, carrier) COLUMN(float64, dep_delay) COLUMN(float64, air_time) COLUMN(float64, distance)
#define WEIGHED(COLUMN) FLIGHT(COLUMN) COLUMN(int64, copies)
#define COPY(COLUMN) FLIGHT(COLUMN) COLUMN(int64, copy)

WM_FLAT_MAP(spread, "as many copies of a flight as it says", WEIGHED, COPY) {
    out->carrier = in->carrier;
    out->dep_delay = in->dep_delay;
    out->air_time = in->air_time;
    out->distance = in->distance;
    for (out->copy = 0; out->copy < in->copies; out->copy++) emit(out);
    return WM_OK;
}

// A delay of 13 is refused, 666 traps at the last but two of a thousand copies or at the first.
#define CHECKED(COLUMN) COLUMN(pass, carrier) COLUMN(pass, dep_delay) COLUMN(pass, air_time) COLUMN(pass, distance)
WM_MAP(check, "refuses some flights and traps at others", COPY, CHECKED) {
    (void)out;
    if (in->dep_delay == 13) return wm_fail("an unlucky flight of %.*s", WM_STR(in->carrier));
    if (in->dep_delay == 666 && (in->copy == 0 || in->copy % 1000 == 998)) __builtin_trap();
    return WM_OK;
}

WM_MODULE("rough", &spread, &check)
