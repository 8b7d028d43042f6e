def map(event):
    minutes = event["air_time"]
    event["mph"] = round(event["distance"] * 60 / minutes) if minutes else None
    return event
