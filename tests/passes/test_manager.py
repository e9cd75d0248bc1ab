"""The contract of a pass: how it is found, configured, ordered, and verified."""

import sys
from dataclasses import replace
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest
import torch
from typer.testing import CliRunner

import archspec
from archspec import extensions
from archspec.cli.main import app
from archspec.diagnostics.failure import CompileFailed
from archspec.graph.edit import Edit
from archspec.graph.mapping import map_network
from archspec.graph.model import Instance, Port
from archspec.graph.verify import verify_network
from archspec.ops.convolution import Conv
from archspec.options import Options
from archspec.passes import registry
from archspec.passes.base import Outcome
from archspec.passes.manager import VERIFY
from archspec.passes.no_dropout import NoDropout
from tests.graph.test_verify import with_callee, with_node, with_op, with_region

TEXT = """\
block unit(width: int) { a: conv(width, 3, padding=0) -> b: conv(width, 5, padding=0) }

network net {
  input x: f32[B = 2, 4, H = 16, W = 16], y: f32[B, 4, H, W]
  a, b = (x, y) -> { input x, y
    output (x, y) -> sub
    output y -> max_pool(1) }
  spare = x -> unused: conv(8, 3)
  output a -> dropout(0.5) -> unit(8) -> pool: max_pool(2) -> norm: batch_norm
    -> iteration: iterate([c: conv(8, 3), d: conv(8, 1)] -> add -> dropout(0.1), 3)
}
"""


@pytest.fixture
def net(tmp_path):
    path = tmp_path / "net.arch"
    path.write_text(TEXT)
    return archspec.load(path)


class Changed:
    """A pass of another package, from a function of the inference graph."""

    summary = "a change"
    options: type[Options] = Options
    after: tuple[str, ...] = ()

    def __init__(self, change, name="changed", after=()):
        self.change, self.name, self.after = change, name, after

    def run(self, network, options):
        return Outcome(replace(network, inference=self.change(network.inference)))


@pytest.fixture
def install(monkeypatch):
    """Register passes, valid or not, as if they were those of a package `somebody`."""
    module, points = ModuleType("somebody"), []
    monkeypatch.setitem(sys.modules, "somebody", module)

    def entry_points(group, name=None):
        named = [point for point in points if name in (None, point.name)]
        return named if group == registry.KIND.group else original(group=group, name=name)

    original = extensions.entry_points
    monkeypatch.setattr(extensions, "entry_points", entry_points)

    def found(one, name=None, attribute=None):
        name = name or one.name
        attribute = attribute or name.upper()
        if one is not None:
            setattr(module, attribute, one)
        points.append(EntryPoint(name, f"somebody:{attribute}", registry.KIND.group))

    return found


def faults(action):
    with pytest.raises(CompileFailed) as failure:
        action()
    return [(item.code, item.message) for item in failure.value.diagnostics]


def fault(action):
    """The only diagnostic, with its notes."""
    with pytest.raises(CompileFailed) as failure:
        action()
    (found,) = failure.value.diagnostics
    return found


def takes_a_key(block):
    return with_node(block, "b", lambda n: replace(n, instance=replace(n.instance, key="a")))


def forgets_regions(graph):
    """Only nodes in the graph itself are widened."""
    return with_region(
        graph, "iteration", lambda b: with_node(b, "c", lambda n: with_op(n, width=4))
    )


