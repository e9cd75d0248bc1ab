"""Errors in the text of a call are reported, whether or not its result is used."""

import pytest

from archspec.diagnostics.failure import CompileFailed
from archspec.loading import load
from archspec.semantics.compile import check
from archspec.source import Source

HELPERS = """
block one(width: int) { conv(width, 1) }
block two(width: int, kernel: int = 3) { conv(width, kernel) }
rule pair(width, kernel) => conv(width, kernel)
"""
NET = "network net {{\n  input x: f32[B = 1, 3, H = 8, W = 8]\n  output y = x -> {}\n}}\n"

FAULTS = [
    ("conv(8, 3, width=4)", "E0303", "`conv` is given `width` twice"),
    ("conv(8, kernel=3, kernel=5)", "E0303", "`conv` is given `kernel` twice"),
    ("conv(8, 3, kernel_size=3)", "E0302", "`conv` has no attribute `kernel_size`"),
    ("batch_norm(64)", "E0303", "takes its attributes by name only"),
    ("linear(3, 4)", "E0303", "takes 1 attribute by position"),
    ("group_norm(3)(1, 2)", "E0303", "this is one too many"),
    ("conv(8)", "E0303", "`conv` needs `kernel`"),
    ("c: linear", "E0303", "`linear` needs `width`"),
    ("iterate(steps=2)", "E0303", "`iterate` needs the layer `layer`"),
    ("conv(0, 3)", "E0301", "`width` of `conv` must be greater than 0"),
    ('conv("8", 3)', "E0301", "`width` of `conv` must be an integer"),
    ('conv(8, [3, "3"])', "E0301", "`kernel` of `conv`"),
    ("one(8, 3)", "E0303", "`one` takes 1 argument, and this is one too many"),
    ("one(8, width=8)", "E0303", "`one` is given `width` twice"),
    ("one(wdth=8)", "E0302", "`one` has no parameter `wdth`"),
    ("one", "E0303", "`one` needs `width`"),
    ('one("8")', "E0305", "`width` of `one` must be an integer"),
    ("two(8)(3, 3)", "E0303", "`two` takes 2 arguments, and this is one too many"),
    ("pair(8)", "E0303", "`pair` needs `kernel`"),
    ("conv(8, 3, weight_init=normal(scale=2))", "E0302", "`normal` has no attribute `scale`"),
    ("conv(8, 3, weight_init=normal(1, std=2))", "E0303", "`normal` is given `std` twice"),
    ("conv(max(3, 4, key=5), 3)", "E0302", "`max` has no attribute `key`"),
    ("conv(round(3.5, n=1), 3)", "E0302", "`round` has no attribute `n`"),
    ("conv(len([3], start=1), 3)", "E0302", "`len` has no attribute `start`"),
    ("conv(ceil_div(3), 3)", "E0303", "`ceil_div` takes 2 arguments, not 1"),
]
FINE = [
    "conv(n, 3)",
    "conv(...n)",
    "two(8)(kernel=5)",
    "for f in [conv(8), conv(4)] { f(3) }",
    "conv(same, 3, groups=each)",
    "sum(axis=1, keepdim=true)",
    "conv(max(3, 4), 3)",
    "for conv in [one, two] { conv(8) }",
    "{ input v\n    one = v\n    output one }",
    'conv(8, 3, padding="same")',
    "conv(8, 3, weight_init=zeros, bias_init=constant(0.5))",
    "[exp, conv(3, 1)]",
]


def codes_and_messages(text):
    return [(item.code, item.message) for item in check(Source("a.arch", text)).diagnostics]


@pytest.mark.parametrize(("layer", "code", "words"), FAULTS, ids=[row[0] for row in FAULTS])
@pytest.mark.parametrize(
    "place",
    [
        "block b {{ relu -> {} }}\n",
        "block b(n) {{\n  input x\n  output x -> {} -> tanh\n}}\n",
        "rule r(n) if n > 3 => relu -> {}\n",
        "block b(f: layer = relu -> {}) {{ f }}\n",
        "network o {{\n  input x: f32[B = 1]\n  output y = x -> if false {{ relu -> {} }}\n}}\n",
    ],
    ids=["block", "chain", "rule", "default", "branch"],
)
def test_errors_are_the_same_in_used_and_unused_definitions(layer, code, words, place):
    unused = codes_and_messages(HELPERS + place.format(layer) + NET.format("relu"))
    assert [item[0] for item in unused] == [code]
    assert words in unused[0][1]
    assert codes_and_messages(HELPERS + NET.format(f"relu -> {layer}"))[0] == unused[0]


@pytest.mark.parametrize("layer", FINE)
def test_possibly_valid_code_is_not_refused(layer):
    assert (
        codes_and_messages(f"{HELPERS}block b(n) {{ relu -> {layer} }}\n{NET.format('relu')}") == []
    )


def test_errors_are_reported_once_together_with_others(tmp_path):
    text = HELPERS + "block b { conv(0, 3) -> conv(8, 3, nope=1) }\n" + NET.format("b -> b")
    assert [code for code, _ in codes_and_messages(text)] == ["E0301", "E0302"]
    path = tmp_path / "a.arch"
    path.write_text(HELPERS + "block b { conv(8, 3, nope=1) }\n" + NET.format("relu"))
    with pytest.raises(CompileFailed, match="E0302"):
        load(path)
    (tmp_path / "c.arch").write_text("use a { one }\n" + NET.format("one(8)"))
    assert [item.code for item in check(tmp_path / "c.arch").diagnostics] == ["E0302"]
