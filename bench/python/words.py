"""Counts words, a new count with each: words.py INPUT OUTPUT."""

import sys

from pyflink.common import Encoder, Types, WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.file_system import FileSink, FileSource, StreamFormat

source = FileSource.for_record_stream_format(StreamFormat.text_line_format(), sys.argv[1]).process_static_file_set().build()
sink = FileSink.for_row_format(sys.argv[2], Encoder.simple_string_encoder()).build()


def split(line):
    yield from line.split()


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
(
    env.from_source(source, WatermarkStrategy.no_watermarks(), "lines")
    .flat_map(split, output_type=Types.STRING())
    .map(lambda word: (word, 1), output_type=Types.TUPLE([Types.STRING(), Types.INT()]))
    .key_by(lambda pair: pair[0])
    .reduce(lambda a, b: (a[0], a[1] + b[1]))
    .sink_to(sink)
)
env.execute("words")
