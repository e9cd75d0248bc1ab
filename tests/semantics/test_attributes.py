"""How attributes are given: each at most once in a call, some by name only."""

from __future__ import annotations

import pytest

from archspec.diagnostics.model import CompileFailed
from archspec.ops.base import Op
from archspec.ops.registry import all_ops
from archspec.semantics.attributes import positional
from archspec.semantics.compile import check
from archspec.semantics.words import takes_initialiser
from archspec.source import Source
from archspec.types.initialiser import INITIALISERS
from tests.semantics.specs import compiled, errors, layer, network, output, weights

BLOCKS = """
block unit(width: int, kernel: int = 3) { conv(width, kernel, bias=false) }
inline block inlined(width: int, kernel: int = 3) { conv(width, kernel, bias=false) }
rule ruled(width, kernel) => conv(width, kernel, bias=false)
network inner(width: int = 2, kernel: int = 3) {
  input x: f32[B = 1, 4, H = 8, W = 8]
  output x -> c: conv(width, kernel)
}
preset small = inner(kernel=1)
"""

CALLEES = ("conv", "unit", "inlined", "ruled", "inner", "small", "(a: conv)", "(a: unit)", "known")
TWICE = ("8, 3, width=3", "8, kernel=5, kernel=7", "width=8, kernel=3, width=8", "width=8, 3, 5")


@pytest.mark.parametrize("attributes", TWICE)
@pytest.mark.parametrize("callee", CALLEES)
def test_nothing_is_given_twice_in_one_call(callee: str, attributes: str) -> None:
    text = network(
        "known = conv(groups=1)", f"output x -> {callee}({attributes})", head=BLOCKS + "\n"
    )
    given = {"small": "8, 1, width=3, kernel=1"}.get(callee, attributes)
    assert errors(text.replace(attributes, given)) == ["E0303"]


@pytest.mark.parametrize("op", all_ops().values(), ids=all_ops().keys())
def test_no_attribute_of_any_op_is_given_twice(op: type[Op]) -> None:
    order = [op.variadic] if op.variadic else [*positional(op)]
    for index, name in enumerate(order):
        values = ["zeros" if takes_initialiser(op, key) else "1" for key in order[: index + 1]]
        for earlier in (values, [f"{name}={values[-1]}"]):
            given = ", ".join([*earlier, f"{name}={values[-1]}"])
            text = network(f"output x -> {op.name}({given})")
            (item,) = check(Source("spec.arch", text)).diagnostics
            assert (item.code, item.message) == ("E0303", f"`{op.name}` is given `{name}` twice")


@pytest.mark.parametrize("name", INITIALISERS)
def test_no_attribute_of_an_initialiser_is_given_twice(name: str) -> None:
    for field in INITIALISERS[name].model_fields:
        given = f"{field}=1, {field}=1"
        assert errors(layer(f"conv(4, 1, weight_init={name}({given}))")) == ["E0303"]
    for field in list(INITIALISERS[name].model_fields)[:1]:
        assert errors(layer(f"conv(4, 1, weight_init={name}(1, {field}=1))")) == ["E0303"]


def test_presets_and_layers_from_outside() -> None:
    text = network("output x -> f", head="").replace("net {", "net(f: layer = relu) {")
    assert errors(text + "preset p = net(relu, f=gelu)") == ["E0303"]
    with pytest.raises(CompileFailed, match="E0303"):
        compiled(text, f="conv(8, 3, width=3)")


def test_regions_and_open_attributes() -> None:
    assert errors(layer("gated(conv(4, 3), layer=relu)")) == ["E0303"]
    assert errors(layer('rearrange("b c (h k) w -> b c h k w", k=2, k=4)')) == ["E0303"]
    assert errors(layer("permute(0, 1, 2, 3, axes=[0, 1, 2, 3])")) == ["E0303"]


def test_over_an_earlier_call_names_win() -> None:
    text = network(
        "f = c: conv(8, 3, bias=false)",
        "g = permute(0, 1, 2, 3)",
        "output x -> f(width=6)(kernel=5)(kernel=7) -> g(axes=[0, 3, 2, 1])",
    )
    assert weights(text) == {"c.weight": (6, 4, 7, 7)}
    assert output(text) == "f32[B, W, H, 6]"
    again = network("g = permute(axes=[0, 3, 2, 1])", "output x -> g(0, 1, 3, 2)")
    assert output(again) == "f32[B, 4, W, H]"


@pytest.mark.parametrize("call", ["len(list=[1, 2])", "ceil_div(b=7, a=2)", "zip(a=[1])"])
def test_functions_of_values_take_no_names(call: str) -> None:
    assert errors(layer(f"conv({call}, 1)")) == ["E0302"]


def test_initialisers_take_spreads() -> None:
    assert errors(layer("conv(4, 1, weight_init=normal(...[0.1, 0.2]))")) == []
    assert errors(layer("conv(4, 1, weight_init=normal(...[]))")) == []
    assert errors(layer("conv(4, 1, weight_init=normal(...[1, 2, 3]))")) == ["E0302"]
    assert errors(layer('tap(relu, paths="a")')) == ["E0302"]
