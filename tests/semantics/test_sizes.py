"""Symbolic sizes in whole specs: the examples that must be decided exactly."""

from __future__ import annotations

import pytest

from archspec.diagnostics.model import Diagnostic, Fix
from archspec.semantics.compile import check
from archspec.source import Source
from tests.semantics.specs import errors, layer, network, output

IMAGE = "B = 1, 3, H = 32, W = 32"


def only(text: str) -> Diagnostic:
    (item,) = check(Source("spec.arch", text)).diagnostics
    return item


def image(expression: str, where: str = "", shape: str = IMAGE) -> str:
    clause = f" where {where}" if where else ""
    return f"network net {{\n  input x: f32[{shape}]{clause}\n  output x -> {expression}\n}}\n"


HALVES = "[identity, conv(3, 3, stride=2) -> upsample(2)] -> concat"


def test_an_agreement_for_one_size_is_an_error_at_its_line() -> None:
    item = only(image("[identity, conv(3, 3, stride=2)] -> add"))
    assert item.code == "E0402"
    assert item.primary is not None
    assert item.primary.span.text == "add"
    shapes = [annotation.label for annotation in item.secondary]
    assert shapes == ["this is f32[B, 3, H, W]", "this is f32[B, 3, (H + 1)//2, (W + 1)//2]"]
    assert item.notes == ("they agree only for H = 1",)


def test_size_required_by_where_is_no_error() -> None:
    text = image(
        "[identity, conv(3, 3, stride=2)] -> add", "H == 1, W == 1", "B = 1, 3, H = 1, W = 1"
    )
    assert errors(text) == []


def test_halving_with_the_where_clause_is_accepted() -> None:
    assert errors(image(HALVES, "H % 2 == 0, W % 2 == 0")) == []
    assert check(Source("spec.arch", image(HALVES, "H % 2 == 0, W % 2 == 0"))).diagnostics == ()
    assert (
        check(
            Source("spec.arch", image(HALVES, "H % 4 == 0, W % 6 == 0", "B = 1, 3, H = 8, W = 6"))
        ).diagnostics
        == ()
    )


def test_halving_without_the_where_clause_suggests_it() -> None:
    text = image(HALVES)
    item = only(text)
    assert item.code == "W0401"
    assert isinstance(item.fix, Fix)
    (edit,) = item.fix.edits
    mended = text[: edit.span.start] + edit.text + text[edit.span.end :]
    assert "where H % 2 == 0, W % 2 == 0" in mended
    assert check(Source("spec.arch", mended)).diagnostics == ()


def test_insufficient_where_gives_the_smallest_counterexample() -> None:
    item = only(image(HALVES, "H % 3 == 0", "B = 1, 3, H = 30, W = 32"))
    assert item.code == "E0404"
    assert "H = 3" in item.message


@pytest.mark.parametrize(
    "expression",
    [
        "[conv(8, 3, stride=2, padding=1), conv(8, 1, stride=2, padding=0)] -> add",
        "[avg_pool(2, ceil=true), conv(3, 3, stride=2)] -> add",
        "[max_pool(3, stride=2, padding=1), conv(3, 1, stride=2, padding=0)] -> add",
        "[conv(3, 3), conv(3, 5), conv(3, 7, dilation=2)] -> add",
        "[conv(3, 3, stride=4), conv(3, 3, stride=2) -> conv(3, 3, stride=2)] -> add",
    ],
)
def test_valid_for_every_size(expression: str) -> None:
    assert check(Source("spec.arch", image(expression))).diagnostics == ()


UNET = """
rule unet(0, width) => conv(width, 3) -> relu
rule unet(n, width) => conv(width, 3) -> relu
  -> [identity, max_pool(2) -> unet(n - 1, 2 * width) -> upsample(2) -> conv(width, 1)]
  -> concat -> conv(width, 3) -> relu
"""


@pytest.mark.parametrize("poolings", range(1, 8))
def test_a_u_net_needs_multiples_of_a_power_of_two(poolings: int) -> None:
    item = only(UNET + image(f"unet({poolings}, 2)"))
    assert item.code == "W0401"
    assert isinstance(item.fix, Fix)
    size = 2**poolings
    assert item.message == f"this network is only valid where H % {size} == 0, W % {size} == 0"
    assert item.fix.edits[0].text == f" where H % {size} == 0, W % {size} == 0"


def test_sizes_that_must_be_equal() -> None:
    text = network('output (x, x -> rearrange("b c h w -> b c w h")) -> add')
    assert only(text).message == "this network is only valid where H == W"


def test_minimum_size_is_no_warning() -> None:
    assert (
        check(Source("spec.arch", image("conv(8, 7, padding=0) -> max_pool(3)"))).diagnostics == ()
    )


