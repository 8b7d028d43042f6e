"""Descriptors and interfaces of state."""

from abc import ABC, abstractmethod
from enum import Enum
from typing import Generic, Iterable, TypeVar

from ..common.time import Duration, Time, to_millis
from ..common.typeinfo import PickledBytesTypeInfo, TypeInformation, Types

__all__ = [
    "AggregatingState", "AggregatingStateDescriptor", "AppendingState", "BroadcastState", "ListState", "ListStateDescriptor", "MapState",
    "MapStateDescriptor", "MergingState", "OperatorStateStore", "ReadOnlyBroadcastState", "ReducingState", "ReducingStateDescriptor", "State",
    "StateDescriptor", "StateTtlConfig", "ValueState", "ValueStateDescriptor",
]


T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
IN = TypeVar("IN")
OUT = TypeVar("OUT")


class State(ABC):
    """State by the current key."""

    @abstractmethod
    def clear(self):
        """Removes what is there for the current key."""


class ValueState(State, Generic[T]):
    """One value."""

    @abstractmethod
    def value(self):
        """Returns the value, or None."""

    @abstractmethod
    def update(self, value):
        """Stores a value; None removes it."""


class AppendingState(State, Generic[IN, OUT]):
    """State that values are added to."""

    @abstractmethod
    def get(self):
        """Returns what there is of the values."""

    @abstractmethod
    def add(self, value):
        """Adds a value."""


class MergingState(AppendingState[IN, OUT]):
    """State of which two can become one."""


class ReducingState(MergingState[T, T]):
    """The values, reduced to one; None while there are none."""


class AggregatingState(MergingState[IN, OUT]):
    """The values, aggregated; None while there are none."""


class ListState(MergingState[T, Iterable[T]]):
    """A list of values. ``get`` iterates."""

    @abstractmethod
    def update(self, values):
        """Stores a list in place of the one there."""

    @abstractmethod
    def add_all(self, values):
        """Adds a list."""

    def __iter__(self):
        return iter(self.get())


class ReadOnlyBroadcastState(State, Generic[K, V]):
    """A mapping that only the broadcast side may change."""

    @abstractmethod
    def get(self, key):
        """Returns a key's value, or None."""

    @abstractmethod
    def contains(self, key):
        """Tells whether a key is there."""

    @abstractmethod
    def items(self):
        """Returns the pairs of keys and values."""

    @abstractmethod
    def keys(self):
        """Returns the keys."""

    @abstractmethod
    def values(self):
        """Returns the values."""

    @abstractmethod
    def is_empty(self):
        """Tells whether there are none."""

    def __getitem__(self, key):
        return self.get(key)

    def __contains__(self, key):
        return self.contains(key)

    def __iter__(self):
        return iter(self.keys())


class BroadcastState(ReadOnlyBroadcastState[K, V]):
    """A mapping, the same in every subtask."""

    @abstractmethod
    def put(self, key, value):
        """Sets a key's value."""

    @abstractmethod
    def put_all(self, dict_value):
        """Sets the values of a dict."""

    @abstractmethod
    def remove(self, key):
        """Removes a key."""

    def __setitem__(self, key, value):
        self.put(key, value)

    def __delitem__(self, key):
        self.remove(key)


class MapState(BroadcastState[K, V]):
    """A mapping by the current key."""


class OperatorStateStore(ABC):
    """State of an operator rather than of a key."""

    @abstractmethod
    def get_broadcast_state(self, state_descriptor):
        """Returns the BroadcastState of a MapStateDescriptor."""


class StateDescriptor:
    """A state's name and type; the name is unique in its operator, and state is found by it after a restart."""

    kind = ""

    def __init__(self, name, type_info):
        if not isinstance(name, str) or not name:
            raise TypeError("a state's name must be text, got %r" % (name,))
        if type_info is None:
            type_info = Types.PICKLED_BYTE_ARRAY()
        elif not isinstance(type_info, TypeInformation):
            raise TypeError("the type of state %r must be one of Types, got %r" % (name, type_info))
        self.name = name
        self.type_info = type_info
        self._ttl_config = None

    def get_name(self):
        """Returns the name."""
        return self.name

    def enable_time_to_live(self, ttl_config):
        """Makes values expire."""
        self._ttl_config = ttl_config

    def _layout(self):
        """Returns the text by which a changed type is noticed after a restart."""
        untyped = isinstance(self.type_info, PickledBytesTypeInfo)
        return self.kind if untyped else "%s<%s>" % (self.kind, self.type_info)


class ValueStateDescriptor(StateDescriptor):
    """Describes a ValueState: its name, and the value's type.

    >>> ValueStateDescriptor("count", Types.LONG()).get_name()
    'count'
    """

    kind = "value"

    def __init__(self, name, value_type_info=None):
        super().__init__(name, value_type_info)


