"""The graph that a script builds, and the tasks that it becomes.

Nodes are what the API made, in order. Those that can run as one chain become one task: a function of the guest, that keeps live
objects between its operators. Between tasks elements are pickled, many at a time.
"""

import inspect

from ..common.typeinfo import PickledBytesTypeInfo
from .bindings import bound, own

UNTYPED = PickledBytesTypeInfo()


class Node:
    """A step of the graph. `kind` is one of the operators of the runtime, "source" or "sink"."""

    def __init__(self, env, kind, name, inputs, type_info=UNTYPED, parallelism=None, **details):
        self.env, self.kind, self.name, self.inputs, self.type_info = env, kind, name, inputs, type_info
        self.parallelism, self.max_parallelism = parallelism, None
        self.uid = self.uid_hash = self.description = None
        self.slot_group = None
        self.chain_before = self.chain_behind = True
        self.fixed_parallelism = False
        self.details = details
        self.number = env._add(self)

    def width(self):
        """Returns the node's parallelism."""
        return self.parallelism or self.env.get_parallelism()

    def bounded(self):
        """Tells whether the node's input comes to an end."""
        return all(edge.node.bounded() for edge in self.inputs) and self.details.get("bounded", True)


class Edge:
    """An input of a node: the node that it comes from, how elements are spread, the key's selector, the side output's tag."""

    def __init__(self, node, partitioning=None, key=None, partitioner=None, tag=None):
        self.node, self.partitioning, self.key, self.partitioner, self.tag = node, partitioning, key, partitioner, tag


class Call:
    """A user's function object or callable, as the runtime opens, calls and closes it."""

    def __init__(self, function, method, base):
        if isinstance(function, base):
            self.function = own(function)
            self.call = getattr(self.function, method)
        elif callable(function):
            self.function, self.call = None, bound(function)
        else:
            raise TypeError("expected a %s or a callable, got %r" % (base.__name__, function))
        if inspect.iscoroutinefunction(self.call) or inspect.isasyncgenfunction(self.call):
            raise TypeError("%s: async functions are not called, for a guest has no event loop; make it a plain def" % self.call.__qualname__)

    def open(self, context):
        if self.function is not None:
            self.function.open(context)

    def close(self):
        if self.function is not None:
            self.function.close()


class OperatorSpec:
    """An operator in a task's plan."""

    def __init__(self, node, uid):
        self.node, self.number, self.kind, self.name, self.uid = node, node.number, node.kind, node.name, uid
        self.inputs = max(1, len(node.inputs))
        self.edges = []
        for name, value in node.details.items():
            setattr(self, name, value)
        converts = node.details.get("is_source") or node.kind not in ("filter", "key_by", "pass", "timestamps", "reduce")
        self.type_info = node.type_info if converts else UNTYPED
        self.functions = node.details.get("functions", ())

    def open(self, context):
        for function in self.functions:
            function.open(context)

    def close(self):
        for function in self.functions:
            function.close()

    def check_broadcast(self, descriptor):
        """Refuses a broadcast state that the stream was not broadcast with."""
        known = self.node.details.get("descriptors", ())
        if all(descriptor.name != d.name for d in known):
            raise ValueError("the stream was not broadcast with the state %r, but with %s" % (descriptor.name, ", ".join(repr(d.name) for d in known) or "none"))


class EdgeSpec:
    """Where an operator's results go: to an operator of the task, or to one of the task's outputs."""

    def __init__(self, operator=None, input=0, output=None, tag=None):
        self.operator, self.input, self.output = operator, input, output
        self.tag = tag.tag_id if tag is not None else None
        self.tag_type = tag.type_info if tag is not None else None


