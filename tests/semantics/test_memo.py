"""One graph per specialised block, however often it is used (the fourth property of the design)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from archspec.graph.walk import walk
from archspec.semantics.values.context import Context
from archspec.semantics.values.evaluation import EVALUATORS
from archspec.semantics.values.model import Value
from archspec.syntax import ast
from tests.semantics.specs import compiled, graphs, keys, layer, network, output

UNIT = "block unit(width: int = 4) { conv(width, 3) -> batch_norm -> relu }"


def test_a_thousand_equal_blocks_share_one_graph() -> None:
    assert graphs(layer("for i in 0..1000 { unit }", UNIT)) == 2


def test_different_arguments_or_inputs_make_different_graphs() -> None:
    assert graphs(layer("unit(8) -> unit(8) -> unit(8)", UNIT)) == 3
    assert graphs(layer("unit(4) -> unit(width=4) -> unit", UNIT)) == 2


def test_arguments_are_compared_by_value() -> None:
    head = "block f(g: layer, l: list[int] = [1, 2]) { g }"
    assert graphs(layer("f(relu, [1, 2]) -> f(relu) -> f(g=relu, l=[1, ...[2]])", head)) == 2
    assert graphs(layer("f(conv(4, 1)) -> f(conv(4, 3))", head)) == 3
    assert graphs(layer("f(relu -> tanh) -> f(relu -> tanh)", head)) == 3
    assert graphs(layer("for i in 0..9 { f(relu -> tanh) }", head)) == 2


def test_layers_with_different_numbers_are_different() -> None:
    text = layer("for i in 0..3 { f({ conv(4, 2 * i + 1) }) }", "block f(g: layer) { g }")
    assert graphs(text) == 4


def test_an_integer_and_a_float_are_different_arguments() -> None:
    assert graphs(layer("f(1) -> f(1.0)", "block f(x) { relu }")) == 3


FRACTAL = """
rule columns(1, width) => [conv(width, 3)]
rule columns(c, width) => [
  conv(width, 3), ...(columns(c - 1, width) -> join -> columns(c - 1, width))]
block fractal(c: int, width: int) { columns(c, width) -> join }
"""


def test_a_fractal_of_forty_columns_has_as_many_graphs_as_columns() -> None:
    assert graphs(layer("fractal(40, 4)", FRACTAL)) == 42


def test_names_follow_the_hierarchy() -> None:
    assert keys(layer("a: fractal(2, 4)", FRACTAL)) == [
        "a.columns.conv",
        "a.columns.columns.conv",
        "a.columns.columns_1.conv",
    ]


def test_presets_of_one_file_share_graphs() -> None:
    text = UNIT + network("output x -> unit -> unit(8)")
    one, two = compiled(text), compiled(text)
    assert output(text) == "f32[B, 8, H, W]"
    assert len(walk(one.inference)) == len(walk(two.inference))


def test_graphs_have_source_locations() -> None:
    found = compiled(layer("residual(unit)", UNIT)).inference
    call, add = found.nodes[1:]
    assert call.origin.span.text == "unit"
    assert [frame.what for frame in add.origin.frames] == ["residual(unit, identity)"]
    assert add.origin.span.source.name == "std/combinators.arch"


def test_unused_code_is_removed_but_weights_are_kept() -> None:
    text = network("y = x -> relu", "z = x -> conv(4, 3)", "output x -> tanh")
    titles = [node.instance.title for node in compiled(text).inference.nodes if node.instance]
    assert titles == ["conv", "tanh"]


Evaluator = Callable[[Context, ast.Expr], Value]
Evaluations = Callable[[str], int]


@pytest.fixture
def evaluations(monkeypatch: pytest.MonkeyPatch) -> Evaluations:
    """The number of expressions evaluated to compile a text."""

    def count(text: str) -> int:
        found = 0

        def counting(evaluator: Evaluator) -> Evaluator:
            def counted(context: Context, expression: ast.Expr) -> Value:
                nonlocal found
                found += 1
                return evaluator(context, expression)

            return counted

        with monkeypatch.context() as patch:
            for kind, evaluator in EVALUATORS.items():
                patch.setitem(EVALUATORS, kind, counting(evaluator))
            compiled(text)
        return found

    return count


LOOPS = (
    "for i in 0..{} {{ unit(8) }}",
    "body: for i in 0..{} {{ unit(8) -> relu }}",
    "repeated({}, unit(8))",
    "for i, j in enumerate(0..{}) {{ unit(8) }}",
)


@pytest.mark.parametrize("loop", LOOPS)
def test_equal_iterations_are_evaluated_only_a_few_times(
    loop: str, evaluations: Evaluations
) -> None:
    few, many = (evaluations(layer(loop.format(count), UNIT)) for count in (10, 1000))
    assert few == many < 100


def test_different_iterations_are_evaluated_each(evaluations: Evaluations) -> None:
    few, many = (
        evaluations(layer(f"for i in 0..{count} {{ unit(8 + i) }}", UNIT)) for count in (10, 1000)
    )
    assert many > 90 * few
