"""What a script asks of the JVM behind PyFlink: what can be answered without one is, and the rest is refused with a sentence that says what to use instead."""

__all__ = [
    "add_jars_to_context_class_loader", "get_field_value", "get_gateway", "get_j_env_configuration", "invoke_method", "is_instance_of", "load_java_class",
    "on_windows", "to_jarray",
]

__version__ = "1.20.1"  # of PyFlink, whose API this is


class Py4JError(Exception):
    """What goes wrong behind PyFlink's gateway. A job that fails raises one of these, as in PyFlink."""


class JavaObject:
    """An object of the JVM: there are none."""


class _JobGraphGenerator:
    @staticmethod
    def isChainable(edge, graph):
        from .datastream import graph as own

        return own._chainable(graph.env, edge.edge, edge.target)


class _PerElementWatermarkGenerator:
    @staticmethod
    def getSupplier():
        from .common.watermark_strategy import WatermarkGenerator

        class Each(WatermarkGenerator):
            """A watermark behind each element that is later than all before."""

            latest = -1 << 63

            def on_event(self, event, event_timestamp, output):
                if event_timestamp > self.latest:
                    self.latest = event_timestamp
                    output.emit_watermark(event_timestamp)

            def on_periodic_emit(self, output):
                pass

        return Each


class _WatermarkStrategy:
    @staticmethod
    def forGenerator(supplier):
        return supplier


# Classes of the JVM's that something else answers for.
_STAND_INS = {
    "org.apache.flink.api.common.eventtime.WatermarkStrategy": _WatermarkStrategy,
    "org.apache.flink.streaming.api.functions.python.eventtime.PerElementWatermarkGenerator": _PerElementWatermarkGenerator,
    "org.apache.flink.streaming.api.graph.StreamingJobGraphGenerator": _JobGraphGenerator,
}


class _JavaName:
    """A package or class of the JVM. It may be named, but not used."""

    def __init__(self, name=""):
        self._name = name

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        full = self._name + "." + name if self._name else name
        return _STAND_INS.get(full) or _JavaName(full)

    def __call__(self, *args):
        raise TypeError("%s is Java's, and there is no JVM behind wasmill; the DataStream API needs none" % (self._name or "the JVM"))


class _Gateway:
    jvm = _JavaName()


def get_gateway():
    """Returns what the JVM's classes can be named by; using one is refused with its name."""
    return _Gateway


class JavaEnvironment:
    """An environment as PyFlink's internals know it: its settings and its graph."""

    def __init__(self, env):
        self._env = env

    def getConfiguration(self):
        return self._env._configuration

    def getStreamGraph(self, clear=True):
        """Returns the graph of the sinks so far, and forgets the sinks unless clear is false."""
        from .datastream.graph import reachable

        graph = _StreamGraph(self._env, reachable(self._env._sinks))
        if clear:
            self._env._sinks = []
        return graph


class _List(list):
    def toArray(self):
        return self

    def get(self, position):
        return self[position]

    def size(self):
        return len(self)


class _StreamEdge:
    def __init__(self, edge, target):
        self.edge, self.target = edge, target


class _StreamNode:
    def __init__(self, node, nodes):
        self._node, self._nodes = node, nodes

    def getOperatorName(self):
        return self._node.name

    def getSlotSharingGroup(self):
        return self._node.slot_group or "default"

    def getParallelism(self):
        return self._node.width()

    def getInEdges(self):
        return _List(_StreamEdge(edge, self._node) for edge in self._node.inputs)

    def getOutEdges(self):
        return _List(_StreamEdge(edge, node) for node in self._nodes for edge in node.inputs if edge.node is self._node)


class _StreamGraph:
    def __init__(self, env, nodes):
        self.env = env
        self._nodes = [n for n in nodes if n.kind not in ("source", "sink")]  # each is one node with the step beside it

    def getStreamNodes(self):
        return _List(_StreamNode(node, self._nodes) for node in self._nodes)


def get_j_env_configuration(environment):
    """Returns the environment's settings."""
    return environment.getConfiguration()


def load_java_class(class_name):
    """Refuses: there is no JVM."""
    return _JavaName(class_name)()


def is_instance_of(java_object, java_class):
    """Refuses: there is no JVM."""
    return load_java_class(java_class if isinstance(java_class, str) else getattr(java_class, "_name", str(java_class)))


def get_field_value(java_obj, field_name):
    """Refuses: there is no JVM."""
    return load_java_class("the field %s" % field_name)


def invoke_method(obj, object_type, method_name, args=None, arg_types=None):
    """Refuses: there is no JVM."""
    return load_java_class("%s.%s" % (object_type, method_name))


def add_jars_to_context_class_loader(jar_urls):
    """Refuses jars: there is no JVM. An empty list is taken."""
    if jar_urls:
        load_java_class("the jar %s" % jar_urls[0])


def to_jarray(j_type, arr):
    """Returns the list as it is."""
    return list(arr)


def on_windows():
    """Tells whether this is Windows: it is not, whatever the machine is."""
    return False


def _find_flink_home():
    return _find_flink_source_root()


def _find_flink_source_root():
    raise TypeError("there is no Flink here: its jars need a JVM, which wasmill does without")
