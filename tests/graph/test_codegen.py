"""The analyses of units in `graph.codegen`: repeats, chains, names, draws, demand, sizes."""

from functools import reduce
from itertools import product

import pytest

import archspec
from archspec.graph.build import Building
from archspec.graph.codegen.chains import chains, is_inside
from archspec.graph.codegen.conditions import ALWAYS, NEVER, both, either, given, only_flag, single
from archspec.graph.codegen.demand import demands
from archspec.graph.codegen.draws import draws
from archspec.graph.codegen.identifiers import Names, camel_case, numbered, suffixes
from archspec.graph.codegen.interface import inputs_of, ports_of
from archspec.graph.codegen.progressions import ITERATION, progression
from archspec.graph.codegen.repeats import (
    Alternating,
    Form,
    Formula,
    Same,
    Steps,
    Table,
    columns,
    iterations,
    runs,
)
from archspec.graph.codegen.sizes import localise
from archspec.graph.compiled import Compiled
from archspec.graph.expression import Name, Number, Operation, simplified
from archspec.graph.units import plan
from archspec.ops.base import type_of_text
from archspec.ops.registry import all_ops
from archspec.shipped import networks
from archspec.types.dim import Dim
from archspec.types.tensor import DType, TensorType

FORMS = [Form("conv", (8, 0.1)), *(Form("conv", (8 * n, 0.1)) for n in (1, 2, 3)), Form("pool")]


def test_runs_exclude_forms_without_a_pattern():
    assert runs(FORMS) == [1, 3, 1]
    assert [*columns(FORMS[1:4])] == [Steps(8, 8), Same(0.1)]
    assert runs([Form("a", (1,)), Form("a", (5,)), Form("a", (2,))]) == [1, 1, 1]
    drops = [Form("a", (p,)) for p in (0.1, 0.3, 0.2)]
    assert (runs(drops), [*columns(drops)]) == ([3], [Table((0.1, 0.3, 0.2))])
    assert runs([Form("a")] * 3, ["x0", "x1", "y"]) == [2, 1]


def test_constants_alternate_in_four_items_or_more():
    shifts = [Form("a", (n % 2,)) for n in range(4)]
    assert (runs(shifts), [*columns(shifts)]) == ([4], [Alternating()])
    assert runs(shifts[:3]) == [1, 1, 1]
    assert runs([*shifts[:3], Form("a", (5,))]) == [1, 1, 1, 1]


def times(*operands):
    return reduce(lambda a, b: simplified(Operation("*", (a, b))), operands)


DROP, ELEVEN = Name("drop"), Number(11)


def test_numbers_are_computed_from_the_iteration():
    rates = [Operation("/", (times(DROP, Number(n)), ELEVEN)) for n in (1, 2, 3)]
    after = Operation("+", (ITERATION, Number(1)))
    rule = Operation("/", (Operation("*", (DROP, after)), ELEVEN))
    assert progression(rates) == rule
    forms = [Form("a", (n / 110,), (rate,)) for n, rate in enumerate(rates, 1)]
    assert (runs(forms), [*columns(forms)]) == ([3], [Formula(rule)])
    widths = [times(Name("dim"), Number(2**n)) for n in range(3)]
    assert progression(widths) == times(Name("dim"), Operation("**", (Number(2), ITERATION)))
    assert progression([Number(9), Number(6)]) == Operation(
        "-", (Number(9), Operation("*", (Number(3), ITERATION)))
    )
    assert progression([DROP, Name("other"), DROP]) is None
    assert progression([rates[0], rates[2], rates[1]]) is None


def test_two_items_are_a_loop_if_their_number_has_a_name():
    forms = [Form("a", (n / 10,), (times(DROP, Number(n)),)) for n in (0, 1)]
    assert runs(forms) == [1, 1]
    assert runs(forms, counts=lambda: {2}) == [2]
    assert runs([Form("a", (n,)) for n in (3, 5)], counts=lambda: {2}) == [1, 1]