def test_two_needs_that_exclude_each_other() -> None:
    text = network(
        "a = (x, x -> max_pool(2) -> upsample(2)) -> add",
        "y = x -> pad([(2, 0, 1)])",
        "b = (y, y -> max_pool(2) -> upsample(2)) -> add",
        "output a",
        "output c = b",
    )
    item = only(text)
    assert item.code == "E0402"
    assert len(item.secondary) == 2


def test_linear_after_flatten_of_a_free_size() -> None:
    item = only(image("flatten -> linear(10)"))
    assert item.code == "E0403"
    assert isinstance(item.fix, Fix)
    assert "pool" in item.fix.message


def test_a_condition_on_a_free_size_proposes_a_parameter() -> None:
    item = only(image("if H > 16 { relu } else { tanh }"))
    assert item.code == "E0312"
    assert item.message.startswith("`H > 16` holds for some sizes only")
    assert isinstance(item.fix, Fix)
    assert "size: int = 224" in item.fix.message


@pytest.mark.parametrize(
    ("where", "chosen"), [("H >= 17", 8), ("H <= 16", 9), ("H % 2 == 0, H > 16", 8)]
)
def test_a_condition_that_where_decides(where: str, chosen: int) -> None:
    text = image(
        "if H > 16 { conv(8, 1) } else { conv(9, 1) }",
        where,
        f"B = 1, 3, H = {32 if chosen == 8 else 8}, W = 4",
    )
    assert output(text) == f"f32[B, {chosen}, H, W]"


def test_a_size_that_is_a_parameter_is_a_number() -> None:
    text = (
        "network net(size: int = 32) {\n  input x: f32[B = 1, 3, size, size]\n"
        "  output x -> if size > 16 { max_pool(2) } -> flatten -> linear(10)\n}\n"
    )
    assert errors(text) == []


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("resize((2 ** H, W))", "E0411"),
        ("resize((H // W, W))", "E0411"),
        ("resize((H ** 65, W))", "E0411"),
        (
            "residual(max_pool(9973) -> upsample(9973) -> max_pool(9967) -> upsample(9967))",
            "E0410",
        ),
        ("conv(H, 3)", "E0403"),
        ("conv(min(H, 64), 3)", "E0403"),
        ("if min(H, W) > 8 { relu }", "E0312"),
        ("resize((min(H, 0.5), W))", "E0309"),
        (f"resize(({' + '.join(f'min(H, {n})' for n in range(2, 7))}, W))", "E0411"),
        ("for i in 0..H { relu }", "E0403"),
        ('"layer{H}": conv(3, 3)', "E0309"),
    ],
)
def test_undecidable_sizes(expression: str, code: str) -> None:
    text = f"network net {{\n  input x: f32[{IMAGE}]\n  output x -> {expression}\n}}\n"
    assert errors(text) == [code]


@pytest.mark.parametrize(
    ("layer", "wanted"),
    [
        ("crop([(2, 0, min(H, 8)), (3, 0, max(1, min(W, H)))])", "f32[B, 3, min(H, 8), {}]"),
        ("roll(3 * min((H - 1) // 7, 1), axes=2)", "f32[B, 3, H, W]"),
        ("resize((max(H, W), max(7, H // 2, 1)))", "f32[B, 3, max(H, W), max(max(H//2, 7), 1)]"),
        (
            "[identity, crop([(2, 0, min(H, 6) - min(H, 6, 2 * H) + H)])] -> add",
            "f32[B, 3, H, W]",
        ),
    ],
)
def test_the_smaller_and_the_larger_of_sizes(layer: str, wanted: str) -> None:
    """They are decided exactly: a branch that is never chosen, or equal branches, are detected."""
    text = image(layer)
    assert errors(text) == []
    assert output(text) == wanted.format("max(min(H, W), 1)")


def test_the_smaller_of_sizes_in_requirements() -> None:
    item = only(image("crop([(2, 0, min(H, 3))]) -> crop([(2, 0, 4)])"))
    assert item.code == "E0402"


def test_too_many_choices_are_refused_where_sizes_are_claimed() -> None:
    many = " + ".join(f"min(H, {n})" for n in range(2, 7))
    text = f"network net {{\n  input x: f32[{IMAGE}]\n  y: [B, 3, {many}, W] = x\n  output y\n}}\n"
    assert errors(text) == ["E0411"]


def test_reported_sizes_must_be_valid() -> None:
    assert errors(image("relu", "H % 3 == 0")) == ["E0707"]


@pytest.mark.parametrize("clause", ["H", "H + 1", "3", "1 == 2", "relu"])
def test_where_is_a_condition(clause: str) -> None:
    assert errors(image("relu", clause)) == ["E0708"]


