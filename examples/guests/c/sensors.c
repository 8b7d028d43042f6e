// Functions over numbers: a map that passes a column through, vectorised functions, and state per key. examples/guests/go/sensors
// has the same in Go.
#include "wasmill.h"

#define READING(COLUMN) COLUMN(utf8, sensor) COLUMN(timestamp, at) COLUMN(float64, celsius)

// rate passes sensor and at on as they are: their memory is handed back, not copied.
#define RATED(COLUMN) COLUMN(pass, sensor) COLUMN(pass, at) COLUMN(float64, kelvin) COLUMN(bool, hot)
WM_MAP(rate, "kelvin, and whether that is hot", READING, RATED) {
    if (in->celsius < -273.15) return wm_fail("%.2f °C is below absolute zero", in->celsius);
    out->kelvin = in->celsius + 273.15, out->is_null.kelvin = in->is_null.celsius;
    out->hot = in->celsius >= 30, out->is_null.hot = in->is_null.celsius;
    return WM_OK;
}

// fahrenheit works on whole columns.
#define CELSIUS(COLUMN) COLUMN(float64, celsius)
#define FAHRENHEIT(COLUMN) COLUMN(float64, fahrenheit)
WM_SCALAR_V(fahrenheit, "degrees Fahrenheit", CELSIUS, FAHRENHEIT) {
    for (size_t i = 0; i < n; i++) {
        out->fahrenheit[i] = in->celsius[i] * 9 / 5 + 32;
        if (wm_is_null(in->column.celsius, i)) wm_set_null(out->column.fahrenheit, i);
    }
    return WM_OK;
}

// smooth keeps a moving average per sensor: the pipeline's key_by says that the key is the sensor.
#define SMOOTH(COLUMN) COLUMN(utf8, sensor) COLUMN(float64, mean)
#define STATE(COLUMN) COLUMN(float64, mean) COLUMN(int64, n)
WM_KEYED_MAP(smooth, "a moving average per sensor", READING, SMOOTH, STATE) {
    if (in->is_null.celsius) return WM_OK;
    state->mean = state->is_new ? in->celsius : 0.75 * state->mean + 0.25 * in->celsius;
    state->n++;
    out->sensor = in->sensor, out->is_null.sensor = in->is_null.sensor;
    out->mean = state->mean;
    emit(out);
    return WM_OK;
}

// median works on what a window has collected: `window: {tumbling: 5m, rows: [celsius], map: median}`.
#define WINDOW(COLUMN) COLUMN(utf8, sensor) COLUMN(list, celsius, "list<float64>")
#define MEDIAN(COLUMN) COLUMN(pass, sensor) COLUMN(float64, median)
WM_MAP(median, "the median of a window's readings", WINDOW, MEDIAN) {
    size_t n = 0;
    double *sorted = wm_scratch(in->celsius.size * sizeof *sorted);
    for (size_t i = 0; i < in->celsius.size; i++) {
        size_t row = in->celsius.start + i, at = n;
        if (wm_is_null(in->celsius.items, row)) continue;
        double v = wm_float64(in->celsius.items, row);
        for (n++; at > 0 && sorted[at - 1] > v; at--) sorted[at] = sorted[at - 1];
        sorted[at] = v;
    }
    out->is_null.median = n == 0;
    if (n) out->median = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
    return WM_OK;
}

WM_MODULE("sensors", &rate, &fahrenheit, &smooth, &median)
