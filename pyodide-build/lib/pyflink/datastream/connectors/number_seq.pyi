"""A source of numbers."""

from wasmill.datastream.connectors.number_seq import (
    NumberSequenceSource as NumberSequenceSource,
)
