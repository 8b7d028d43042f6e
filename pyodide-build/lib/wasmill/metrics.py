"""Metrics: what PyFlink calls pyflink.metrics."""

from .datastream.runtime.context import Counter, Distribution, Meter, MetricGroup

__all__ = ["Counter", "Distribution", "Meter", "MetricGroup"]
