"""Counts words: PyFlink's classic.

    wasmill run word_count.py
    wasmill run word_count.py -- --input other.txt --output counts

In batch mode each word is printed once, with its last count. In streaming mode (--streaming) every word prints a new count.
"""

import argparse
import os

from pyflink.common import Encoder, Types, WatermarkStrategy
from pyflink.datastream import RuntimeExecutionMode, StreamExecutionEnvironment
from pyflink.datastream.connectors.file_system import FileSink, FileSource, OutputFileConfig, RollingPolicy, StreamFormat

HERE = os.path.dirname(os.path.abspath(__file__))


def word_count(input_path, output_path, streaming):
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_runtime_mode(RuntimeExecutionMode.STREAMING if streaming else RuntimeExecutionMode.BATCH)
    env.set_parallelism(1)

    lines = env.from_source(
        source=FileSource.for_record_stream_format(StreamFormat.text_line_format(), input_path).process_static_file_set().build(),
        watermark_strategy=WatermarkStrategy.for_monotonous_timestamps(),
        source_name="lines",
    )

    def split(line):
        yield from line.split()

    counts = (
        lines.flat_map(split, output_type=Types.STRING())
        .map(lambda word: (word, 1), output_type=Types.TUPLE([Types.STRING(), Types.INT()]))
        .key_by(lambda pair: pair[0])
        .reduce(lambda a, b: (a[0], a[1] + b[1]))
    )

    if output_path:
        counts.sink_to(
            FileSink.for_row_format(output_path, Encoder.simple_string_encoder())
            .with_output_file_config(OutputFileConfig.builder().with_part_prefix("counts").with_part_suffix(".txt").build())
            .with_rolling_policy(RollingPolicy.default_rolling_policy())
            .build()
        )
    else:
        counts.print()
    env.execute("word count")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--input", default=os.path.join(HERE, "data", "words.txt"), help="a file or folder of text")
    parser.add_argument("--output", help="a folder to write to, in place of printing")
    parser.add_argument("--streaming", action="store_true", help="print a count with every word")
    args = parser.parse_args()
    word_count(args.input, args.output, args.streaming)