def op(name, **attributes):
    return all_ops()[name](**attributes)


def residual(count):
    net = Building("net", "network")
    x = net.input("x", type_of_text("f32[2, 4]"))
    for number in range(count):
        (y,) = net.op(op("linear", width=4), x, key=f"body.{number}")
        (y,) = net.op(op("relu"), y)
        (x,) = net.op(op("add"), y, x)
    net.output("y", x)
    return net.graph()


def test_iterations_of_nodes():
    """Each layer of a residual network is in an iteration of three nodes."""
    nodes = residual(4).nodes[1:]
    owners = [at for at, node in enumerate(nodes) if node.instance.key.startswith("body")]
    found = iterations([[at] for at in owners], len(nodes), lambda at, _: type(nodes[at].op))
    assert found == (0, 3)
    assert iterations([[0], [3], [10]], len(nodes), lambda at, _: type(nodes[at].op)) is None


def test_chains_are_nodes_in_sequence():
    net = Building("net", "network")
    x = net.input("x", type_of_text("f32[2, 4]"))
    for key in ("a.0", "a.1", "b.0", "b.1"):
        (x,) = net.op(op("linear", width=4), x, key=key)
        if key == "b.0":
            first = x
    net.output("y", *net.op(op("add"), x, first))
    graph = net.graph()
    (unit,) = plan(Compiled("net", graph, graph))
    keys = {"a.0", "a.1", "b.0", "b.1"}
    assert chains(unit, keys, lambda names: True) == {"a"}
    assert chains(unit, keys, {"0"}.isdisjoint) == frozenset()
    assert chains(unit, keys - {"a.1"}, lambda names: True) == frozenset()
    assert (is_inside("a.1", {"a"}), is_inside("a", {"a"})) == (True, False)


def test_fresh_names():
    names = Names(["x"], frozenset({"np"}), frozenset({"for"}))
    assert [names.fresh(one) for one in ("x", "x", "np", "for", "y")] == [
        "x_2",
        "x_3",
        "np_",
        "for_2",
        "y",
    ]
    assert (names.free("y"), names.free("z"), names.free("for")) == (False, True, False)
    definitions = ("conv_bn_relu", "squeezenet1_0", "wide_resnet50_2", "levit_128", "3d", "")
    assert [camel_case(one) for one in definitions] == [
        "ConvBnRelu",
        "Squeezenet1_0",
        "WideResnet50_2",
        "Levit128",
        "Block3d",
        "Block",
    ]
    assert (numbered(["l1", "l2"]), numbered(["l1", "l3"])) == (("l", 1), None)


def test_classes_of_one_definition_have_different_names():
    resnet = archspec.load(networks()["resnet50"], "resnet50")
    blocks = [unit for unit in plan(resnet.compiled) if unit.either.name == "bottleneck"]
    plain = [unit for unit in blocks if all("downsample" not in one.key for one in unit.owned)]
    others = [unit for unit in blocks if unit not in plain]
    assert suffixes([plain, others]) == ["", "Downsample"]
    assert (
        suffixes([[unit] for unit in plain[:2]])[0] != suffixes([[unit] for unit in plain[:2]])[1]
    )
    assert suffixes([plain]) == [""]


def test_conditions_are_simplified():
    one, two = single(("live", 0)), single(("live", 1))
    assert either([one, two], {"live": 2}) == ALWAYS  # one of them survives
    assert either([one], {"live": 2}) == one
    assert either([one, both(one, ("kept", -1))], {}) == one
    assert given(both(one, ("kept", -1)), one) == single(("kept", -1))
    assert (given(one, one), only_flag(one), only_flag(ALWAYS)) == (ALWAYS, ("live", 0), None)
    assert either([], {}) == NEVER


def holds(condition, flags):
    return any(all(flags[flag] for flag in part) for part in condition)


