"""A flight is seen at two airports: a generator gives an event for each."""


def flat_map(event):
    if event["air_time"] is None:
        return  # it never left
    yield {"airport": event["origin"], "what": "departure", "late": event["dep_delay"]}
    yield {"airport": event["dest"], "what": "arrival", "late": event["arr_delay"]}
