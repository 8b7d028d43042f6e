"""Parquet: files as sources and sinks, of records of Avro or of Rows. Columns of one value per row; lists, maps and records in records are neither read nor written."""

from wasmill.datastream.formats.parquet import (
    AvroParquetReaders as AvroParquetReaders,
    AvroParquetWriters as AvroParquetWriters,
    ParquetBulkWriters as ParquetBulkWriters,
    ParquetColumnarRowInputFormat as ParquetColumnarRowInputFormat,
)
