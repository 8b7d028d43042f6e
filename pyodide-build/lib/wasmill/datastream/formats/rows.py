"""The schemas that PyFlink also finds in pyflink.common."""

from .csv import CsvRowDeserializationSchema, CsvRowSerializationSchema
from .json import JsonRowDeserializationSchema, JsonRowSerializationSchema

__all__ = ["CsvRowDeserializationSchema", "CsvRowSerializationSchema", "JsonRowDeserializationSchema", "JsonRowSerializationSchema"]
