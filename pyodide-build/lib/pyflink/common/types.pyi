"""Row: values by position and, where it has field names, by name."""

from wasmill.common.row import (
    Row as Row,
    RowKind as RowKind,
)
