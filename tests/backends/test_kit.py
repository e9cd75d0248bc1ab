"""Our backends pass the conformance kit, which is for every backend."""

import sys
import warnings
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location

import numpy as np
import pytest
import torch

from archspec.graph.verify import verify_network
from archspec.ops.registry import all_ops
from archspec.targets import Uncovered, Weights, backend
from archspec.targets.conformance import (
    examine,
    examine_coverage,
    network_examples,
    op_example,
    op_examples,
)
from archspec_torch.backend import TorchBackend
from tests.backends.graphs import region
from tests.ops.formulas.table import cases_of, references

EXAMPLES = [*network_examples(), *op_examples()]


def flat(found):
    if isinstance(found, torch.Tensor):
        return [found.detach().numpy()]
    return [value for one in found for value in flat(one)]


def applied(module, inputs, training):
    with torch.no_grad():
        return flat(module.train(training)(*map(torch.from_numpy, inputs)))


def run_source(files, inputs, training):
    """Import the source as a user does, and load the weights file next to it."""
    source, weights = files
    spec = spec_from_file_location("built_by_kit", source)
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    net = module.Net()
    net.load_state_dict(torch.load(weights, weights_only=True))
    return applied(net, inputs, training)


def run_script(files, inputs, training):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return applied(torch.jit.load(files[0]), inputs, training)


RUN = {"torch": run_source, "torchscript": run_script}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.name)
def test_examples_verify(example):
    assert verify_network(example.network) == ()


@pytest.mark.parametrize("target", RUN)
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.name)
def test_values(target, example, tmp_path):
    found = examine(example, backend(target), RUN[target], tmp_path)
    assert (found.uncovered, found.faults) == ((), ())


@pytest.mark.parametrize("target", RUN)
def test_coverage(target):
    assert examine_coverage(backend(target)) == ()


@pytest.mark.parametrize("name", sorted(references()))
def test_formulas_of_other_packages_become_examples(name, tmp_path):
    """Coverage of all ops; `tests/ops/test_values.py` compares these in double precision."""
    held, case = references()[name], cases_of(name)[0]
    op, rng = all_ops()[name](**case.attributes), np.random.default_rng(0)
    example = op_example(
        op,
        case.types,
        lambda *inputs, **weights: held.run(op, *inputs, **weights),
        inputs=[held.draw(rng, kind, at, op) for at, kind in enumerate(case.types)],
        regions=[region(key, graph, "inner") for key, graph in case.regions.items()],
    )
    found = examine(example, backend("torch"), run_source, tmp_path)
    assert (found.uncovered, found.faults) == ((), ())


class Wrong(TorchBackend):
    """The torch backend with one fault."""

    def __init__(self, change=lambda request: request, files=lambda files: files, covered=None):
        self.change, self.files, self.covered = change, files, covered

    def coverage(self, network):
        return super().coverage(network) if self.covered is None else self.covered(network)

    def build(self, request):
        return self.files(super().build(self.change(request)))


def other_weights(change):
    """A fault: the weights are changed by `change`."""
    return lambda request: replace(
        request, weights=Weights(change(dict(request.weights.tensors)), "wrong")
    )


def taken(name, instead):
    """A fault: weights with `name` in their names have the values of those with `instead`."""
    return other_weights(lambda given: {key: given[key.replace(name, instead)] for key in given})


def moved(name):
    """A fault: one weight has a different value."""
    return other_weights(lambda given: {**given, name: given[name] + 1})


def other_run(change):
    """A fault: the results of a run are changed by `change`."""
    return lambda files, inputs, training: change(run_source(files, inputs, training))


MUTANTS = {
    "weights by name": (
        Wrong(taken("body.second", "head")),
        run_source,
        "has other values",
    ),
    "sharing": (
        Wrong(taken("own", "shared")),
        run_source,
        "has other values",
    ),
    "modes": (
        Wrong(),
        lambda files, inputs, training: run_source(files, inputs, False),
        "in training for [6, 3]: output 0 has other values",
    ),
    "several outputs": (Wrong(), other_run(lambda found: found[::-1]), "has other values"),
    "free sizes": (
        Wrong(),
        lambda files, inputs, training: run_source(files, [one[:, :1] for one in inputs], training),
        "in inference for [2, 5, 3]: output 0 is [2, 20], but it gives [2, 4]",
    ),
    "iterate": (Wrong(), other_run(lambda found: found[:1]), "there are 2 outputs, but it gives 1"),
    "argmax": (
        Wrong(),
        other_run(lambda found: [one.astype(np.float32) for one in found]),
        "output 0 is of int64, but it gives float32",
    ),
    "relu": (Wrong(files=lambda files: files[:1]), run_source, "but does not return it"),
    "tanh": (Wrong(files=lambda files: ()), run_source, "`build` returns no files"),
    "exp": (
        Wrong(files=lambda files: (*files, files[0].with_suffix(".x"))),
        run_source,
        "`build` returns net.x, which does not exist",
    ),
    "gelu": (
        Wrong(
            covered=lambda network: [
                Uncovered(network.inference, replace(network.inference.nodes[0]), "no")
            ]
        ),
        run_source,
        "names a node that is not in its graph",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_wrong_backends_are_detected(name, tmp_path):
    wrong, run, message = MUTANTS[name]
    example = next(one for one in EXAMPLES if one.name == name)
    found = examine(example, wrong, run, tmp_path)
    assert any(message in fault for fault in found.faults), found


@pytest.mark.parametrize("example", [*network_examples()], ids=lambda one: one.name)
def test_each_example_detects_swapped_weights(example, tmp_path):
    """Every one of its weights affects the output."""
    for name in example.weights:
        place = tmp_path / name
        place.mkdir()
        counted = not name.endswith("num_batches_tracked")
        assert bool(examine(example, Wrong(moved(name)), run_source, place).faults) is counted, name


def test_gated_example_covers_all_some_and_no_samples():
    (example,) = (one for one in network_examples() if one.name == "gated")
    gates = [tuple(run.inputs[0].sum(1) > 0) for run in example.runs]
    assert {(True,), (False,)} < set(gates)
    assert {True, False} <= set(gates[-1])


def test_incomplete_coverage_is_detected():
    def shallow(network):
        graph = network.inference
        return [Uncovered(graph, node, "no") for node in graph.nodes if node.op is not None]

    assert len(examine_coverage(Wrong(covered=shallow))) == 4
    assert len(examine_coverage(Wrong(covered=lambda network: ()))) == 5


def test_uncovered_ops_are_reported_and_not_built(tmp_path):
    example = next(one for one in EXAMPLES if one.name == "relu")
    graph = example.network.inference
    wrong = Wrong(covered=lambda network: [Uncovered(graph, graph.nodes[-1], "too hard")])
    assert examine(example, wrong, run_source, tmp_path).uncovered == ("relu: too hard",)
    assert [*tmp_path.iterdir()] == []
