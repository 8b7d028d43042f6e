// Days since 1970-01-01 and dates of the Gregorian calendar, by Howard Hinnant's "chrono-compatible low-level date algorithms":
// years begin in March, so that the leap day is the last one, and 400 years have 146,097 days.
#ifndef WASMILL_CALENDAR_H
#define WASMILL_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

enum { WM_FIRST_DAY = -719162, WM_LAST_DAY = 2932896 }; // 0001-01-01 and 9999-12-31

// wm_day_to_civil returns false for days outside of the years 1 to 9999.
static inline bool wm_day_to_civil(int64_t day, int *year, int *month, int *mday) {
    if (day < WM_FIRST_DAY || day > WM_LAST_DAY) return false;
    int z = (int)day + 719468, era = z / 146097, doe = z - era * 146097; // from 0000-03-01 on nothing is negative
    int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    *mday = doy - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    *year = yoe + era * 400 + (*month <= 2);
    return true;
}

// wm_civil_to_day is for dates that exist, of the years 1 to 9999.
static inline int64_t wm_civil_to_day(int year, int month, int mday) {
    int y = year - (month <= 2), era = y / 400, yoe = y - era * 400;
    int doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + mday - 1, doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return (int64_t)era * 146097 + doe - 719468;
}

#endif
