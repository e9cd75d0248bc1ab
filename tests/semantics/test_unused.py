"""Unused parts cost nothing, restrict no sizes, and cause a warning if they have weights."""

import pytest

from archspec.diagnostics.failure import CompileFailed
from archspec.network import Network
from archspec.semantics.compile import load_network
from archspec.source import Source

BLOCKS = """
inline block even { input v: [B, C, H, W] where H % 2 == 0
  output v -> conv(3, 1) }
inline block checked { input v: [B, C, H, W]
  assert H % 2 == 0, "even"
  output v -> conv(3, 1) }
block called { input v: [B, C, H, W] where H % 2 == 0
  output v -> conv(3, 1) }
block heads { input v
  output boxes = v -> box: conv(4, 1)
  output scores = v -> score: conv(2, 1)
}
"""


def network(body, head=""):
    text = f"{BLOCKS}\nnetwork net{head} {{\n  input x: f32[B = 1, 3, H = 32, W = 32]\n{body}\n}}"
    compiled, sink = load_network(Source("a.arch", text))
    return Network(compiled, sink.diagnostics)


def codes(net):
    return [item.code for item in net.warnings]


def test_sizes_and_costs_of_computed_nodes():
    net = network(
        "y = x -> c: conv(8, 3)\nspare = x -> conv(8, 3) -> d: conv(8, 33, padding=0)\noutput y"
    )
    assert net.accepts(H=16, W=16)
    assert net.macs(H=40, W=40) == 345600
    assert net.depth == 1
    assert codes(net) == ["W0701"]
    assert net.parameters == 224 + 224 + 8 * 8 * 33 * 33 + 8
    assert net.unused_parameters == net.parameters - 224
    assert [row.computed for row in net.report().rows] == [True, False, False]


@pytest.mark.parametrize(
    "lost",
    [
        "z = x -> max_pool(2) -> upsample(2)\n w = (x, z) -> add -> conv(2, 1)",
        "z = x -> even",
        "z = x -> checked",
        "z = x -> called",
        "z = x -> { input v: [B, C, 2 * (H // 2), W]\n output v -> conv(3, 1) }",
        "z = x -> for i in 0..2 {\n input v: [_, _, P, _] where P % 2 == 0\n output v -> relu\n}",
        "z: [B, 8, 2 * (H // 2), W] = x -> conv(8, 3)",
        "z = x -> conv(8, 3)\n w: [B, 8, 2 * (H // 2), W] = z",
        "z = x -> iterate({ input v\n output v -> max_pool(2) -> upsample(2) -> conv(3, 1)\n}, 2)",
        "t = (x -> [identity, max_pool(2 ** i) -> upsample(2 ** i)] -> add for i in 0..4)",
        "t = (x -> [identity, max_pool(2 ** i) -> upsample(2 ** i)] -> add for i in 0..4)\n"
        " output u = t[0]",
    ],
)
def test_unused_nodes_do_not_restrict_sizes(lost):
    net = network(f"{lost}\n output y = x -> conv(8, 3)")
    assert str(net.valid_sizes) == "every size"
    assert "W0401" not in codes(net)
    assert net.accepts(H=7)


def test_only_computed_nodes_of_one_location_count():
    net = network(
        "t = (x -> [identity, max_pool(2 ** i) -> upsample(2 ** i)] -> add for i in 0..4)\n"
        " output t[1]"
    )
    assert net.accepts(H=34, W=34)
    assert not net.accepts(H=33, W=34)


@pytest.mark.parametrize(
    ("other", "code"), [("conv(4, 1)", "E0401"), ("conv(3, 3, stride=2)", "E0402")]
)
def test_impossible_shape_is_an_error_even_if_unused(other, code):
    with pytest.raises(CompileFailed) as failure:
        network(f"z = (x, x -> {other}) -> add\n output y = x -> relu")
    assert [item.code for item in failure.value.diagnostics] == [code]


