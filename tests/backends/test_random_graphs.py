"""Random graphs: the generated module computes the same as a direct evaluation of the graph."""

import sys
import warnings

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archspec.graph.model import Draw, GraphOutput, Instance, Port
from archspec.graph.walk import walk
from archspec_torch.module import to_module
from tests.backends.graphs import Builder, compiled

WIDTH = 4
STYLES = ("{op}{n}", "{n}", "group.{n}", "stack.{n}", "a.b{n}.c", "path.at.layer{n}", "x/y.{n}")


def evaluate(graph, inputs, state, prefix=""):
    """Evaluate each node in order, directly from the graph."""
    values = {Port(node.id): value for node, value in zip(graph.inputs, inputs, strict=True)}
    for node in graph.nodes:
        if node.is_input:
            continue
        given_ = [values[port] for port in node.inputs]
        path = prefix + node.instance.key
        if node.callee is not None:
            found = evaluate(node.callee, given_, state, f"{path}.")
        else:
            found = [apply(node.op, given_, state, path)]
        values.update({Port(node.id, index): value for index, value in enumerate(found)})
    return [values[port] for port in graph.output_ports]


def apply(op, inputs, state, path):
    if op.name == "linear":
        return inputs[0] @ state[f"{path}.weight"].T + state[f"{path}.bias"]
    if op.name == "param":
        return state[path]
    if op.name == "relu":
        return inputs[0].relu()
    if op.name == "tanh":
        return inputs[0].tanh()
    if op.name == "add":
        return inputs[0] + inputs[1]
    if op.name == "mul":
        return inputs[0] * inputs[1]
    assert op.name == "join"
    return sum(inputs) / len(inputs)


class Training:
    """The same with dropped inputs of joins: what is not needed is not computed."""

    def __init__(self, graph, state, space):
        self.state, self.space = state, space
        self.deepest = max((len(n.inputs) for n in self.joins(graph) if n.op.draw), default=0)

    def joins(self, graph):
        for one in walk(graph):
            yield from (
                node
                for node in one.nodes
                if node.op is not None and node.op.name == "join" and node.id in one.computed
            )

    def run(self, graph, inputs):
        self.column = -1
        if self.deepest:
            self.column = self.space.sample_column(self.deepest, 0.5, True)
        return self.evaluate(graph, inputs, [True] * len(graph.output_ports), "")

    def evaluate(self, graph, inputs, need, prefix):
        masks = self.masks(graph)
        wanted = {port for port, flag in zip(graph.output_ports, need, strict=True) if flag}
        for node in reversed(graph.nodes):
            if wanted & self.ports(node):
                live = masks.get(node.id) or [True] * len(node.inputs)
                wanted |= {port for port, flag in zip(node.inputs, live, strict=True) if flag}
        values = {Port(node.id): value for node, value in zip(graph.inputs, inputs, strict=True)}
        for node in graph.nodes:
            if node.is_input or not wanted & self.ports(node):
                continue
            path = prefix + node.instance.key
            if node.callee is not None:
                flags = [Port(node.id, index) in wanted for index in range(len(node.types))]
                arguments = [values[port] for port in node.inputs]
                found = self.evaluate(node.callee, arguments, flags, f"{path}.")
            else:
                live = masks.get(node.id) or [True] * len(node.inputs)
                kept = [values[p] for p, flag in zip(node.inputs, live, strict=True) if flag]
                found = [apply(node.op, kept, self.state, path)]
            values.update({Port(node.id, index): value for index, value in enumerate(found)})
        return [values.get(port) for port in graph.output_ports]

    @staticmethod
    def ports(node):
        return {Port(node.id, index) for index in range(len(node.types))}

    def masks(self, graph):
        """A draw for every join that can have an effect, in order."""
        reached = {port.node for port in graph.output_ports}
        for node in reversed(graph.nodes):
            if node.id in reached:
                reached |= {port.node for port in node.inputs}
        found = {}
        for node in graph.nodes:
            if node.op is not None and node.op.name == "join" and node.id in reached:
                count = len(node.inputs)
                column = self.column if node.op.draw else -1
                drop, columns = node.op.drop, self.deepest
                found[node.id] = self.space.survivors(count, drop, column, columns, True)
        return found


