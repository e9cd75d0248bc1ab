"""How attributes are given: each at most once in a call, some only by name."""

from __future__ import annotations

import re

import pytest

from archspec.diagnostics.changes import apply
from archspec.diagnostics.failure import CompileFailed
from archspec.ops.base import Op
from archspec.ops.registry import all_ops
from archspec.semantics.compile import check
from archspec.semantics.program.op_attributes import positional
from archspec.semantics.values.bare_words import choices, takes_initialiser
from archspec.source import Source, Span
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


def _sample(op: type[Op], name: str) -> str:
    if name == "shape" and op.variadic is None:
        return "[1]"
    return "zeros" if takes_initialiser(op, name) else "1"


@pytest.mark.parametrize("op", all_ops().values(), ids=all_ops().keys())
def test_no_attribute_of_any_op_is_given_twice(op: type[Op]) -> None:
    order = [op.variadic] if op.variadic else [*positional(op)]
    for index, name in enumerate(order):
        values = [_sample(op, key) for key in order[: index + 1]]
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


def test_duplicates_in_presets_and_in_layers_given_as_text() -> None:
    text = network("output x -> f", head="").replace("net {", "net(f: layer = relu) {")
    assert errors(text + "preset p = net(relu, f=gelu)") == ["E0303"]
    with pytest.raises(CompileFailed, match="E0303"):
        compiled(text, f="conv(8, 3, width=3)")


def test_duplicates_in_regions_and_open_attributes() -> None:
    assert errors(layer("gated(conv(4, 3), layer=relu)")) == ["E0303"]
    assert errors(layer('rearrange("b c (h k) w -> b c h k w", k=2, k=4)')) == ["E0303"]
    assert errors(layer("permute(0, 1, 2, 3, axes=[0, 1, 2, 3])")) == ["E0303"]


def test_named_attributes_override_an_earlier_call() -> None:
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
def test_functions_of_values_take_no_named_arguments(call: str) -> None:
    assert errors(layer(f"conv({call}, 1)")) == ["E0302"]


def test_initialisers_take_spreads() -> None:
    assert errors(layer("conv(4, 1, weight_init=normal(...[0.1, 0.2]))")) == []
    assert errors(layer("conv(4, 1, weight_init=normal(...[]))")) == []
    assert errors(layer("conv(4, 1, weight_init=normal(...[1, 2, 3]))")) == ["E0302"]
    assert errors(layer('tap(relu, paths="a")')) == ["E0302"]


# ---------------------------------------------------------------------- by position or by name

BY_NAME_ONLY = re.compile(
    r"eps|momentum|affine|track|bias|\w+_init|padding_mode|parametrization|layers|bidirectional"
    r"|batch_first|causal|align_corners|antialias|ceil|count_include_pad|correction|reverse|norm"
)
"""Attributes that are not part of an architecture, or in another position in torch."""


@pytest.mark.parametrize("op", all_ops().values(), ids=all_ops().keys())
def test_keyword_only_attributes(op: type[Op]) -> None:
    assert [name for name in positional(op) if BY_NAME_ONLY.fullmatch(name)] == []
    required = [name for name, field in op.model_fields.items() if field.is_required()]
    assert [name for name in required if name not in (*positional(op), op.variadic)] == []


@pytest.mark.parametrize("op", all_ops().values(), ids=all_ops().keys())
def test_extra_positional_attribute_is_refused(op: type[Op]) -> None:
    if op.variadic is not None:
        return
    given = [_sample(op, name) for name in positional(op)]
    errors_found = errors(network(f"output x -> (l: {op.name})({', '.join([*given, '1'])})"))
    assert "E0303" in errors_found or errors_found == ["E0304"]


@pytest.mark.parametrize("call", ["zeros(B, 4)", "ones(4)", "full(B, 4, 0.5)", "w: param(4, 2)"])
def test_a_shape_is_a_list(call: str) -> None:
    assert errors(network(f"y = {call}", "output x")) == ["E0301"]


