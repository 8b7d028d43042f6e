"""Events as they come, as dicts: nothing is declared."""

AIRLINES = {"UA": "United", "AA": "American", "B6": "JetBlue", "DL": "Delta", "EV": "ExpressJet", "MQ": "Envoy"}


def filter(event):
    return event["dep_delay"] is not None


def map(event):
    late = event["dep_delay"]
    return {
        "airline": AIRLINES.get(event["carrier"], event["carrier"]),
        "route": f"{event['origin']}-{event['dest']}",
        "late": late > 15,
        "made_up": None if event["arr_delay"] is None else late - event["arr_delay"],
    }
