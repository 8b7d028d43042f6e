"""OutputTag: the name of a side output."""

from ..common.typeinfo import RowTypeInfo, TypeInformation, Types

__all__ = ["OutputTag"]


class OutputTag:
    """Names a side output: a function writes to it by ``yield tag, value``.

    >>> late = OutputTag("late", Types.TUPLE([Types.STRING(), Types.INT()]))
    >>> late.tag_id
    'late'
    """

    __slots__ = ("tag_id", "type_info")

    def __init__(self, tag_id, type_info=None):
        if not tag_id:
            raise ValueError("OutputTag tag_id cannot be None or empty string")
        self.tag_id = tag_id
        if type_info is None:
            type_info = Types.PICKLED_BYTE_ARRAY()
        elif isinstance(type_info, list):
            type_info = RowTypeInfo(type_info)
        elif not isinstance(type_info, TypeInformation):
            raise TypeError("OutputTag type_info must be None, list or TypeInformation")
        self.type_info = type_info

    def __eq__(self, other):
        return isinstance(other, OutputTag) and self.tag_id == other.tag_id

    def __hash__(self):
        return hash(self.tag_id)

    def __repr__(self):
        return "OutputTag(%r)" % self.tag_id

    def __reduce__(self):
        return OutputTag, (self.tag_id, self.type_info)
