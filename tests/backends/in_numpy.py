"""A second backend, without torch: it generates NumPy functions, using only `graph.codegen`.

Each block is one function per mode. Its arguments are the weights by name, the prefix of its names,
its inputs, and the sizes that cannot be read from these. Inputs that a join or gate drops are not
computed.
"""

import keyword

from archspec.graph.codegen.conditions import ALWAYS, NEVER
from archspec.graph.codegen.demand import demands
from archspec.graph.codegen.identifiers import Names
from archspec.graph.codegen.interface import inputs_of, ports_of
from archspec.graph.codegen.sizes import localise
from archspec.graph.model import Port
from archspec.graph.units import plan
from archspec.options import Options
from archspec.targets import Uncovered
from archspec.types.dim import Dim

RESERVED = frozenset({"np", "w", "at", "training", "need", "RNG"})

HELPERS = """
import numpy as np

RNG = np.random.default_rng(0)

def linear(w, at, x):
    bias = w.get(f"{at}.bias", 0.0)
    return x @ w[f"{at}.weight"].T + bias

def norm(w, at, x, training):
    mean, var = w[f"{at}.running_mean"], w[f"{at}.running_var"]
    if training:
        mean, var = x.mean(0), x.var(0)
    return (x - mean) / np.sqrt(var + 1e-5) * w[f"{at}.weight"] + w[f"{at}.bias"]

def survivors(count, drop, training):
    found = [not training or RNG.random() >= drop for _ in range(count)]
    if not any(found):
        found[RNG.integers(count)] = True
    return found

def join(branches, live):
    kept = [one for one, is_live in zip(branches, live) if is_live]
    return sum(kept) / len(kept)

def gated(x, branch, p, is_kept, training):
    return x + (branch / (1 - p) if training else branch) if is_kept else x
"""

OPS = {
    "linear": "linear(w, {at}, {0})",
    "batch_norm": "norm(w, {at}, {0}, training)",
    "tanh": "np.tanh({0})",
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "{0} * {op.scalar}",
    "reshape": "{0}.reshape({shape})",
    "concat": "np.concatenate([{inputs}], {op.axis})",
    "mean": "{0}.mean({op.axis})",
    "join": "join([{inputs}], {mask})",
    "drop_path": "{0}",  # of a gate: its input is added by `gated`
}


class NumpyBackend:
    name = "numpy"
    options = Options
    holds_weights = False

    def coverage(self, network):
        for graph in network.graphs:
            for node in graph.nodes:
                if node.op is not None and node.op.name not in OPS:
                    yield Uncovered(graph, node, "not written yet")

    def faults(self, network):
        return ()

    def keeps(self, name):
        return False

    def build(self, request):
        path = request.directory / f"{request.network.name}.py"
        path.write_text(module(request.network))
        return (path,)


def module(network):
    """The source of a module; its last functions are `inference` and `training`."""
    units = plan(network)
    known = demands(units)
    names = Names(("inference", "training"), RESERVED, frozenset(keyword.kwlist))
    functions, texts = {}, [HELPERS]
    for unit in units:
        for use in unit.uses:
            for training in (False, True):
                writer = Function(use, training, known, functions, names.fresh(use.either.name))
                functions[use, training] = writer
                texts.append(writer.text())
    for training, mode in enumerate(("inference", "training")):
        root = functions[units[-1], bool(training)].name
        texts.append(f"def {mode}(w, *inputs):\n    return {root}(w, '', *inputs)\n")
    return "\n".join(texts)


class Function:
    """One block in one mode."""

    def __init__(self, unit, training, known, functions, name):
        self.unit, self.training, self.functions, self.name = unit, training, functions, name
        self.graph = unit.graph(training)
        self.demand = known.of(unit, self.graph)
        self.asked = unit.owner in known.asked
        self.inputs = [one for one in inputs_of(unit) if one.node(training) is not None]
        types = [one.type_in(training) for one in self.inputs]
        (self.sizes,) = localise([types], "size_{}".format)
        taken = {*self.demand.flags, *self.sizes.known}
        names = Names(taken, RESERVED, frozenset(keyword.kwlist))
        self.variables = {Port(one.node(training).id): names.fresh(one.name) for one in self.inputs}
        self.names = names

    def text(self):
        arguments = [self.variables[Port(one.node(self.training).id)] for one in self.inputs]
        body = [line for node in self.graph.nodes if not node.is_input for line in self.node(node)]
        first = [
            f"{name} = {arguments[axis.input]}.shape[{axis.axis}]"
            for name, axis in self.sizes.where.items()
        ]
        outputs = ", ".join(self.variables[port] for port in self.graph.output_ports)
        extra = [self.sizes.extra_name(name) for name in self.sizes.extra]
        needs = ["need"] if self.asked else []
        lines = [f"training = {self.training}", *first, *self.drawn(), *body, f"return [{outputs}]"]
        head = f"def {self.name}({', '.join(['w', 'at', *arguments, *needs, *extra])}):\n"
        return head + "".join(f"    {line}\n" for line in lines)

    def drawn(self):
        for number, name in self.demand.masks.items():
            join = self.graph.node(number).op.kept_mean()
            count = len(self.graph.node(number).inputs)
            yield f"{name} = survivors({count}, {join.drop}, training)"
        for gate in self.demand.gates.values():
            yield f"{gate.flag} = not training or RNG.random() >= {gate.p}"
        for name, condition in self.demand.named:
            yield f"{name} = {spelled(condition)}"

    def node(self, node):
        condition = self.demand.nodes[node.id]
        if condition == NEVER:
            return
        for port in ports_of(node):
            self.variables[port] = self.names.fresh("y")
        names = [self.variables[port] for port in ports_of(node)]
        if condition == ALWAYS:
            yield f"{', '.join(names)}{',' if node.callee else ''} = {self.value(node)}"
            return
        yield f"{' = '.join(names)} = None"
        yield f"if {spelled(condition)}:"
        yield f"    {', '.join(names)}{',' if node.callee else ''} = {self.value(node)}"

    def value(self, node):
        inputs = [self.variables[port] for port in node.inputs]
        gate = next((item for item in self.demand.gates.items() if item[1].add == node.id), None)
        if node.callee is not None:
            return self.call(node, inputs)
        if gate is not None:
            number, how = gate
            branch = self.variables[self.graph.node(number).inputs[0]]
            return f"gated({inputs[1 - how.index]}, {branch}, {how.p}, {how.flag}, training)"
        shape = ", ".join(str(self.sizes.rewrite(size)) for size in node.types[0].shape)
        return OPS[node.op.name].format(
            *inputs,
            op=node.op,
            at=f"at + {node.instance.key!r}",
            inputs=", ".join(inputs),
            mask=self.demand.masks.get(node.id, f"[True] * {len(inputs)}"),
            shape=shape,
        )

    def call(self, node, inputs):
        callee = self.functions[self.unit.callee(node.instance), self.training]
        wanted = [f"[{', '.join(spelled(self.demand.ports[p]) for p in ports_of(node))}]"]
        extra = [str(self.sizes.rewrite(Dim.symbol(name))) for name in callee.sizes.extra]
        more = [*inputs, *(wanted if callee.asked else []), *extra]
        prefix = f"at + {f'{node.instance.key}.'!r}" if node.instance.key else "at"
        return f"{callee.name}({', '.join(['w', prefix, *more])})"


def spelled(condition):
    """A condition as a Python expression."""
    parts = [
        " and ".join(name if index < 0 else f"{name}[{index}]" for name, index in sorted(part))
        for part in sorted(condition, key=sorted)
    ]
    return " or ".join(f"({part or True})" for part in parts) or "False"
