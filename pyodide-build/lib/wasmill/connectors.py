"""NATS JetStream as source and sink, in the builder style of PyFlink's connectors.

    source = JetStreamSource.builder().set_stream("FLIGHTS").set_value_only_deserializer(SimpleStringSchema()).set_bounded().build()
    env.from_source(source, WatermarkStrategy.no_watermarks(), "flights")
"""

from .common.serialization import DeserializationSchema, SerializationSchema, SimpleStringSchema
from .datastream.connectors import FileSink, FileSource, NumberSequenceSource
from .datastream.graph import OutputSpec
from .datastream.sinks import Sink, Source

__all__ = ["FileSink", "FileSource", "JetStreamSink", "JetStreamSource", "NumberSequenceSource"]


class JetStreamSource(Source):
    """The messages of a stream. Their timestamps are those of the server.

    >>> source = JetStreamSource.builder().set_stream("FLIGHTS").set_subjects("flights.*").set_bounded().build()
    >>> flights = env.from_source(source, WatermarkStrategy.no_watermarks(), "flights")
    """

    def __init__(self, config, schema):
        self._config, self._schema = config, schema
        self.bounded = "until" in config
        self.type_info = schema.output_type

    def plan(self):
        """Says what the host reads or writes."""
        return {"kind": "jetstream", "config": self._config}

    def decode(self, payload, name, target, key):
        """Returns the elements of what the host read."""
        value = self._schema.deserialize(payload)
        return () if value is None else (value,)

    @staticmethod
    def builder():
        """Begins one."""
        return JetStreamSource.Builder()

    class Builder:
        """Builds a JetStreamSource: set_stream is needed, the rest has defaults."""

        def __init__(self):
            self._config, self._schema = {}, SimpleStringSchema()

        def set_stream(self, stream):
            """Reads this stream."""
            self._config["stream"] = stream
            return self

        def set_subjects(self, *subjects):
            """Reads these subjects alone; each is a unit of parallelism with a watermark of its own."""
            self._config["subjects"] = list(subjects)
            return self

        def set_starting(self, start):
            """Begins at "start", "new", {"sequence": 5} or {"time": "2026-01-31T00:00:00Z"}."""
            self._config["from"] = start
            return self

        def set_bounded(self):
            """Ends at the message that is the last one when the job starts."""
            self._config["until"] = "end"
            return self

        def set_durable(self, durable):
            """Names the durable consumer."""
            self._config["durable"] = durable
            return self

        def set_value_only_deserializer(self, deserialization_schema):
            """Makes elements of the messages' data: a schema, or a function of the bytes."""
            if isinstance(deserialization_schema, DeserializationSchema):
                self._schema = deserialization_schema
            elif callable(deserialization_schema):
                self._schema = _Function(deserialization_schema)
            else:
                raise TypeError("expected a DeserializationSchema or a function of bytes, got %r" % (deserialization_schema,))
            return self

        def build(self):
            """Returns the source."""
            if "stream" not in self._config:
                raise ValueError("which stream is read? set_stream(NAME)")
            return JetStreamSource(self._config, self._schema)


class _Function(DeserializationSchema):
    def __init__(self, function):
        self.deserialize = function


class JetStreamSink(Sink):
    """Publishes each element as a message.

    >>> sink = JetStreamSink.builder().set_subject("late").set_value_serialization_schema(SimpleStringSchema()).build()
    >>> written = env.from_collection(["a"], Types.STRING()).sink_to(sink)
    """

    def __init__(self, config, name_of, schema):
        self._config, self._name_of, self._schema = config, name_of, schema

    def output(self, node):
        """Says what a task hands over."""
        return OutputSpec("records", serialize=self._schema.serialize, name_of=self._name_of)

    def plan(self):
        """Says what the host reads or writes."""
        return {"kind": "jetstream", "config": self._config}

    @staticmethod
    def builder():
        """Begins one."""
        return JetStreamSink.Builder()

    class Builder:
        """Builds a JetStreamSink: set_subject is needed, the rest has defaults."""

        def __init__(self):
            self._config, self._name_of, self._schema = {}, None, SimpleStringSchema()

        def set_stream(self, stream, create=False):
            """Checks that the subjects belong to this stream; with create it is made when it is not there."""
            self._config["stream"] = stream
            if create:
                self._config["create"] = True
            return self

        def set_subject(self, subject, under=None):
            """Publishes to a subject, or to what a function says of an element: below the subject `under`, if that is given, which a
            stream that is created has for its own."""
            if callable(subject):
                self._config["subject"] = "%s.{name>}" % _braces(under) if under else "{name>}"
                self._name_of = subject
            else:
                self._config["subject"] = _braces(subject)
                self._name_of = lambda value: None
            return self

        def set_value_serialization_schema(self, serialization_schema):
            """Makes the messages' data."""
            if not isinstance(serialization_schema, SerializationSchema):
                raise TypeError("expected a SerializationSchema, got %r" % (serialization_schema,))
            self._schema = serialization_schema
            return self

        def set_delivery_guarantee(self, delivery_guarantee):
            """Delivery is at least once."""
            return self

        def build(self):
            """Returns the sink."""
            if self._name_of is None:
                raise ValueError("where are messages published? set_subject(SUBJECT)")
            if self._config.get("create") and self._config["subject"] == "{name>}":
                raise ValueError("which subjects has the stream that is created? set_subject(function, under=SUBJECT)")
            return JetStreamSink(self._config, self._name_of, self._schema)


def _braces(subject):
    """Returns a subject as the template that gives it."""
    return subject.replace("{", "{{").replace("}", "}}")
