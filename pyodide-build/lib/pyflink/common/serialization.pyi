"""The schemas that PyFlink also finds in pyflink.common."""

from wasmill.common.serialization import (
    DeserializationSchema as DeserializationSchema,
    Encoder as Encoder,
    SerializationSchema as SerializationSchema,
    SimpleStringSchema as SimpleStringSchema,
)
from wasmill.datastream.formats.rows import (
    CsvRowDeserializationSchema as CsvRowDeserializationSchema,
    CsvRowSerializationSchema as CsvRowSerializationSchema,
    JsonRowDeserializationSchema as JsonRowDeserializationSchema,
    JsonRowSerializationSchema as JsonRowSerializationSchema,
)
