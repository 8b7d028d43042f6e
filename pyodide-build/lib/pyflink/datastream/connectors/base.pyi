"""What all connectors share."""

from wasmill.datastream.connectors.base import (
    DeliveryGuarantee as DeliveryGuarantee,
    Sink as Sink,
    Source as Source,
    StreamTransformer as StreamTransformer,
    SupportsPreprocessing as SupportsPreprocessing,
)
