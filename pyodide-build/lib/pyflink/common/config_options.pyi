"""Configuration: settings by name, and ConfigOptions, which describe one with its type and default."""

from wasmill.common.configuration import (
    ConfigOption as ConfigOption,
    ConfigOptions as ConfigOptions,
    Configuration as Configuration,
)
