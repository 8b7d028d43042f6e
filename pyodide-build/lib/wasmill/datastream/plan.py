"""Handing a job to the host, and what clones begin with."""

import json

from .._sandbox import close_archives
from . import bindings, host
from .runtime import closures

# The tasks of the job that is being handed over: clones find them here.
tasks = []


def run(job_tasks, description):
    """Runs a job and returns the host's answer, a dict."""
    global tasks
    before, tasks = tasks, job_tasks
    bindings.settle()
    closures.remember()
    close_archives()
    try:
        return json.loads(host.execute(json.dumps(description), job_tasks))
    finally:
        tasks = before


_SHIP = {None: "FORWARD", "forward": "FORWARD", "rebalance": "REBALANCE", "rescale": "RESCALE", "shuffle": "SHUFFLE", "broadcast": "BROADCAST",
         "hash": "HASH", "custom": "CUSTOM"}


def nodes(sinks):
    """Returns the graph of the sinks as Flink's plans describe one: sources and sinks as one node each, unions as edges."""
    from .graph import reachable

    out = []
    for node in reachable(sinks):
        if node.kind in ("source", "sink") or node.name == "Union" and node.kind == "pass":
            continue
        entry = {"id": node.number, "type": node.details.get("plan_type", node.name), "pact": "Operator", "contents": node.description or node.name,
                 "parallelism": node.width()}
        before = [] if node.details.get("is_source") else _before(node)
        if node.details.get("is_source"):
            entry["pact"] = "Data Source"
        elif node.details.get("is_sink"):
            entry["pact"] = "Data Sink"
        if node.kind == "key_by":  # it runs where the stream comes from
            entry.update(type="_stream_key_by_map_operator", parallelism=node.inputs[0].node.width())
        if before:
            entry["predecessors"] = before
        out.append(entry)
    return out


def _before(node):
    out = []
    for edge in node.inputs:
        origin = edge.node
        if origin.kind == "pass" and origin.name == "Union":
            out.extend(_before(origin))
            continue
        ship = _SHIP[edge.partitioning]
        if node.kind == "key_by":
            ship = "FORWARD"
        elif origin.kind == "key_by":
            ship = "HASH"
        elif ship == "FORWARD" and origin.width() != node.width():
            ship = "REBALANCE"
        out.append({"id": origin.number, "ship_strategy": ship, "side": "second"})
    return out
