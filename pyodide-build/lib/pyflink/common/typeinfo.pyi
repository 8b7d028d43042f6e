"""Types: what a stream's elements are."""

from wasmill.common.typeinfo import (
    BasicArrayTypeInfo as BasicArrayTypeInfo,
    BasicType as BasicType,
    BasicTypeInfo as BasicTypeInfo,
    DateTypeInfo as DateTypeInfo,
    InstantTypeInfo as InstantTypeInfo,
    ListTypeInfo as ListTypeInfo,
    LocalTimeTypeInfo as LocalTimeTypeInfo,
    MapTypeInfo as MapTypeInfo,
    ObjectArrayTypeInfo as ObjectArrayTypeInfo,
    PickledBytesTypeInfo as PickledBytesTypeInfo,
    PrimitiveArrayTypeInfo as PrimitiveArrayTypeInfo,
    RowTypeInfo as RowTypeInfo,
    SqlTimeTypeInfo as SqlTimeTypeInfo,
    TimeTypeInfo as TimeTypeInfo,
    TupleTypeInfo as TupleTypeInfo,
    TypeInformation as TypeInformation,
    Types as Types,
)