IMAGES, TOKENS = "B = 1, 64, H = 256, W = 256", "B = 1, T = 12, 128"
HABITS = [
    (IMAGES, "batch_norm(64)", "batch_norm"),
    (IMAGES, "batch_norm(64, 1e-3, 0.01)", "batch_norm(eps=1e-3, momentum=0.01)"),
    (IMAGES, "batch_norm(32)", "batch_norm"),
    (IMAGES, "batch_norm(1e-3)", "batch_norm(eps=1e-3)"),
    (IMAGES, "batch_norm(64, affine=false)", "batch_norm(affine=false)"),
    (IMAGES, "instance_norm(64)", "instance_norm"),
    (IMAGES, "frozen_batch_norm(64)", "frozen_batch_norm"),
    (IMAGES, "group_norm(32, 64)", "group_norm(32)"),
    (IMAGES, "group_norm(32, 64, 1e-6)", "group_norm(32, eps=1e-6)"),
    (IMAGES, "group_norm(32, 1e-6)", "group_norm(32, eps=1e-6)"),
    (IMAGES, "conv(64, 128, 3)", "conv(128, 3)"),
    (IMAGES, "conv(64, 64, 1)", "conv(64, 1)"),
    (IMAGES, "conv(64, 128, 3, 1, 1)", "conv(128, 3, 1, 1)"),
    (IMAGES, "conv(64, 128, 3, padding=1)", "conv(128, 3, padding=1)"),
    (IMAGES, "conv(64, 128, 3, 1, 1, 1, 1, false)", "conv(128, 3, 1, 1, 1, 1, bias=false)"),
    (IMAGES, "conv(8, 3, 1, 1, 1, 1, false)", "conv(8, 3, 1, 1, 1, 1, bias=false)"),
    (IMAGES, "conv_transpose(64, 32, 4)", "conv_transpose(32, 4)"),
    (IMAGES, "conv_transpose(64, 32, 2, 2)", "conv_transpose(32, 2, 2)"),
    (TOKENS, "linear(128, 10)", "linear(10)"),
    (TOKENS, "linear(512, 10)", "linear(10)"),
    (TOKENS, "linear(128, 10, false)", "linear(10, bias=false)"),
    (TOKENS, "linear(10, false)", "linear(10, bias=false)"),
    (TOKENS, "layer_norm(128)", "layer_norm"),
    (TOKENS, "layer_norm([128], 1e-6)", "layer_norm(eps=1e-6)"),
    (IMAGES, "layer_norm(1)", "layer_norm(axis=1)"),
    (TOKENS, "rms_norm(128, 1e-6)", "rms_norm(eps=1e-6)"),
    (TOKENS, "multihead_attention(128, 8)", "multihead_attention(8)"),
    (TOKENS, "multihead_attention(128, 8, 0.1)", "multihead_attention(8, dropout=0.1)"),
]
STATES = [
    ("lstm(128, 256)", "lstm(256)"),
    ("lstm(128, 256, 2)", "lstm(256, layers=2)"),
    ("lstm(256, 2)", "lstm(256, layers=2)"),
    ("gru(128, 256)", "gru(256)"),
]
CASES = [
    *(pytest.param(shape, habit, "", right, id=habit) for shape, habit, right in HABITS),
    *(pytest.param(TOKENS, habit, "states", right, id=habit) for habit, right in STATES),
]


@pytest.mark.parametrize(("shape", "habit", "takes", "right"), CASES)
def test_the_order_of_torch_is_reported_with_a_fix(
    shape: str, habit: str, takes: str, right: str
) -> None:
    line = "y, ...states = x -> {}" if takes else "y = x -> {}"
    text = network(line.format(habit), "output y", shape=shape)
    messages = check(Source("spec.arch", text)).diagnostics
    item = next(item for item in messages if item.code in ("E0303", "W0301"))
    assert any("inferred" in note for note in item.notes)
    assert item.fix is not None
    mended = apply(item.fix.edits, Span(item.fix.edits[0].span.source, 0, len(text)))
    assert mended == network(line.format(right), "output y", shape=shape)
    assert not check(Source("spec.arch", mended)).diagnostics


@pytest.mark.parametrize(
    "fine",
    [
        "conv(64, 3, 2)", "conv(64, 4, 4, 0)", "conv(64, 4, 2)", "conv(64, 7, 1)",
        "conv(64, 16, 8)", "conv(64, 9, 1)", "conv(8, 16, 3)", "conv(64, 64, stride=3)",
        "conv_transpose(64, 64, 32)", "conv(64, 3, 1, 1)", "group_norm(8)",
    ],
)  # fmt: skip
def test_intended_orders_are_not_reported(fine: str) -> None:
    text = network(f"output x -> {fine}", shape=IMAGES)
    assert [item.code for item in check(Source("spec.arch", text)).diagnostics] == []


@pytest.mark.parametrize(
    ("name", "op"),
    [
        ("Conv2d", "conv"), ("conv1d", "conv"), ("BatchNorm2d", "batch_norm"), ("Linear", "linear"),
        ("batch_norm2d", "batch_norm"), ("MaxPool3d", "max_pool"), ("ReLU", "relu"),
        ("ConvTranspose2d", "conv_transpose"), ("LSTM", "lstm"), ("LayerNorm", "layer_norm"),
    ],
)  # fmt: skip
def test_names_of_torch_are_understood(name: str, op: str) -> None:
    (item,) = check(Source("spec.arch", layer(f"{name}(3)"))).diagnostics
    assert item.fix is not None
    assert item.message.startswith(f"`{name}` is called `{op}` here")


