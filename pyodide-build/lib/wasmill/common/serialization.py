"""How elements become bytes in a sink of text, and bytes become elements in a source of text."""

__all__ = ["DeserializationSchema", "Encoder", "SerializationSchema", "SimpleStringSchema"]


class SerializationSchema:
    """Makes bytes of an element: ``serialize(element) -> bytes``."""

    def serialize(self, element):
        raise NotImplementedError


class DeserializationSchema:
    """Makes an element of bytes: ``deserialize(data) -> element``; ``output_type`` is the elements' type."""

    output_type = None

    def deserialize(self, data):
        raise NotImplementedError


class SimpleStringSchema(SerializationSchema, DeserializationSchema):
    """Text as its bytes in a character set."""

    def __init__(self, charset="UTF-8"):
        from .typeinfo import Types

        self._charset = charset
        self.output_type = Types.STRING()

    def serialize(self, element):
        return (element if isinstance(element, str) else str(element)).encode(self._charset)

    def deserialize(self, data):
        return bytes(data).decode(self._charset)


class Encoder:
    """Writes elements to a file, each as a line."""

    def __init__(self, charset):
        self._charset = charset

    @staticmethod
    def simple_string_encoder(charset_name="UTF-8"):
        return Encoder(charset_name)
