"""Configuration: settings by name, and ConfigOptions, which describe one with its type and default."""

from typing import Any, Dict, List, Optional, Set

__all__ = ["ConfigOption", "ConfigOptions", "Configuration"]


class ConfigOption:
    """A setting's name, type and default. Made by ConfigOptions; equal when all three are."""

    def __init__(self, key, kind=str, default=None):
        self.key, self.kind, self.default = key, kind, default

    def __eq__(self, other):
        return isinstance(other, ConfigOption) and (self.key, self.kind, self.default) == (other.key, other.kind, other.default)

    def __hash__(self):
        return hash(self.key)


class ConfigOptions:
    """Describes settings.

    >>> folder = ConfigOptions.key("tmp.dir").string_type().default_value("/tmp")
    >>> Configuration().get(folder)
    '/tmp'
    """

    @staticmethod
    def key(key: str) -> "ConfigOptions.OptionBuilder":
        """Begins an option of this name."""
        return ConfigOptions.OptionBuilder(key)

    class OptionBuilder:
        """An option whose type is to be said."""

        def __init__(self, key):
            self._key = key

        def boolean_type(self):
            """Makes it a boolean."""
            return ConfigOptions.TypedConfigOptionBuilder(self._key, bool)

        def int_type(self):
            """Makes it a number."""
            return ConfigOptions.TypedConfigOptionBuilder(self._key, int)

        def float_type(self):
            """Makes it a number with a fraction."""
            return ConfigOptions.TypedConfigOptionBuilder(self._key, float)

        def string_type(self):
            """Makes it text."""
            return ConfigOptions.TypedConfigOptionBuilder(self._key, str)

        long_type, double_type = int_type, float_type

    class TypedConfigOptionBuilder:
        """An option whose default is to be said."""

        def __init__(self, key, kind):
            self._key, self._kind = key, kind

        def default_value(self, value) -> ConfigOption:
            """Returns the option with a default."""
            return ConfigOption(self._key, self._kind, value)

        def no_default_value(self) -> ConfigOption:
            """Returns the option without one."""
            return ConfigOption(self._key, self._kind)


class Configuration:
    """Settings by name. Values are kept as they were given, and read as the type asked for.

    >>> settings = Configuration().set_string("name", "x").set_integer("size", 2)
    >>> settings.get_string("size", "0"), settings.get_integer("count", 7), str(settings)
    ('2', 7, '{name=x, size=2}')
    """

    def __init__(self, other: Optional["Configuration"] = None, j_configuration: Optional["Configuration"] = None):
        self._values = {}
        if j_configuration is not None:
            self._values = j_configuration._values  # the same settings under another name
        elif other is not None:
            self._values = dict(other._values)

    def set_string(self, key: str, value: str) -> "Configuration":
        """Sets text."""
        if not isinstance(value, str):
            raise TypeError("expected text for %s, got %r" % (key, value))
        self._values[key] = value
        return self

    def set_integer(self, key: str, value: int) -> "Configuration":
        """Sets a number."""
        self._values[key] = int(value)
        return self

    def set_boolean(self, key: str, value: bool) -> "Configuration":
        """Sets a boolean."""
        self._values[key] = bool(value)
        return self

    def set_float(self, key: str, value: float) -> "Configuration":
        """Sets a number with a fraction."""
        self._values[key] = float(value)
        return self

    def set_bytearray(self, key: str, value: bytearray) -> "Configuration":
        """Sets bytes."""
        self._values[key] = bytearray(value)
        return self

    def set(self, key: Any, value: Any) -> "Configuration":
        """Sets a ConfigOption, or a value of any type by name."""
        self._values[getattr(key, "key", key)] = value
        return self

    setString, setInteger, setBoolean, setFloat = set_string, set_integer, set_boolean, set_float

    def get(self, key: Any, default: Any = None) -> Any:
        """Returns a ConfigOption's value or its default, or the value of a name."""
        if isinstance(key, ConfigOption):
            if key.key not in self._values:
                return key.default
            read = {bool: self.get_boolean, int: self.get_integer, float: self.get_float, str: self.get_string}[key.kind]
            return read(key.key, key.default)
        return self._values.get(key, default)

    def get_string(self, key: str, default_value: Optional[str]) -> Optional[str]:
        """Returns a value as text."""
        value = self._values.get(key)
        return default_value if value is None else _text(value)

    def get_integer(self, key: str, default_value: int) -> int:
        """Returns a value as a number."""
        return int(self._values.get(key, default_value))

    def get_boolean(self, key: str, default_value: bool) -> bool:
        """Returns a value as a boolean: true or false in any case."""
        value = self._values.get(key, default_value)
        return value.lower() == "true" if isinstance(value, str) else bool(value)

    def get_float(self, key: str, default_value: float) -> float:
        """Returns a value as a number with a fraction."""
        return float(self._values.get(key, default_value))

    def get_bytearray(self, key: str, default_value: bytearray) -> bytearray:
        """Returns a value as bytes."""
        return bytearray(self._values.get(key, default_value))

    getString, getInteger, getBoolean = get_string, get_integer, get_boolean

    def contains_key(self, key: str) -> bool:
        """Tells whether a name is set."""
        return key in self._values

    containsKey = contains_key

    def key_set(self) -> Set[str]:
        """Returns the names that are set."""
        return set(self._values)

    def add_all(self, other: "Configuration", prefix: Optional[str] = None) -> "Configuration":
        """Takes over the settings of another, their names behind a prefix."""
        for key, value in other._values.items():
            self._values[(prefix or "") + key] = value
        return self

    def add_all_to_dict(self, target_dict: Dict[str, Any]) -> None:
        """Puts the settings into a dict, as they were given."""
        target_dict.update(self._values)

    def remove_config(self, key: str) -> bool:
        """Removes a name, and tells whether it was set."""
        return self._values.pop(key, None) is not None

    def to_dict(self) -> Dict[str, str]:
        """Returns the settings as text."""
        return {key: _text(value) for key, value in self._values.items()}

    @staticmethod
    def parse_list_value(value: Optional[str], is_standard_yaml: bool = True) -> List[str]:
        """Returns the parts of a list: `a;b`, and with standard YAML also `[a, b]` and lines of `- a`."""
        if not value:
            return []
        text = value.strip()
        if is_standard_yaml and text.startswith("[") and text.endswith("]"):
            return [part.strip().strip("'\"") for part in text[1:-1].split(",") if part.strip()]
        if is_standard_yaml and text.startswith("- "):
            return [line.strip()[2:].strip().strip("'\"") for line in text.splitlines() if line.strip()]
        return value.split(";")

    def __eq__(self, other):
        return isinstance(other, Configuration) and self._values == other._values

    def __hash__(self):
        return hash(tuple(sorted(self.to_dict().items())))

    def __str__(self):
        return "{%s}" % ", ".join("%s=%s" % item for item in self.to_dict().items())


def _text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
