"""DataTypes: the types of pyflink.table, as formats and schemas take them. The rest of the Table API is not here."""

from .common.typeinfo import Types

__all__ = ["DataType", "DataTypes", "RowField", "RowType"]


class DataType:
    """A type by its name, as SQL writes it, and the type of a stream's elements that it stands for.

    >>> str(DataTypes.DECIMAL(10, 2)), DataTypes.BIGINT().type_info()
    ('DECIMAL(10, 2)', Long)
    """

    def __init__(self, name, type_info, nullable=True, scale=None):
        self._name, self._type_info, self._nullable, self._scale = name, type_info, nullable, scale

    def type_info(self):
        """Returns the type of Types."""
        return self._type_info

    def not_null(self):
        """Returns the type without null."""
        return type(self)._copy(self, False)

    def nullable(self):
        """Returns the type with null."""
        return type(self)._copy(self, True)

    def bridged_to(self, conversion_cls):
        """Keeps nothing: classes of the JVM stand for no values here."""
        return self

    def _copy(self, nullable):
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__, _nullable=nullable)
        return copy

    def __eq__(self, other):
        return type(other) is type(self) and str(self) == str(other)

    def __hash__(self):
        return hash(str(self))

    def __str__(self):
        return self._name if self._nullable else self._name + " NOT NULL"

    __repr__ = __str__


class RowField:
    """A field's name and type."""

    def __init__(self, name, data_type, description=None):
        self.name, self.data_type, self.description = name, data_type, description

    def __str__(self):
        return "`%s` %s" % (self.name, self.data_type)


class RowType(DataType):
    """A row of fields."""

    def __init__(self, fields=(), nullable=True):
        self.fields, self.names = list(fields), [f.name for f in fields]
        types = [f.data_type.type_info() for f in fields]
        super().__init__("ROW<%s>" % ", ".join(map(str, fields)), Types.ROW_NAMED(self.names, types), nullable)

    def field_names(self):
        """Returns the names."""
        return list(self.names)

    def field_types(self):
        """Returns the types."""
        return [f.data_type for f in self.fields]

    def __iter__(self):
        return iter(self.fields)

    def __len__(self):
        return len(self.fields)


def _plain(name, type_info):
    def make(nullable: bool = True) -> DataType:
        return DataType(name, type_info(), nullable)

    make.__name__, make.__qualname__, make.__doc__ = name, "DataTypes." + name, "Returns the type %s." % name
    return staticmethod(make)


def _sized(name, type_info, default=None):
    def make(length: int = default, nullable: bool = True) -> DataType:
        if length is None:
            raise TypeError("%s takes its size, as DataTypes.%s(10)" % (name, name))
        return DataType("%s(%d)" % (name, length), type_info(), nullable)

    make.__name__, make.__qualname__, make.__doc__ = name, "DataTypes." + name, "Returns the type %s of a size or precision." % name
    return staticmethod(make)


def _bytes():
    return Types.PRIMITIVE_ARRAY(Types.BYTE())


class DataTypes:
    """Makes types for schemas, as DataTypes.BIGINT().

    >>> DataTypes.ROW([DataTypes.FIELD("id", DataTypes.INT()), DataTypes.FIELD("tags", DataTypes.ARRAY(DataTypes.STRING()))]).type_info()
    RowTypeInfo(id: Integer, tags: ListTypeInfo<String>)
    """

    STRING, BOOLEAN, BYTES = _plain("STRING", Types.STRING), _plain("BOOLEAN", Types.BOOLEAN), _plain("BYTES", _bytes)
    TINYINT, SMALLINT, INT, BIGINT = (_plain(n, t) for n, t in (
        ("TINYINT", Types.BYTE), ("SMALLINT", Types.SHORT), ("INT", Types.INT), ("BIGINT", Types.LONG)))
    FLOAT, DOUBLE, DATE = _plain("FLOAT", Types.FLOAT), _plain("DOUBLE", Types.DOUBLE), _plain("DATE", Types.SQL_DATE)
    CHAR, VARCHAR = _sized("CHAR", Types.STRING), _sized("VARCHAR", Types.STRING)
    BINARY, VARBINARY = _sized("BINARY", _bytes), _sized("VARBINARY", _bytes)
    TIME, TIMESTAMP = _sized("TIME", Types.SQL_TIME, 0), _sized("TIMESTAMP", Types.SQL_TIMESTAMP, 6)
    TIMESTAMP_LTZ = TIMESTAMP_WITH_LOCAL_TIME_ZONE = _sized("TIMESTAMP_LTZ", Types.INSTANT, 6)

    @staticmethod
    def DECIMAL(precision: int, scale: int, nullable: bool = True) -> DataType:
        """Returns the type of numbers with so many digits, so many of them behind the point."""
        return DataType("DECIMAL(%d, %d)" % (precision, scale), Types.BIG_DEC(), nullable, scale)

    @staticmethod
    def ARRAY(element_type: DataType, nullable: bool = True) -> DataType:
        """Returns the type of lists."""
        return DataType("ARRAY<%s>" % element_type, Types.LIST(element_type.type_info()), nullable)

    @staticmethod
    def MAP(key_type: DataType, value_type: DataType, nullable: bool = True) -> DataType:
        """Returns the type of mappings."""
        return DataType("MAP<%s, %s>" % (key_type, value_type), Types.MAP(key_type.type_info(), value_type.type_info()), nullable)

    @staticmethod
    def ROW(row_fields=(), nullable: bool = True) -> RowType:
        """Returns the type of rows, of fields made by FIELD or of pairs of name and type."""
        return RowType([f if isinstance(f, RowField) else RowField(*f) for f in row_fields], nullable)

    @staticmethod
    def FIELD(name: str, data_type: DataType, description: str = None) -> RowField:
        """Returns a field of a row."""
        return RowField(name, data_type, description)
