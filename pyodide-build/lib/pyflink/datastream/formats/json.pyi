"""Rows as JSON objects."""

from wasmill.datastream.formats.json import (
    JsonRowDeserializationSchema as JsonRowDeserializationSchema,
    JsonRowSerializationSchema as JsonRowSerializationSchema,
)
