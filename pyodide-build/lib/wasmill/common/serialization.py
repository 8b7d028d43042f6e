"""How elements become bytes in a sink of text, and bytes become elements in a source of text."""

__all__ = ["DeserializationSchema", "Encoder", "SerializationSchema", "SimpleStringSchema"]


class SerializationSchema:
    """Makes bytes of an element: ``serialize(element) -> bytes``."""

    def serialize(self, element):
        """Returns the bytes of an element."""
        raise NotImplementedError


class DeserializationSchema:
    """Makes an element of bytes: ``deserialize(data) -> element``; ``output_type`` is the elements' type."""

    output_type = None

    def deserialize(self, data):
        """Returns the element of bytes; None leaves it out."""
        raise NotImplementedError


class SimpleStringSchema(SerializationSchema, DeserializationSchema):
    """Text as its bytes in a character set.

    >>> SimpleStringSchema().serialize("a"), SimpleStringSchema("UTF-16-LE").deserialize(b"a\\0")
    (b'a', 'a')
    """

    def __init__(self, charset="UTF-8"):
        from .typeinfo import Types

        self._charset = charset
        self.output_type = Types.STRING()

    def serialize(self, element):
        """Returns the bytes of an element."""
        return (element if isinstance(element, str) else str(element)).encode(self._charset)

    def deserialize(self, data):
        """Returns the element of bytes; None leaves it out."""
        return bytes(data).decode(self._charset)


class Encoder:
    """Writes elements to a file, each as a line.

    >>> encoder = Encoder.simple_string_encoder()
    """

    def __init__(self, charset):
        self._charset = charset

    @staticmethod
    def simple_string_encoder(charset_name="UTF-8"):
        """Writes elements as sinks of text do."""
        return Encoder(charset_name)