class OutputSpec:
    """An output of a task: elements for another task, or lines, records or results."""

    def __init__(self, kind, **details):
        self.kind = kind
        self.details = details
        self.key = None
        for name, value in details.items():
            setattr(self, name, value)

    def open(self, task):
        if self.key is not None and self.key.function is not None:
            from .runtime.context import RuntimeContextImpl

            holder = type("Operator", (), {"task": task, "spec": type("Spec", (), {"name": "KeyBy"})})
            self.key.open(RuntimeContextImpl(holder, None))


class InputSpec:
    """An input of a task: which operator it goes to, and how what comes becomes elements."""

    def __init__(self, operator, input, decode=None, elements=None):
        self.operator, self.input, self.decode, self.elements = operator, input, decode, elements
        self.timed = None  # number of the operator whose watermark the host wants to know


class TaskPlan:
    """A chain of operators that run as one."""

    def __init__(self, number, width, env, batch):
        self.number, self.width = number, width
        self.operators, self.inputs, self.outputs = [], [], []
        self.batch = batch
        self.watermark_interval = max(1, env.get_config().get_auto_watermark_interval() or 200)
        self.parameters = env.get_config().get_global_job_parameters()
        self.max_parallelism = 0

    def name(self):
        return " -> ".join(spec.name for spec in self.operators)


def build(env, sinks):
    """Cuts the graph of the sinks into tasks, and returns them with the JSON of the plan for the host."""
    nodes, batch = reachable(sinks), env._runs_as_batch(sinks)
    chains = _chains(env, nodes)
    tasks, of, plan = {}, {}, []
    for node in nodes:
        if node.kind in ("source", "sink"):
            continue
        root = chains[node.number]
        if root not in tasks:
            tasks[root] = TaskPlan(len(tasks), node.width(), env, batch)
        spec = OperatorSpec(node, _uid(node))
        spec.number = len(tasks[root].operators)
        tasks[root].operators.append(spec)
        tasks[root].max_parallelism = max(tasks[root].max_parallelism, node.max_parallelism or 0)
        of[node.number] = (tasks[root], spec)
    sources, out = [], []
    for node in nodes:
        if node.kind == "sink":
            _connect_sink(node, of, out)
            continue
        if node.kind == "source":
            continue
        task, spec = of[node.number]
        for index, edge in enumerate(node.inputs):
            if edge.node.kind == "source":
                sources.append(_connect_source(edge.node, task, spec, index))
                continue
            origin, before = of[edge.node.number]
            if origin is task:
                before.edges.append(EdgeSpec(spec.number, index, tag=edge.tag))
                continue
            partitioning = edge.partitioning or ("forward" if edge.node.width() == node.width() else "rebalance")
            origin.outputs.append(OutputSpec("exchange", partitioning=partitioning, width=task.width, key=edge.key,
                                             key_of=edge.key.call if edge.key else None, partitioner=edge.partitioner))
            port = len(task.inputs)
            task.inputs.append(InputSpec(spec.number, index))
            before.edges.append(EdgeSpec(output=len(origin.outputs) - 1, tag=edge.tag))
            plan.append({"from": origin.number, "output": len(origin.outputs) - 1, "to": task.number, "port": port})
    if not batch:
        _align(nodes, of, sources)
    ordered = sorted(tasks.values(), key=lambda t: t.number)
    _unique_uids(ordered)
    return ordered, {
        "tasks": [{"number": t.number, "name": t.name(), "parallelism": t.width, "inputs": len(t.inputs), "outputs": len(t.outputs),
                   "batch": t.batch, "operators": [{"uid": s.uid, "name": s.name, "kind": s.kind} for s in t.operators]} for t in ordered],
        "edges": plan, "sources": sources, "sinks": out,
    }


def reachable(sinks):
    """Returns the nodes that sinks take from, and the sinks, in the order in which they were made."""
    seen, order = {}, []

    def visit(node):
        stack = [(node, iter(node.inputs))]
        seen[node.number] = node
        while stack:
            current, edges = stack[-1]
            for edge in edges:
                if edge.node.number not in seen:
                    seen[edge.node.number] = edge.node
                    stack.append((edge.node, iter(edge.node.inputs)))
                    break
            else:
                stack.pop()

    for sink in sinks:
        if sink.number not in seen:
            visit(sink)
    order = sorted(seen.values(), key=lambda n: n.number)
    return order


