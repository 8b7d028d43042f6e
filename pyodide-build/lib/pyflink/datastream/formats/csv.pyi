"""Rows as lines of comma-separated values: schemas of messages, and formats of files."""

from wasmill.datastream.formats.csv import (
    CsvBulkWriters as CsvBulkWriters,
    CsvReaderFormat as CsvReaderFormat,
    CsvRowDeserializationSchema as CsvRowDeserializationSchema,
    CsvRowSerializationSchema as CsvRowSerializationSchema,
    CsvSchema as CsvSchema,
    CsvSchemaBuilder as CsvSchemaBuilder,
)
