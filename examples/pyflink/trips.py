"""What drivers earned at each stop, from a file of Avro; with --output FOLDER the trips also go to files of Parquet, one row a trip.

The schema names the fields that are wanted: the file has more of them. Records are dicts, with lists and dicts in them.
"""

import argparse
import os

from pyflink.common import Types
from pyflink.datastream import RuntimeExecutionMode, StreamExecutionEnvironment
from pyflink.datastream.connectors.file_system import BucketAssigner, FileSink, OutputFileConfig
from pyflink.datastream.formats.avro import AvroInputFormat, AvroSchema
from pyflink.datastream.formats.parquet import ParquetBulkWriters
from pyflink.table.types import DataTypes

HERE = os.path.dirname(os.path.abspath(__file__))

SCHEMA = AvroSchema.parse_string("""
{"type": "record", "name": "Trip", "namespace": "rides", "fields": [
    {"name": "id", "type": "long"},
    {"name": "driver", "type": "string"},
    {"name": "fare", "type": "double"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "stops", "type": {"type": "array", "items": {"type": "record", "name": "Stop", "fields": [
        {"name": "place", "type": "string"},
        {"name": "minutes", "type": "int"}]}}}]}
""")

ROW = DataTypes.ROW([
    DataTypes.FIELD("id", DataTypes.BIGINT()), DataTypes.FIELD("driver", DataTypes.STRING()), DataTypes.FIELD("fare", DataTypes.DOUBLE()),
    DataTypes.FIELD("at", DataTypes.TIMESTAMP(3)), DataTypes.FIELD("stops", DataTypes.INT()),
])


def shares(trip):
    """Shares a trip's fare out to its stops, by their minutes."""
    minutes = sum(stop["minutes"] for stop in trip["stops"])
    for stop in trip["stops"]:
        yield trip["driver"], stop["place"], trip["fare"] * stop["minutes"] / minutes


def trips(output):
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    env.set_runtime_mode(RuntimeExecutionMode.BATCH)  # one result a key, at the end
    rides = env.create_input(AvroInputFormat(os.path.join(HERE, "data", "trips.avro"), SCHEMA))
    (rides.flat_map(shares, Types.TUPLE([Types.STRING(), Types.STRING(), Types.DOUBLE()]))
        .key_by(lambda share: (share[0], share[1]))
        .reduce(lambda a, b: (a[0], a[1], a[2] + b[2]))
        .map(lambda share: "%s earned %.2f at the %s" % (share[0], share[2], share[1]), Types.STRING())
        .print())
    if output:
        sink = (FileSink.for_bulk_format(output, ParquetBulkWriters.for_row_type(ROW))
                .with_output_file_config(OutputFileConfig.builder().with_part_prefix("trips").with_part_suffix(".parquet").build())
                .with_bucket_assigner(BucketAssigner.base_path_bucket_assigner())
                .build())
        (rides.map(lambda trip: (trip["id"], trip["driver"], trip["fare"], trip["at"].replace(tzinfo=None), len(trip["stops"])), ROW.type_info())
            .sink_to(sink))
    env.execute("trips")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", help="a folder for files of Parquet")
    trips(parser.parse_args().output)
