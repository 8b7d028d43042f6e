"""OutputTag: the name of a side output."""

from wasmill.datastream.output_tag import (
    OutputTag as OutputTag,
)