WRONG = {
    "regions are forgotten": (forgets_regions, "layer: node 1 (c): it yields f32[B, 4, "),
    "a requirement is dropped": (
        lambda g: with_node(g, "norm", lambda n: replace(n, requirements=())),
        "(norm): a requirement is missing",
    ),
    "ports are reordered": (
        lambda g: with_node(g, "iteration", lambda n: replace(n, inputs=(Port(0),))),
        "(iteration): ",
    ),
    "a type is stale": (
        lambda g: with_node(g, "pool", lambda n: with_op(n, kernel=3)),
        "(pool): it yields ",
    ),
    "a key is given twice": (
        lambda g: with_callee(
            g,
            "unit",
            lambda b: with_node(
                b, "b", lambda n: replace(n, instance=replace(n.instance, key="a"))
            ),
        ),
        "unit: node 2 (a'2): the key `a` is also that of node 1 (a)",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_faulty_pass_is_reported_with_the_node(net, install, kind):
    change, where = WRONG[kind]
    install(Changed(change))
    ((code, message),) = faults(lambda: net.apply("changed"))
    assert code == "E0911"
    assert message.startswith("the result of the pass `changed` does not verify: ")
    assert where in message


def test_pass_that_mutates_its_input_is_reported(net, install):
    def spoil(graph):
        graph.nodes[-1].instance.key = "other"
        return graph

    install(Changed(spoil))
    assert faults(lambda: net.apply("changed")) == [
        (
            "E0911",
            "the pass `changed` changes the network that it is given: net: node 9 (iteration)",
        )
    ]


def test_innermost_mutated_graph_is_named(net, install):
    def spoil(graph):
        (call,) = [node for node in graph.nodes if node.callee is not None]
        call.callee.outputs = call.callee.outputs * 2
        return graph

    install(Changed(spoil))
    ((_, message),) = faults(lambda: net.apply("changed"))
    assert message.endswith("changes the network that it is given: unit")


def inserts_what_does_not_fit(graph):
    Edit(graph).insert(Instance("wide", Conv(width=9, kernel=3, groups=3)), [Port(0)])


def erases_what_is_read(graph):
    Edit(graph).erase(2)


def asks_for_a_node_that_is_gone(graph):
    return Edit(graph).node(700)


FAILING = {
    inserts_what_does_not_fit: "OpError: `conv` ",
    erases_what_is_read: "ValueError: node 2 is an input, or is still read",
    asks_for_a_node_that_is_gone: "KeyError: 700",
}


@pytest.mark.parametrize("change", FAILING)
def test_exception_in_a_pass_is_reported_with_its_location(net, install, change):
    def first(graph):
        line = change.__code__.co_firstlineno + 1
        places.append(f"raised in {__file__}:{line}, in `{change.__name__}`")
        return change(graph)

    places = []
    install(Changed(first))
    found = fault(lambda: net.apply("changed"))
    assert found.code == "E0911"
    wanted = f"the pass `changed` (somebody:CHANGED) failed: {FAILING[change]}"
    assert found.message.startswith(wanted)
    assert found.notes == tuple(places)


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        (None, "`run` returns NoneType, not an Outcome"),
        (Outcome(None), "`run` returns an Outcome of NoneType, not of a Compiled network"),
    ],
)
def test_pass_that_returns_no_network_is_reported(net, install, monkeypatch, outcome, message):
    monkeypatch.delenv(VERIFY)
    one = Changed(None)
    one.run = lambda network, options: outcome
    install(one)
    wanted = f"the pass `changed` (somebody:CHANGED) failed: TypeError: {message}"
    assert faults(lambda: net.apply("changed")) == [("E0911", wanted)]


def test_result_that_breaks_verification_is_an_error_of_the_pass(net, install):
    install(Changed(lambda graph: None))
    ((code, message),) = faults(lambda: net.apply("changed"))
    assert code == "E0911"
    assert message.startswith(
        "the pass `changed` (somebody:CHANGED) returns a network that cannot be "
        "verified: AttributeError: "
    )


def test_bug_in_our_own_pass_is_an_internal_error(net, monkeypatch):
    def run(self, network, options):
        raise ZeroDivisionError

    monkeypatch.setattr(NoDropout, "run", run)
    with pytest.raises(ZeroDivisionError):
        net.apply("no_dropout")


class Nothing:
    name = "nothing"
    summary = "nothing"

    def run(self, network, options):
        return Outcome(network)


class Late(Nothing):
    options = Options
    after = "fold"


class Renamed(Late):
    after = ("fold",)


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (None, "cannot be loaded: AttributeError: module 'somebody' has no attribute 'IT'"),
        (Nothing(), "has no `options`, `after`"),
        (Nothing, "is a class, not an object"),
        (Renamed(), "calls itself `nothing`"),
    ],
)
def test_an_object_that_is_not_a_pass_is_reported_when_it_is_loaded(net, install, one, message):
    install(one, "it")
    wanted = f"the pass `it` (somebody:IT) {message}"
    assert faults(lambda: net.apply("it")) == [("E0910", wanted)]


def test_a_string_is_not_a_list_of_passes(net, install):
    install(Late(), "nothing", "IT")
    wanted = "`after` of the pass `nothing` (somebody:IT) should be a valid tuple"
    assert faults(lambda: net.apply("nothing")) == [("E0910", wanted)]


