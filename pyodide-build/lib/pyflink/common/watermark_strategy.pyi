"""WatermarkStrategy: where timestamps come from and how late rows may come."""

from wasmill.common.watermark_strategy import (
    TimestampAssigner as TimestampAssigner,
    WatermarkGenerator as WatermarkGenerator,
    WatermarkOutput as WatermarkOutput,
    WatermarkStrategy as WatermarkStrategy,
)
