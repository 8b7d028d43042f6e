"""Tells of the flights that left more than eight hours late."""


def very_late(event):
    return (event["dep_delay"] or 0) > 8 * 60


def tell(event):
    hours, minutes = divmod(int(event["dep_delay"]), 60)
    return {"flight": f"{event['carrier']} {event['flight']}", "to": event["dest"], "left": f"{hours} h {minutes} min late"}