class ListStateDescriptor(StateDescriptor):
    """Describes a ListState: its name, and the elements' type.

    >>> ListStateDescriptor("events", Types.STRING()).type_info
    ListTypeInfo<String>
    """

    kind = "list"

    def __init__(self, name, elem_type_info=None):
        super().__init__(name, elem_type_info if elem_type_info is None else Types.LIST(elem_type_info))


class MapStateDescriptor(StateDescriptor):
    """Describes a MapState or broadcast state: its name, and the types of keys and values.

    >>> MapStateDescriptor("seen", Types.STRING(), Types.LONG()).type_info
    MapTypeInfo<String, Long>
    """

    kind = "map"

    def __init__(self, name, key_type_info=None, value_type_info=None):
        pickled = Types.PICKLED_BYTE_ARRAY()
        super().__init__(name, Types.MAP(key_type_info or pickled, value_type_info or pickled))


class ReducingStateDescriptor(StateDescriptor):
    """Describes a ReducingState: its name, function, and the values' type.

    >>> total = ReducingStateDescriptor("total", lambda a, b: a + b, Types.LONG())
    """

    kind = "reducing"

    def __init__(self, name, reduce_function, type_info=None):
        super().__init__(name, type_info)
        from .functions import ReduceFunction

        if isinstance(reduce_function, ReduceFunction):
            self._reduce = reduce_function.reduce
        elif callable(reduce_function):
            self._reduce = reduce_function
        else:
            raise TypeError("The input must be a ReduceFunction or a callable function!")
        self._reduce_function = reduce_function

    def get_reduce_function(self):
        """Returns the function."""
        return self._reduce_function


class AggregatingStateDescriptor(StateDescriptor):
    """Describes an AggregatingState: its name, function, and the accumulator's type."""

    kind = "aggregating"

    def __init__(self, name, agg_function, state_type_info=None):
        super().__init__(name, state_type_info)
        from .functions import AggregateFunction

        if not isinstance(agg_function, AggregateFunction):
            raise TypeError("The input must be a AggregateFunction!")
        self._agg_function = agg_function

    def get_agg_function(self):
        """Returns the function."""
        return self._agg_function


