"""Avro: container files as sources and sinks, and Rows as messages."""

from wasmill.datastream.formats.avro import (
    AvroBulkWriters as AvroBulkWriters,
    AvroInputFormat as AvroInputFormat,
    AvroRowDeserializationSchema as AvroRowDeserializationSchema,
    AvroRowSerializationSchema as AvroRowSerializationSchema,
    AvroSchema as AvroSchema,
    GenericRecordAvroTypeInfo as GenericRecordAvroTypeInfo,
)