def _chains(env, nodes):
    """Returns for each node which chain it belongs to, by the number of the chain's first node."""
    chain = {n.number: n.number for n in nodes}
    inner = [n for n in nodes if n.kind not in ("source", "sink")]
    edges = [(e.node.number, n.number) for n in inner for e in n.inputs if e.node.kind != "source"]

    def find(number):
        while chain[number] != number:
            number = chain[number]
        return number

    def path(start, goal):
        """Is there a way from chain start to chain goal that leaves start?"""
        seen, stack = set(), [start]
        while stack:
            at = stack.pop()
            for a, b in edges:
                a, b = find(a), find(b)
                if a == at and b != start and b not in seen:
                    if b == goal:
                        direct = at == start
                        if not direct:
                            return True
                        continue
                    seen.add(b)
                    stack.append(b)
        return False

    def separate(a, b, number):
        """Would an edge between two nodes of the joined chain have to leave it?"""
        for n in inner:
            for e in n.inputs:
                if e.node.kind == "source":
                    continue
                if {find(e.node.number), find(n.number)} <= {a, b} and not _chainable(env, e, n):
                    return True
        return False

    for node in inner:
        for edge in node.inputs:
            if edge.node.kind == "source" or not _chainable(env, edge, node):
                continue
            a, b = find(edge.node.number), find(node.number)
            if a != b and not path(a, b) and not path(b, a) and not separate(a, b, node.number):
                chain[max(a, b)] = min(a, b)
    return {number: find(number) for number in chain}


def _chainable(env, edge, node):
    before = edge.node
    if before.width() != node.width() or not env._chaining or not before.chain_behind or not node.chain_before:
        return False
    return node.width() == 1 if edge.partitioning not in (None, "forward") else True


def _connect_source(node, task, spec, index):
    source = node.details["source"]
    port = len(task.inputs)
    task.inputs.append(InputSpec(spec.number, index, source.decode, source.elements))
    return {"number": node.number, "name": node.name, "uid": _uid(node), "to": task.number, "port": port, "parallelism": node.width(), **source.plan()}


def _align(nodes, of, sources):
    """Has sources wait for each other whose watermarks a strategy with an alignment makes, right behind them."""
    for node in nodes:
        alignment = node.details["strategy"]._alignment if node.kind == "timestamps" else None
        before = node.inputs[0].node if alignment else None
        if alignment is None or not before.details.get("is_source"):
            continue
        task, spec = of[node.number]
        for source in sources:
            if source["number"] == before.inputs[0].node.number and source["to"] == task.number:
                source["align"] = {"group": alignment[0], "drift_ms": alignment[1]}
                task.inputs[source["port"]].timed = spec.number


def _connect_sink(node, of, out):
    edge = node.inputs[0]
    task, before = of[edge.node.number]
    sink = node.details["sink"]
    task.outputs.append(sink.output(node))
    before.edges.append(EdgeSpec(output=len(task.outputs) - 1, tag=edge.tag))
    out.append({"number": node.number, "name": node.name, "uid": _uid(node), "from": task.number, "output": len(task.outputs) - 1, **sink.plan()})


def _uid(node):
    if node.uid:
        return node.uid.replace("/", "_")
    return node.uid_hash or "%d-%s" % (node.number, "".join(c if c.isalnum() else "-" for c in node.kind))


def _unique_uids(tasks):
    seen = {}
    for task in tasks:
        for spec in task.operators:
            if spec.uid in seen:
                raise ValueError("two operators have the uid %r: %s and %s" % (spec.uid, seen[spec.uid], spec.name))
            seen[spec.uid] = spec.name