@pytest.mark.parametrize(
    ("body", "unused"),
    [
        ("z = x -> conv(8, 3)", 224),
        ("_z = x -> conv(8, 3) -> relu -> conv(2, 1)", 224 + 18),
        ("_ = x -> conv(8, 3)", 224),
        ("z = x -> conv(8, 3)\n output aux = z when training", 0),
        ("a, b = x -> heads\n output a", 8),
        ("a, _ = x -> heads\n output a", 8),
        ("output b = x -> heads.scores", 16),
        ("shared h = h: heads\n a, _ = x -> h\n _, b = x -> h\n output a\n output b", 0),
        ("param p: f32[3] = zeros", 3),
        ("param _p: f32[3] = zeros", 3),
        ("buffer b: f32[3] = zeros([3])", 0),
        ("z = x -> relu", 0),
        ("z = x -> gru: conv(3, 1) -> iterate(conv(3, 1), 2)", 24),
        ("z = x -> iterate(conv(3, 1), 2)\n output late = z when training", 0),
        ("z = x -> conv(3, 1)\n output late = z when training", 0),
    ],
)
def test_weights_that_no_output_needs(body, unused):
    net = network(f"{body}\n output y = x -> conv(8, 3)")
    assert net.unused_parameters == unused
    assert ("W0701" in codes(net)) == (unused > 0 and " _" not in f" {body}" and ", _" not in body)
    assert net.report().unused_parameters == unused


@pytest.mark.parametrize(
    ("head", "body", "unread"),
    [
        ("(width: int = 8)", "", ["width"]),
        ("(_width: int = 8)", "", []),
        ("(width: int = 8)", "z = x -> for width in 1..3 { conv(width, 1) }", ["width"]),
        ("(width: int = 8)", "z = x -> for i in 1..width { conv(3, 1) }", []),
        ("(width: int = 8)", 'z = x -> "w{width}": conv(3, 1)', []),
        ("(width: int = 8, other: int = width)", "", ["other"]),
        ("(width: int = 8, other: int in 1..width = 2)", "", ["other"]),
        ("(width: int = 8)", "z: [B, width, H, W] = x -> conv(8, 3)", []),
        ("(width: int = 8)", "z = x -> { input v: [B, width, H, W]\n output v }", []),
        ("(width: int = 8)", "assert width > 3", []),
        ("(f: layer = relu)", "z = x -> [f for f in [relu, tanh]]", ["f"]),
    ],
)
def test_parameters_that_nothing_reads(head, body, unread):
    x = "x -> conv(8, 3)" if "width, H" in body else "x"
    net = network(f"q = {x}\n{body.replace('= x', '= q')}\n output y = q -> conv(8, 3)", head)
    messages = [item.message for item in net.warnings if item.code == "W0702"]
    assert messages == [f"nothing in `net` reads its parameter `{name}`" for name in unread]


@pytest.mark.parametrize(
    ("layer", "unused", "messages"),
    [
        (
            "x -> iterate({ input t\n output y = t -> conv(8, 3)\n output t -> conv(3, 3) }, 3)",
            {"a": 0, "b": 224},
            {"a": [], "b": ["output 1 of `iterate`"]},
        ),
        (
            "x -> [conv(3, 1), conv(3, 1)] -> iterate({ input v\n input w\n"
            " output v -> conv(3, 3)\n output v + (w -> conv(3, 3)) }, 2)",
            {"a": 84 + 12, "b": 0},  # including the initial state
            {"a": ["output 2 of `iterate`"], "b": []},
        ),
        (
            "(x, x -> mean([1], keepdim=false)) -> scan({ input v\n input w\n"
            " output v -> unsqueeze(1) -> conv(4, 3)\n output w + 1 }, axis=1)",
            {"a": 0, "b": 40},
            {"a": [], "b": ["output 1 of `scan`"]},
        ),
    ],
)
def test_inputs_of_unread_outputs_of_regions(layer, unused, messages):
    for name in "ab":
        net = network(f"a, b = {layer}\noutput {name}")
        assert net.unused_parameters == unused[name]
        assert [item.message.split(", so")[0] for item in net.warnings] == [
            f"nothing uses {what}" for what in messages[name]
        ]
        assert network(f"a, b = {layer}\noutput a\noutput b").unused_parameters == 0
