def map(event):
    event["quantity"] = event["quantity"] + 1
    return event
