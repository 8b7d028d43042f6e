"""What all connectors share."""

from enum import Enum

from ..sinks import Sink, Source

__all__ = ["DeliveryGuarantee", "Sink", "Source", "StreamTransformer", "SupportsPreprocessing"]


class DeliveryGuarantee(Enum):
    """What a sink promises of each element."""

    EXACTLY_ONCE = 0
    AT_LEAST_ONCE = 1
    NONE = 2


class StreamTransformer:
    """Changes a stream before it is written."""

    def apply(self, ds):
        """Returns the stream to write."""
        raise NotImplementedError


class SupportsPreprocessing:
    """A sink whose stream is changed before it is written."""

    def get_transformer(self):
        """Returns the StreamTransformer, or None."""
        raise NotImplementedError
