"""StreamExecutionEnvironment: what a script begins with."""

from wasmill.datastream.environment import (
    StreamExecutionEnvironment as StreamExecutionEnvironment,
)
