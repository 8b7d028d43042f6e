"""DataTypes: the types of pyflink.table, as formats and schemas take them. The rest of the Table API is not here."""

from wasmill.table import (
    DataType as DataType,
    DataTypes as DataTypes,
    RowField as RowField,
    RowType as RowType,
)
