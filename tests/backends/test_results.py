"""The result of a module: the outputs of its mode, and a single output as a tensor.

The same for the live module, its source as a file, TorchScript and an exported program.
"""

import itertools
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from archspec_torch.module import to_module
from archspec_torch.source import python_source
from archspec_torchscript.script import to_torchscript
from tests.backends.scripts import saved

WHEN = {"always": "", "training": " when training", "inference": " when not training"}
FORMS = {"tensor": "x * {0}", "pair": "(x * {0}, x + {0})", "nested": "(x, (x * {0}, x + {0}))"}
CASES = [
    pytest.param(cases, id="-".join(cases))
    for count in (1, 2, 3)
    for cases in itertools.product(WHEN, repeat=count)
    if all(any(case in ("always", mode) for case in cases) for mode in ("training", "inference"))
]


class Said(NamedTuple):
    """The declaration of an output in the spec."""

    name: str
    value: object


def spec(cases, forms):
    lines = ["network net {", "  input x: f32[B = 1, 4]"]
    for number, (case, form) in enumerate(zip(cases, forms, strict=True)):
        lines.append(f"  output o{number} = {FORMS[form].format(number + 2)}{WHEN[case]}")
    return "\n".join([*lines, "}"])


def value(form, factor, x):
    pair = (x * factor, x + factor)
    return {"tensor": pair[0], "pair": pair, "nested": (x, pair)}[form]


def expected_outputs(cases, forms, training, x):
    """Name and value of each output in a mode."""
    mode = "training" if training else "inference"
    return [
        Said(f"o{number}", value(form, number + 2, x))
        for number, (case, form) in enumerate(zip(cases, forms, strict=True))
        if case in ("always", mode)
    ]


def from_a_file(compiled, folder):
    text, name = python_source(compiled)
    space = {"__name__": "net"}
    path = folder / "net.py"
    path.write_text(text, encoding="utf-8")
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), space)
    return space[name]()


def assert_returns(found, wanted):
    if len(wanted) == 1:
        assert type(found) is type(wanted[0].value)
        torch.testing.assert_close(found, wanted[0].value)
        return
    assert found._fields == tuple(one.name for one in wanted)
    for given, one in zip(found, wanted, strict=True):
        torch.testing.assert_close(given, one.value)


@pytest.mark.parametrize("cases", CASES)
def test_outputs_missing_in_a_mode_are_not_in_its_result(network, cases, tmp_path):
    forms = list(itertools.islice(itertools.cycle(FORMS), len(cases)))
    compiled = network(spec(cases, forms)).compiled
    model, x = to_module(compiled), torch.randn(2, 4)
    script = to_torchscript(compiled)
    for one in (model, from_a_file(compiled, tmp_path), script, saved(script)):
        for training in (True, False, True):
            assert_returns(one.train(training)(x), expected_outputs(cases, forms, training, x))
    for training in (True, False):
        program = torch.export.export(model.train(training), (x,))
        assert_returns(program.module()(x), expected_outputs(cases, forms, training, x))


def inner(cases):
    names = [f"o{number}" for number in range(len(cases))]
    made = zip(names, cases, strict=True)
    lines = [
        f"  output {name} = h -> {name}: linear({number + 2}){WHEN[case]}"
        for number, (name, case) in enumerate(made)
    ]
    return "\n".join(
        ["network inner {", "  input x: f32[B = 1, 4]", "  h = x -> fc: linear(4)", *lines, "}"]
    )


def outer(cases, read):
    """The sum of the means of the outputs in `read`, in each mode."""
    calls = []
    for mode in ("training", "inference"):
        there = [number for number, case in enumerate(cases) if case in ("always", mode)]
        targets = ", ".join(f"r{number}" for number in there)
        wanted = [f"(r{number} -> mean)" for number in there if number in read] or ["1.0"]
        calls.append(
            f"input x\n    {targets} = x -> body: inner\n    output x * ({' + '.join(wanted)})"
        )
    return (
        "network net {\n  input x: f32[B = 1, 4]\n"
        f"  output x -> if training {{\n    {calls[0]}\n  }} else {{\n    {calls[1]}\n  }}\n}}"
    )


@pytest.mark.parametrize("read", [(0,), (0, 1, 2), (1, 2), ()], ids=str)
@pytest.mark.parametrize("cases", CASES)
def test_nested_network_returns_only_existing_outputs(network, cases, read):
    net = network(f"{inner(cases)}\n{outer(cases, read)}", "net")
    model, x = to_module(net.compiled, seed=1), torch.randn(3, 4)
    script = to_torchscript(net.compiled, module=model)
    for training in (True, False):
        there = [
            item.name for item in expected_outputs(cases, ["tensor"] * len(cases), training, x)
        ]
        body = model.train(training).body
        made = {name: getattr(body, name)(body.fc(x)) for name in there}
        found = body(x)
        found = [found] if isinstance(found, Tensor) else list(found)
        torch.testing.assert_close(found, list(made.values()))
        wanted = [made[f"o{number}"].mean() for number in read if f"o{number}" in made]
        expected = x * (sum(wanted) if wanted else 1.0)
        for one in (model, script.train(training), saved(script).train(training)):
            torch.testing.assert_close(one(x), expected)