@st.composite
def blocks(draw, name, callees, kind="block", drop=1e-12):
    b = Builder(name, kind)
    ports = [b.input(f"f32[B, {WIDTH}]", f"x{i}") for i in range(draw(st.integers(1, 2)))]
    style = draw(st.sampled_from(STYLES))
    shared = []
    for number in range(draw(st.integers(1, 9))):
        what = draw(
            st.sampled_from(
                ("linear", "linear", "relu", "tanh", "add", "mul", "join", "call", "param")
            )
        )
        if what == "call" and not callees:
            what = "linear"
        last = ports[-1] if draw(st.booleans()) else draw(st.sampled_from(ports))
        key = style.format(op=what, n=number)
        if what == "call":
            graph = draw(st.sampled_from(callees))
            inputs = [draw(st.sampled_from(ports)) for _ in graph.inputs]
            instance = Instance(key, graph=graph)
            again = [one for one in shared if one.graph is graph]
            if again and draw(st.booleans()):
                instance = again[0]
            else:
                shared.append(instance)
            made = b.call(graph, inputs, share=instance)
        elif what in ("add", "mul"):
            made = b.op(what, (last, draw(st.sampled_from(ports))))
        elif what == "join":
            inputs = draw(st.lists(st.sampled_from(ports), min_size=2, max_size=3))
            drawn = draw(st.sampled_from((None, "column")))
            made = b.op("join", inputs, key, drop=drop, draw=drawn)
        elif what == "param":
            made = b.op("add", (last, b.op("param", (), key, shape=(WIDTH,))))
        else:
            more = {"width": WIDTH} if what == "linear" else {}
            made = b.op(what, last, key, **more)
        ports += made if isinstance(made, tuple) else (made,)
    count = draw(st.integers(1, 3)) if kind == "block" else 1
    outputs = [GraphOutput(f"y{i}", (draw(st.sampled_from(ports)),)) for i in range(count)]
    return b.build(*outputs)


@st.composite
def networks(draw, drop=1e-12):
    found = []
    for _ in range(draw(st.integers(0, 4))):
        found.append(draw(blocks(f"block{draw(st.integers(0, 1))}", tuple(found[-2:]), drop=drop)))
    return draw(blocks("net", tuple(found), "network", drop))


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(networks(), st.integers(0, 3))
def test_module_agrees_with_the_graph(graph, seed):
    graph.draws = (Draw("column", "local"),)
    model = to_module(compiled(graph), seed)
    torch.manual_seed(seed)
    inputs = [torch.randn(2, WIDTH) for _ in graph.inputs]
    (expected,) = evaluate(graph, inputs, model.state_dict())
    for training in (False, True):  # nothing is ever dropped, but all conditions are in the code
        torch.testing.assert_close(model.train(training)(*inputs), expected)
    if seed == 0:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scripted = torch.jit.script(model)
        for training in (False, True):
            torch.testing.assert_close(scripted.train(training)(*inputs), expected)


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(networks(drop=0.4), st.integers(0, 1000))
def test_dropped_branches_agree_with_the_graph(graph, seed):
    graph.draws = (Draw("column", "mixed", 0.5),)
    model = to_module(compiled(graph)).train()
    inputs = [torch.randn(2, WIDTH) for _ in graph.inputs]
    oracle = Training(graph, model.state_dict(), sys.modules[type(model).__module__])
    torch.manual_seed(seed)
    (expected,) = oracle.run(graph, inputs)
    torch.manual_seed(seed)
    torch.testing.assert_close(model(*inputs), expected)
