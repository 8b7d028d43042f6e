"""Metrics: what PyFlink calls pyflink.metrics."""

from wasmill.metrics import (
    Counter as Counter,
    Distribution as Distribution,
    Meter as Meter,
    Metric as Metric,
    MetricGroup as MetricGroup,
)