def settings(demand):
    """All values of the flags that callers and masks can have: at least one flag of each name."""
    names = [(name, index) for name, count in demand.sizes.items() for index in range(count)]
    names += [(gate.flag, -1) for gate in demand.gates.values()]
    for values in product((False, True), repeat=len(names)):
        flags = dict(zip(names, values, strict=True))
        if all(any(flags[name, at] for at in range(n)) for name, n in demand.sizes.items()):
            for name, condition in demand.named:
                flags[name, -1] = holds(condition, flags)
            yield flags


def wanted_ports(graph, demand, flags):
    """The nodes that are needed, found again by walking the graph from its outputs."""
    asked = "need" in demand.sizes
    found = {port for at, port in enumerate(graph.output_ports) if not asked or flags["need", at]}
    for node in reversed(graph.nodes):
        if found.isdisjoint(ports_of(node)):
            continue
        mask, gate = demand.masks.get(node.id), demand.gates.get(node.id)
        for at, port in enumerate(node.inputs):
            if (mask is None or flags[mask, at]) and (gate is None or flags[gate.flag, -1]):
                found.add(port)
    return found


SMALL = {"fractalnet": {"columns": 3}, "resnet_stochastic": {"depth": 20}}


@pytest.mark.parametrize("name", SMALL)
def test_a_value_is_computed_exactly_where_it_is_needed(name):
    units = plan(archspec.load(networks()[name], name, **SMALL[name]).compiled)
    known = demands(units)
    tried = 0
    for unit in units:
        for graph in unit.graphs:
            demand = known.of(unit, graph)
            if sum(demand.sizes.values()) + len(demand.gates) > 10:
                continue
            for flags in settings(demand):
                needed = wanted_ports(graph, demand, flags)
                for port, condition in demand.ports.items():
                    assert holds(condition, flags) is (port in needed)
                    tried += len(flags) > 0
    assert tried


def test_draws_and_their_readers():
    net = archspec.load(networks()["fractalnet"], "fractalnet")
    units = plan(net.compiled)
    found = draws(units)
    assert [*found.columns.values()] == [4]
    (name,) = found.columns
    assert found.read[units[-1]] == (name,)
    assert [unit for unit in units if not found.read[unit]] != []


@pytest.mark.parametrize("name", ["swin_t", "unet", "densenet121", "fcn_resnet50"])
def test_sizes_in_a_block_equal_those_of_the_network(name):
    compiled = archspec.load(networks()[name], name).compiled
    outside = {**compiled.sizes}
    for unit in plan(compiled):
        for use in unit.uses:
            (local,) = localise([[one.type_in(False) for one in inputs_of(use)]])
            inside = {key: size.evaluate(outside) for key, size in local.known.items()}
            for node in use.graph(False).nodes:
                for size in (size for kind in node.types for size in kind.shape):
                    written = local.rewrite(size)
                    extra = {local.extra_name(one): outside[one] for one in local.extra}
                    assert written.evaluate({**inside, **extra}) == size.evaluate(outside)


B, H, N = (Dim.symbol(name) for name in "BHN")


@pytest.mark.parametrize(
    ("axes", "size"),
    [
        ([H + 3], H),
        ([2 * H + 2], H * H),
        ([H // 2], (H + 4) // 8),
        ([H // 2 + 1], H // 4),
        ([B * N, N], 3 * B * N + N),
        ([B * N], B * N * 2),
        ([H], B + H // 3),
    ],
)
def test_a_size_is_read_from_the_axes_of_inputs_or_passed(axes, size):
    (local,) = localise([[TensorType(DType.F32, tuple(axes))]])
    written = local.rewrite(size)
    for values in product((4, 9, 14), repeat=3):
        outside = dict(zip("BHN", values, strict=True))
        inside = {name: known.evaluate(outside) for name, known in local.known.items()}
        extra = {local.extra_name(name): outside[name] for name in local.extra}
        assert written.evaluate({**inside, **extra}) == size.evaluate(outside)
    assert [*local.extra] == (["B"] if axes == [H] else [])