# ---------------------------------------------------------------------- words as values

WORDS = """
block grouped(groups = 1, mode: str = "zeros") {
  c: conv(same, 3, groups=groups, padding_mode=mode, bias=false)
}
block named(groups: str in ["each"]) { c: conv(same, 3, groups=groups, bias=false) }
block reduced(how) { reduce("b c h w -> b c", how) }
block drawn(act: value) { c: conv(same, 1, weight_init=kaiming_normal(nonlinearity=act)) }
block single(c: bool) { c: conv(same, 3, groups=if c then each else 1, bias=false) }
"""


@pytest.mark.parametrize(
    ("use", "width"),
    [
        ("grouped(each)", 1),
        ("grouped(groups=each, mode=circular)", 1),
        ('grouped(each, "zeros")', 1),
        ("named(each)", 1),
        ("grouped(2)", 2),
        ("g", 1),
        ("grouped([each, 1][0])", 1),
        ("single(true)", 1),
        ("single(false)", 4),
    ],
)
def test_each_as_an_argument_is_passed_on(use: str, width: int) -> None:
    text = network("g = u: grouped(each)", f"output x -> u: {use}", head=WORDS)
    if use == "g":
        text = text.replace("u: g\n", "g\n")
    assert weights(text) == {"u.c.weight": (4, width, 3, 3)}


@pytest.mark.parametrize("use", ["reduced(mean)", "reduced(max)", "reduced(sum)", "drawn(relu)"])
def test_words_that_are_ops_or_functions_are_passed_on(use: str) -> None:
    assert errors(network(f"output x -> {use}", head=WORDS)) == []


def test_every_word_of_every_op_is_passed_on() -> None:
    """Whatever else a word means, a parameter passes it on to the attribute that accepts it."""
    failed = []
    for op in all_ops().values():
        for name in op.model_fields:
            for word in sorted(choices(op, name) - {"training"}):  # accepted everywhere as a bool
                head = f"block handed(word) {{ (l: {op.name})({name}=word) }}"
                text = network(f"output x -> handed({word})", head=head)
                messages = [item.message for item in check(Source("spec.arch", text)).diagnostics]
                if any(
                    "not a layer" in message or f"`{name}` of" in message for message in messages
                ):
                    failed.append((op.name, name, word, messages))
    assert failed == []


def test_unknown_words_are_refused() -> None:
    assert errors(network("output x -> grouped(relu)", head=WORDS)) == ["E0301"]
    assert errors(network("output x -> grouped(residual)", head=WORDS)) == ["E0301"]
    assert errors(network("output x -> grouped(1, relu)", head=WORDS)) == ["E0305"]
    assert errors(network("output x -> named(residual)", head=WORDS)) == ["E0305"]


OPTIONAL = [
    (op, name)
    for op in all_ops().values()
    for name, field in op.model_fields.items()
    if field.default is None
]


@pytest.mark.parametrize(
    ("op", "name"), OPTIONAL, ids=[f"{op.name}-{name}" for op, name in OPTIONAL]
)
def test_none_is_the_absence_of_a_value(op: type[Op], name: str) -> None:
    given = op.examples[0].attributes
    assert op(**{**given, name: "none"}) == op(**{**given, name: None})


HEAD = """
inline block head(axis = none, scale = none, init = none, width = none) {
  input x: [B, C, H, W]
  y = x -> conv(if width == none then C else width, 1, weight_init=init) -> gelu(none)
  output (y, y, y) -> scaled_dot_product_attention(scale=scale) -> sum(axis, keepdim=true)
}
"""


@pytest.mark.parametrize(
    ("arguments", "width", "init", "scale", "axis"),
    [("", 4, None, None, None), ("(1, 2.0, orthogonal, 3)", 3, "orthogonal", 2.0, 1)],
)
def test_a_block_passes_none_on(
    arguments: str, width: int, init: str | None, scale: float | None, axis: int | None
) -> None:
    graph = compiled(network(f"output x -> head{arguments}", head=HEAD)).inference
    conv, gelu, attention, total = (dict(node.op) for node in graph.nodes if node.op is not None)
    assert conv["width"] == width
    assert (conv["weight_init"] and conv["weight_init"].name) == init
    assert gelu["approximate"] == "none"
    assert (attention["scale"], total["axis"]) == (scale, axis)
