"""Metrics: what PyFlink calls pyflink.metrics."""

from .datastream.runtime.context import Counter, Distribution, Meter, Metric, MetricGroup

__all__ = ["Counter", "Distribution", "Meter", "Metric", "MetricGroup"]