class StateTtlConfig:
    """How long values live, and what of those that are over can be seen.

    >>> config = StateTtlConfig.new_builder(Time.hours(1)).update_ttl_on_read_and_write().build()
    >>> descriptor = ValueStateDescriptor("last", Types.STRING())
    >>> descriptor.enable_time_to_live(config)
    """

    class UpdateType(Enum):
        """What makes a value live on."""

        Disabled = 0
        OnCreateAndWrite = 1
        OnReadAndWrite = 2

    class StateVisibility(Enum):
        """Whether values can be seen that are over."""

        ReturnExpiredIfNotCleanedUp = 0
        NeverReturnExpired = 1

    class TtlTimeCharacteristic(Enum):
        """Which time values live by."""

        ProcessingTime = 0

    class CleanupStrategies:
        """When expired values are removed: here when they are met and at each commit. Other wishes are kept."""

        class Strategies(Enum):
            """The kinds of wishes."""

            FULL_STATE_SCAN_SNAPSHOT = 0
            INCREMENTAL_CLEANUP = 1
            ROCKSDB_COMPACTION_FILTER = 2

        class CleanupStrategy:
            """A wish."""

        class EmptyCleanupStrategy(CleanupStrategy):
            """A wish without settings."""

        class IncrementalCleanupStrategy(CleanupStrategy):
            """A few values at a time."""

            def __init__(self, cleanup_size, run_cleanup_for_every_record):
                self._size, self._every = cleanup_size, run_cleanup_for_every_record

            def get_cleanup_size(self):
                """Returns how many at a time."""
                return self._size

            def run_cleanup_for_every_record(self):
                """Tells whether with every element."""
                return self._every

        class RocksdbCompactFilterCleanupStrategy(CleanupStrategy):
            """When RocksDB compacts."""

            def __init__(self, query_time_after_num_entries, periodic_compaction_time=None):
                self._entries, self._period = query_time_after_num_entries, periodic_compaction_time or Duration.of_days(30)

            def get_query_time_after_num_entries(self):
                """Returns after how many entries."""
                return self._entries

            def get_periodic_compaction_time(self):
                """Returns how often."""
                return self._period

        EMPTY_STRATEGY = EmptyCleanupStrategy()

        def __init__(self, strategies, is_cleanup_in_background):
            self._strategies, self._in_background = strategies, is_cleanup_in_background

        def is_cleanup_in_background(self):
            """Tells whether values are removed that nobody asks for."""
            return self._in_background

        def in_full_snapshot(self):
            """Tells whether a full snapshot leaves them out."""
            return self.Strategies.FULL_STATE_SCAN_SNAPSHOT in self._strategies

        def get_incremental_cleanup_strategy(self):
            """Returns the wish for a few at a time."""
            default = self.IncrementalCleanupStrategy(5, False) if self._in_background else None
            return self._strategies.get(self.Strategies.INCREMENTAL_CLEANUP, default)

        def get_rocksdb_compact_filter_cleanup_strategy(self):
            """Returns the wish for RocksDB."""
            default = self.RocksdbCompactFilterCleanupStrategy(1000) if self._in_background else None
            return self._strategies.get(self.Strategies.ROCKSDB_COMPACTION_FILTER, default)

    def __init__(self, update_type, state_visibility, ttl_time_characteristic, ttl, cleanup_strategies):
        self._ttl_millis, self._update_type, self._visibility = to_millis(ttl), update_type, state_visibility
        self._characteristic, self._cleanup = ttl_time_characteristic, cleanup_strategies

    @staticmethod
    def new_builder(ttl):
        """Begins one, with how long values live."""
        return StateTtlConfig.Builder(ttl)

    def get_ttl(self):
        """Returns how long values live."""
        return Time.milliseconds(self._ttl_millis)

    def get_time_to_live(self):
        """Returns how long values live."""
        return Duration.of_millis(self._ttl_millis)

    def get_update_type(self):
        """Returns what makes a value live on."""
        return self._update_type

    def get_state_visibility(self):
        """Returns whether values can be seen that are over."""
        return self._visibility

    def get_ttl_time_characteristic(self):
        """Returns the time that values live by: the wall clock."""
        return self._characteristic

    def is_enabled(self):
        """Tells whether values expire."""
        return self._update_type is not StateTtlConfig.UpdateType.Disabled

    def get_cleanup_strategies(self):
        """Returns when expired values are removed."""
        return self._cleanup

    def __repr__(self):
        return "StateTtlConfig<%d ms, %s, %s>" % (self._ttl_millis, self._update_type.name, self._visibility.name)

    class Builder:
        """Builds a StateTtlConfig: by default written values live on, and expired ones are never seen."""

        def __init__(self, ttl):
            self._ttl_millis = to_millis(ttl)
            if self._ttl_millis <= 0:
                raise ValueError("The TTL must be positive, got %d ms" % self._ttl_millis)
            self._update_type = StateTtlConfig.UpdateType.OnCreateAndWrite
            self._visibility = StateTtlConfig.StateVisibility.NeverReturnExpired
            self._in_background, self._strategies = True, {}

        def set_update_type(self, update_type):
            """Says what makes a value live on: writing it, where nothing is said."""
            self._update_type = update_type
            return self

        def update_ttl_on_create_and_write(self):
            """Lets written values live on."""
            return self.set_update_type(StateTtlConfig.UpdateType.OnCreateAndWrite)

        def update_ttl_on_read_and_write(self):
            """Lets written and read values live on."""
            return self.set_update_type(StateTtlConfig.UpdateType.OnReadAndWrite)

        def set_state_visibility(self, state_visibility):
            """Says whether values can be seen that are over: no, where nothing is said."""
            self._visibility = state_visibility
            return self

        def return_expired_if_not_cleaned_up(self):
            """Lets values be seen that are over and still there."""
            return self.set_state_visibility(StateTtlConfig.StateVisibility.ReturnExpiredIfNotCleanedUp)

        def never_return_expired(self):
            """Hides values that are over."""
            return self.set_state_visibility(StateTtlConfig.StateVisibility.NeverReturnExpired)

        def set_ttl_time_characteristic(self, ttl_time_characteristic):
            """Keeps the time that values live by: it is the wall clock."""
            return self

        def use_processing_time(self):
            """Lets values live by the wall clock."""
            return self

        def _clean(self, when, strategy):
            self._strategies[StateTtlConfig.CleanupStrategies.Strategies[when]] = strategy
            return self

        def cleanup_full_snapshot(self):
            """Keeps a wish for snapshots."""
            return self._clean("FULL_STATE_SCAN_SNAPSHOT", StateTtlConfig.CleanupStrategies.EMPTY_STRATEGY)

        def cleanup_incrementally(self, cleanup_size, run_cleanup_for_every_record):
            """Keeps a wish for a few values at a time."""
            return self._clean(
                "INCREMENTAL_CLEANUP", StateTtlConfig.CleanupStrategies.IncrementalCleanupStrategy(cleanup_size, run_cleanup_for_every_record))

        def cleanup_in_rocksdb_compact_filter(self, query_time_after_num_entries, periodic_compaction_time=None):
            """Keeps a wish for RocksDB."""
            return self._clean("ROCKSDB_COMPACTION_FILTER", StateTtlConfig.CleanupStrategies.RocksdbCompactFilterCleanupStrategy(
                query_time_after_num_entries, periodic_compaction_time))

        def disable_cleanup_in_background(self):
            """Keeps a wish; expired values are removed at each commit."""
            self._in_background = False
            return self

        def set_ttl(self, ttl):
            """Sets how long values live."""
            self._ttl_millis = to_millis(ttl)
            return self

        def build(self):
            """Returns the StateTtlConfig."""
            return StateTtlConfig(self._update_type, self._visibility, StateTtlConfig.TtlTimeCharacteristic.ProcessingTime, self._ttl_millis,
                                  StateTtlConfig.CleanupStrategies(self._strategies, self._in_background))
