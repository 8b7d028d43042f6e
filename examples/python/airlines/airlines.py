"""Reads a table that is in the bundle, and uses a package that came as a wheel."""

import csv
from pathlib import Path

from miles import to_km

# Once, before the first row: every task shares what is read here.
NAMES = {row["code"]: row["name"] for row in csv.DictReader(Path("airlines.csv").read_text().splitlines())}


def open():
    print(f"{len(NAMES)} airlines")  # once per task, into the job's log


def map(event):
    return {
        "airline": NAMES[event["carrier"]],
        "to": event["dest"],
        "km": round(to_km(event["distance"])),
        "kmh": round(event["kmh"]),
    }
