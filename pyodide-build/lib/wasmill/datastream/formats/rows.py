"""What PyFlink also finds in pyflink.common: schemas of rows, and what writes files in a format of columns."""

from ..connectors.file_system import BulkWriterFactory, RowDataBulkWriterFactory
from .csv import CsvRowDeserializationSchema, CsvRowSerializationSchema
from .json import JsonRowDeserializationSchema, JsonRowSerializationSchema

__all__ = ["BulkWriterFactory", "CsvRowDeserializationSchema", "CsvRowSerializationSchema", "JsonRowDeserializationSchema", "JsonRowSerializationSchema",
           "RowDataBulkWriterFactory"]
