// Functions over departures from New York: which flights flew, who flew them and how fast, and how late each airline runs.
#include "wasmill.h"

#define DEPARTURE(COLUMN) COLUMN(float64, dep_delay) COLUMN(float64, air_time)

WM_FILTER(flew, "keeps flights that took off and arrived", DEPARTURE) {
    return !in->is_null.dep_delay && !in->is_null.air_time && in->air_time > 0;
}

#define FLIGHT(COLUMN) COLUMN(utf8, carrier) COLUMN(float64, dep_delay) COLUMN(float64, air_time) COLUMN(float64, distance)
#define ENRICHED(COLUMN) COLUMN(pass, carrier) COLUMN(utf8, airline) COLUMN(pass, dep_delay) COLUMN(float64, mph)

static const struct { const char *code, *name; } airlines[] = {
    {"9E", "Endeavor Air"}, {"AA", "American Airlines"}, {"AS", "Alaska Airlines"}, {"B6", "JetBlue"},
    {"DL", "Delta"}, {"EV", "ExpressJet"}, {"F9", "Frontier"}, {"FL", "AirTran"}, {"HA", "Hawaiian"}, {"MQ", "Envoy Air"},
    {"OO", "SkyWest"}, {"UA", "United"}, {"US", "US Airways"}, {"VX", "Virgin America"}, {"WN", "Southwest"}, {"YV", "Mesa"},
};

WM_MAP(enrich, "adds the airline's name and the speed in miles per hour", FLIGHT, ENRICHED) {
    out->airline = in->carrier;
    for (size_t i = 0; i < sizeof airlines / sizeof *airlines; i++)
        if (wm_is(in->carrier, airlines[i].code)) out->airline = wm_text(airlines[i].name);
    out->mph = in->distance / (in->air_time / 60);
    return WM_OK;
}

#define TIMED(COLUMN) COLUMN(utf8, carrier) COLUMN(utf8, airline) COLUMN(float64, dep_delay)
#define RUNNING(COLUMN) COLUMN(utf8, carrier) COLUMN(utf8, airline) COLUMN(int64, flights) COLUMN(float64, mean_delay) COLUMN(float64, worst_delay)
#define SO_FAR(COLUMN) COLUMN(int64, flights) COLUMN(float64, delay) COLUMN(float64, worst)

WM_KEYED_MAP(running, "flights, mean and worst delay of an airline so far", TIMED, RUNNING, SO_FAR) {
    state->worst = state->is_new || in->dep_delay > state->worst ? in->dep_delay : state->worst;
    state->flights++;
    state->delay += in->dep_delay;
    out->carrier = in->carrier;
    out->airline = in->airline;
    out->flights = state->flights;
    out->mean_delay = (double)(int64_t)(state->delay / (double)state->flights * 10) / 10;
    out->worst_delay = state->worst;
    emit(out);
    return WM_OK;
}

WM_MODULE("flights", &flew, &enrich, &running)
