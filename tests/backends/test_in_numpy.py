"""A backend that only uses `graph.codegen` passes the kit and skips what is dropped."""

import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location

import numpy as np
import pytest

from archspec.graph.build import Building
from archspec.graph.compiled import Compiled
from archspec.ops.base import type_of_text
from archspec.ops.registry import all_ops
from archspec.targets import BuildRequest
from archspec.targets.conformance import examine, examine_coverage, network_examples
from archspec.types.dim import dim
from tests.backends.in_numpy import NumpyBackend

EXAMPLES = [*network_examples()]
WITHOUT = {"iterate": "iterate", "scan": "scan", "gated": "gated"}


def imported(path):
    spec = spec_from_file_location("built_in_numpy", path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.name)
def test_values(example, tmp_path):
    def run(files, inputs, training):
        module = imported(files[0])
        return (module.training if training else module.inference)(example.weights, *inputs)

    found = examine(example, NumpyBackend(), run, tmp_path)
    assert found.faults == ()
    assert (found.uncovered == ()) is (example.name not in WITHOUT)


def test_coverage():
    assert examine_coverage(NumpyBackend()) == ()


def op(name, **attributes):
    return all_ops()[name](**attributes)


def columns():
    """Two layers whose outputs are joined by the caller, which passes the set it needs."""
    block = Building("columns")
    x = block.input("x", type_of_text("f32[2, 3]"))
    for name in "abc":
        block.output(name, *block.op(op("linear", width=3), x, key=name))
    return block.graph()


def built(tmp_path, building):
    """The module of a network, with weights, and the names of the layers that ran."""
    graph = building.graph()
    network = Compiled("net", graph, graph)
    (path,) = NumpyBackend().build(BuildRequest(network, tmp_path))
    module, ran = imported(path), []
    linear = module.linear
    module.linear = lambda w, at, x: (ran.append(at), linear(w, at, x))[1]
    rng = np.random.default_rng(3)
    names = [f"{key}.weight" for key in ("in.a", "in.b", "in.c", "one", "two")]
    return module, {name: rng.normal(size=(3, 3)) for name in names}, ran


def test_dropped_branches_are_not_computed_in_called_blocks(tmp_path):
    net = Building("net", "network")
    x = net.input("x", type_of_text("f32[2, 3]"))
    parts = net.call(columns(), x, key="in")
    net.output("y", *net.op(op("join", drop=0.5), *parts))
    module, weights, ran = built(tmp_path, net)
    x = np.ones((2, 3))
    seen = set()
    for _ in range(60):
        ran.clear()
        (found,) = module.training(weights, x)
        kept = [x @ weights[f"{name}.weight"].T for name in ran]
        np.testing.assert_allclose(found, sum(kept) / len(kept))
        seen.add(tuple(ran))
    assert len(seen) == 7  # every nonempty set of branches
    ran.clear()
    module.inference(weights, x)
    assert ran == ["in.a", "in.b", "in.c"]


def test_gated_branch_is_computed_only_if_kept(tmp_path):
    net = Building("net", "network")
    x = net.input("x", type_of_text("f32[2, 3]"))
    (y,) = net.op(op("linear", width=3, bias=False), x, key="one")
    (y,) = net.op(op("linear", width=3, bias=False), y, key="two")
    (y,) = net.op(op("drop_path", p=0.25, mode="batch"), y)
    net.output("y", *net.op(op("add"), x, y))
    module, weights, ran = built(tmp_path, net)
    x, counts = np.ones((2, 3)), []
    branch = x @ weights["one.weight"].T @ weights["two.weight"].T
    for _ in range(200):
        ran.clear()
        (found,) = module.training(weights, x)
        assert ran in ([], ["one", "two"])
        np.testing.assert_allclose(found, x + branch / 0.75 if ran else x)
        counts.append(bool(ran))
    assert 0.6 < np.mean(counts) < 0.9
    np.testing.assert_allclose(module.inference(weights, x)[0], x + branch)


def test_sizes_not_known_from_inputs_are_passed(tmp_path):
    kind = type_of_text("f32[B, N, 6]")
    rows = kind.shape[0] * kind.shape[1]
    block = Building("block")
    h = block.input("h", kind.with_shape(rows, dim(6)))
    block.output("y", *block.op(op("reshape", shape=kind.shape), h))
    net = Building("net", "network")
    x = net.input("x", kind)
    (flat,) = net.op(op("reshape", shape=(rows, dim(6))), x)
    net.output("y", *net.call(block.graph(), flat, key="in"))
    graph = net.graph()
    (path,) = NumpyBackend().build(BuildRequest(Compiled("net", graph, graph), tmp_path))
    x = np.arange(48.0).reshape(2, 4, 6)
    assert np.array_equal(imported(path).inference({}, x)[0], x)


def test_graph_package_and_conformance_kit_do_not_import_torch():
    code = "import sys, tests.backends.in_numpy, archspec.targets.conformance; "
    code += "from archspec.graph.codegen import chains, draws, repeats; "
    code += "assert not {'torch', 'archspec_torch'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True)
