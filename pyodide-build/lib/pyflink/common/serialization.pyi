"""What PyFlink also finds in pyflink.common: schemas of rows, and what writes files in a format of columns."""

from wasmill.common.serialization import (
    DeserializationSchema as DeserializationSchema,
    Encoder as Encoder,
    SerializationSchema as SerializationSchema,
    SimpleStringSchema as SimpleStringSchema,
)
from wasmill.datastream.formats.rows import (
    BulkWriterFactory as BulkWriterFactory,
    CsvRowDeserializationSchema as CsvRowDeserializationSchema,
    CsvRowSerializationSchema as CsvRowSerializationSchema,
    JsonRowDeserializationSchema as JsonRowDeserializationSchema,
    JsonRowSerializationSchema as JsonRowSerializationSchema,
    RowDataBulkWriterFactory as RowDataBulkWriterFactory,
)