def test_requirements_of_blocks_are_propagated() -> None:
    head = "block half { input x: [B, C, H, W] where H % 2 == 0\n output x -> max_pool((2, 1)) }"
    item = only(layer("half", head))
    assert item.code == "W0401"
    assert item.message == "this network is only valid where H % 2 == 0"


def test_invalid_reported_size_is_a_warning() -> None:
    text = image("max_pool(5) -> max_pool(7)")
    item = only(text)
    assert item.code == "W0402"
    assert "H = 32" in item.message
    assert check(Source("spec.arch", text.replace("= 32", "= 35"))).diagnostics == ()


def test_a_where_that_no_size_satisfies_says_so() -> None:
    item = only(image("relu", "H % 2 == 0, H % 2 == 1"))
    assert item.code == "E0402"
    assert "no size satisfies" in item.message


ACCIDENTS = {
    "slice(axis=2, start=-3, stop=5)": "H <= 8",
    "slice(axis=2, start=-1, stop=1)": "H = 1 or H = 2",
    "slice(axis=-1, start=-2, stop=30)": "W <= 32",
    "crop([(2, 0, 2), (3, -3, 5)])": "W <= 8",
    "slice(axis=2, start=H - 3, stop=5)": "H <= 8",
    'pad([(2, 0, 8 - H)], mode="reflect")': "H <= 8",
    "reshape([B, 3, 8, W])": "H == 8",
    "reshape([B, 3, 64])": "H*W == 64",
    "squeeze(2)": "H = 1",
    'rearrange("b c h w -> b (c h w)") -> linear(8) -> reshape([B, 2, 4])': "",
}


@pytest.mark.parametrize("expression", [name for name, reported in ACCIDENTS.items() if reported])
def test_an_agreement_for_finitely_many_sizes_is_an_error(expression: str) -> None:
    item = only(image(expression))
    assert item.code == "E0402", item
    assert item.primary is not None
    assert expression.startswith(item.primary.span.text[:6])
    (note,) = item.notes
    assert note.startswith("they agree only for ")
    assert note.endswith(ACCIDENTS[expression])


@pytest.mark.parametrize(
    "lines",
    [
        # each has infinitely many solutions, both together only one
        (
            'a = (x, x -> rearrange("b c h w -> b c w h")) -> add',
            'b = (x -> pad([(2, 8, 0)]), x -> rearrange("b c h w -> b c w h")'
            " -> pad([(2, 0, W)])) -> concat(axis=1)",
        ),
        # and a requirement on another dim with them
        (
            'a = (x, x -> rearrange("b c h w -> b c w h")) -> add',
            'b = (x -> pad([(2, 8, 0)]), x -> rearrange("b c h w -> b c w h")'
            " -> pad([(2, 0, W)])) -> concat(axis=1)",
            'c = x -> rearrange("(b two) c h w -> b two c h w", two=2)',
        ),
    ],
)
def test_layers_that_together_leave_finitely_many_sizes(lines: tuple[str, ...]) -> None:
    names = [f"output {line[0]}" for line in lines]
    found = check(Source("spec.arch", network(*lines, *names))).diagnostics
    assert [item.code for item in found] == ["E0402"]
    assert "finitely many sizes of H, W" in found[0].message


@pytest.mark.parametrize(
    "text",
    [
        # a table that is only read as far as needed
        "param t: f32[1, 3, 50, 1] = zeros\n  output x + (t -> slice(axis=2, stop=H))",
        "param t: f32[50, 1] = zeros\n  output x + (t -> select(axis=0, index=H))",
        "param t: f32[1, 3, 50, 1] = zeros\n  output x + (t -> split([H, 50 - H], axis=2))[0]",
        "output x -> pad([(2, 0, 50 - H)]) -> conv(8, 3)\n  output t = zeros([50 - H])",
        # the limit of a block
        "output x -> short",
        'assert H in [32, 48], "as published"\n  output x',
    ],
)
def test_limit_set_by_the_spec_is_a_warning_that_names_it(text: str) -> None:
    block = "block short { input x: [B, C, H, W] where H <= 50\n output x -> relu }\n"
    spec = f"{block}network net {{\n  input x: f32[{IMAGE}]\n  {text}\n}}\n"
    item = only(spec)
    assert item.code == "W0401"
    mended = spec.replace(f"f32[{IMAGE}]", f"f32[{IMAGE}]{item.fix.edits[0].text}")  # type: ignore[union-attr]
    assert check(Source("spec.arch", mended)).diagnostics == ()


def test_sizes_bounded_by_where_may_be_finite() -> None:
    sliced = "slice(axis=2, start=-3, stop=5)"
    assert errors(image(sliced, "H >= 5, H <= 8", "B = 1, 3, H = 6, W = 4")) == []
    assert errors(image(sliced, "H <= 8", "B = 1, 3, H = 6, W = 4")) == ["E0404"]