def test_faulty_pass_is_not_an_internal_error_on_the_command_line(tmp_path, install, monkeypatch):
    path = tmp_path / "net.arch"
    path.write_text(TEXT)
    install(Changed(asks_for_a_node_that_is_gone))
    arguments = ["show", str(path), "--pass", "changed"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1
    assert (
        "error[E0911]: the pass `changed` (somebody:CHANGED) failed: KeyError: 700" in done.output
    )
    assert "Traceback" not in done.output
    monkeypatch.setenv("ARCHSPEC_DEBUG", "1")
    assert "Traceback" in CliRunner().invoke(app, arguments).output


def test_without_the_flag_nothing_is_verified(net, install, monkeypatch):
    monkeypatch.delenv(VERIFY)
    install(Changed(WRONG["a type is stale"][0]))
    assert verify_network(net.apply("changed").compiled)


def test_passes_run_in_requested_order_except_for_after(net, install):
    ran = []
    install(Changed(lambda graph: ran.append("changed") or graph))
    made = net.fold().apply("changed").apply("prune")
    assert [item.request.name for item in made.applied] == ["changed", "prune", "fold"]
    assert made.folding is not None
    assert made.whole is net.compiled
    assert ran == ["changed"]  # not again for the next pass


def test_circular_order_of_passes_is_refused(net, install):
    install(Changed(lambda graph: graph, name="one", after=("two",)))
    install(Changed(lambda graph: graph, name="two", after=("one",)))
    assert faults(lambda: net.apply("one").apply("two")) == [
        ("E0910", "the passes `one`, `two` must each run before another of them")
    ]


OURS = "`extract`, `flatten`, `fold`, `no_dropout`, `prune`, `strip`, `swap`"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("foldd", {}, f"there is no pass `foldd`; there are {OURS}"),
        ("extract", {}, "the pass `extract` needs `column`"),
        (
            "extract",
            {"colum": 1},
            "the pass `extract` has no option `colum`; its options are `column`, `draw`",
        ),
        ("fold", {"x": 1}, "the pass `fold` has no option `x`; it has none"),
        (
            "extract",
            {"column": "a"},
            "the option `column` of the pass `extract` should be a valid integer, but it is 'a'",
        ),
    ],
)
def test_unknown_pass_is_named(net, name, options, message):
    assert faults(lambda: net.apply(name, **options)) == [("E0910", message)]


def test_error_for_an_unknown_pass_lists_the_known_ones(net, install):
    install(Changed(None))
    install(Nothing(), "broken")
    found = fault(lambda: net.apply("chagned"))
    assert found.fix.message == "write `changed`"
    assert found.notes[0] == "`changed`: a change"
    assert "`no_dropout`: no dropout in inference; training is unchanged" in found.notes
    assert not any(note.startswith("`broken`") for note in found.notes)


def test_strip_preserves_values_and_removes_dropout(net):
    found = net.apply("strip")
    assert verify_network(found.compiled) == ()
    assert "dropout" not in str(found.to_torch())
    assert [node.op.name for node in net.compiled.inference.nodes if node.op].count("dropout") == 1
    data = torch.randn(2, 4, 16, 16), torch.randn(2, 4, 16, 16)
    state = net.to_torch(seed=3).state_dict()
    wanted = net.to_torch(weights=state).eval()(*data)
    assert torch.equal(found.to_torch(weights=state).eval()(*data), wanted)


def test_prune_keeps_only_needed_weights(net):
    found = net.apply("prune")
    assert found.unused_parameters == 0
    assert found.parameters == net.parameters - net.unused_parameters < net.parameters
    state = net.to_torch(seed=3).state_dict()
    assert [*found.to_torch(weights=state).state_dict()] == [
        name for name in state if not name.startswith("unused.")
    ]


def test_short_custom_pass(net):
    """The example in docs/architecture.md."""

    def without_pools(graph):
        edit = Edit(graph)
        for node in graph.nodes:
            if node.op is not None and node.op.name == "max_pool" and node.op.kernel == (1, 1):
                edit.bypass(node.id)
        return edit.graph()

    assert verify_network(map_network(net.compiled, without_pools)) == ()
