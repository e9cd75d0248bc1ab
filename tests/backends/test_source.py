"""Generated source: readable, deterministic, safe, one class per structure."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from archspec.diagnostics.failure import CompileFailed
from archspec.graph.expression import Outside
from archspec.graph.model import GraphOutput
from archspec.graph.walk import walk
from archspec_torch.module import to_module
from archspec_torch.source import python_source
from tests.backends.graphs import Builder, compiled
from tests.backends.sources import source

ROOT = Path(__file__).parents[2]


def same_eager_and_script(model, *inputs):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripted = torch.jit.script(model.eval())
        torch.testing.assert_close(scripted(*inputs), model(*inputs), rtol=1e-6, atol=1e-6)


# ---------------------------------------------------------------------- classes


def test_constants_become_arguments(network):
    text = source(
        network(
            """
block unit(width: int, stride: int = 1) { conv(width, 3, stride, bias=false) -> batch_norm -> relu }
network net {
  input x: f32[B = 1, 3, H = 16, W = 16]
  output x -> a: unit(8) -> b: unit(16, 2) -> c: unit(32, 2)
}
"""
        )
    )
    assert text.count("class ") == 2
    assert "def __init__(self, in_channels: int, width: int, stride: int = 1) -> None:" in text
    assert "self.a = Unit(in_channels=3, width=8)" in text
    assert "self.b = Unit(in_channels=8, width=16, stride=2)" in text


def test_structures_become_classes_named_by_their_differences(network):
    text = source(
        network(
            """
block unit(width: int, down: layer = identity) {
  input x: [B, C, H, W]
  output (x -> conv(width, 1)) + (x -> downsample: down)
}
network net {
  input x: f32[B = 1, 8, H = 16, W = 16]
  output x -> a: unit(8) -> b: unit(16, conv(16, 1))
}
"""
        )
    )
    assert "class Unit(nn.Module)" in text
    assert "class UnitDownsample(nn.Module)" in text


def test_repeats_become_loops(network):
    text = source(
        network(
            """
block unit(p: float) { linear(8) -> drop_path(p) }
network net {
  input x: f32[B = 1, 8]
  output x -> same: for i in 0..20 { unit(0.5) }
    -> named: for i in 0..4 { "layer{i}": unit(0.1 * i) }
    -> wider: for i in 0..5 { linear(8 * (i + 1)) }
}
"""
        )
    )
    assert "nn.Sequential(*[Unit(in_features=8, p=0.5) for _ in range(20)])" in text
    assert re.search(
        r'\(f"layer\{i\}", Unit\(in_features=8, p=p\)\)\s+for i, p in enumerate\(', text
    )
    assert "for i in range(" in text.split("self.wider")[1]


def test_loop_in_forward(network):
    net = network(
        """
block step { linear(8) }
block chain(n: int) { for i in 0..n { [identity, "step{i}": step] -> add } }
network net {
  input x: f32[B = 1, 8]
  output x -> short: chain(3) -> long: chain(7)
}
"""
    )
    text = source(net)
    assert "for layer in self.children():" in text
    assert "self.long = Chain(in_features=8, n=7)" in text
    model = to_module(net.compiled)
    assert [k for k in model.state_dict() if k.startswith("long")][::2] == [
        f"long.step{i}.linear.weight" for i in range(7)
    ]
    x = torch.randn(2, 8)
    expected = x
    for block in (model.short, model.long):
        for child in block.children():
            expected = expected + child.linear(expected)
    torch.testing.assert_close(model(x), expected)
    same_eager_and_script(model, x)


# ---------------------------------------------------------------------- names


def keyed(*keys, **attributes):
    b = Builder("net", "network")
    x = b.input("f32[B, 4]")
    for key in keys:
        x = b.op("linear", x, key, width=4, **attributes)
        x = b.op("add", (x, x))
    return b.build(x)


@pytest.mark.parametrize(
    "keys",
    [
        ("0", "1"),
        ("a.0", "a.1"),
        ("a.0", "a.3", "a.10"),
        ("conv1/bn", "block.0"),
        ("output", "network.block", "import.lambda"),
        ("items.x", "items.keys", "items.y"),
        ("keys", "a.keys", "a.values.0"),
        ("x y.ü", 'q"uote', "back\\slash", "new\nline", "{brace}", "'''", '"""'),
        ("__private.x", "_p"),
        ("a.b", "a.c.0", "a.c.1", "d.0.e"),
        ("x", "y", "self", "need"),
        ("like", "join", "survivors", "drop_path"),
    ],
)
def test_keys_of_any_text(keys):
    graph = keyed(*keys)
    model = to_module(compiled(graph))
    assert set(model.state_dict()) == {f"{k}.{p}" for k in keys for p in ("weight", "bias")}
    text, _ = python_source(compiled(graph))
    ast.parse(text)
    same_eager_and_script(model, torch.randn(2, 4))


@pytest.mark.parametrize("keys", [("0", "1", "2"), ("a.x/y", "a.z"), ("f.0", "f.2", "f.5")])
def test_keys_of_sequentials(keys):
    b = Builder("net", "network")
    x = b.input("f32[B, 4]")
    for key in keys:
        x = b.op("linear", x, key, width=4)
    model = to_module(compiled(b.build(x)))
    assert set(model.state_dict()) == {f"{k}.{p}" for k in keys for p in ("weight", "bias")}
    same_eager_and_script(model, torch.randn(2, 4))


@pytest.mark.parametrize("name", ["train", "parameters", "a.type", "training.x"])
def test_names_of_nn_module_are_refused(name):
    with pytest.raises(CompileFailed, match="E0820"):
        python_source(compiled(keyed(name)))


def test_names_of_helpers_children_and_arguments_are_distinct(network):
    net = network(
        """
block unit(width: int, like: int) {
  input x: [B, D]
  z = zeros([width, like])
  output (x -> width: linear(width) -> drop_path(0.5)) + (z -> mean)
}
block survivors { input x: [B, D]
  output x -> [a: linear(8), b: linear(8)] -> join: join(drop=0.5) }
network net {
  input torch: f32[B = 1, 4]
  a = torch -> one: unit(8, 2) -> two: unit(16, 3)
  join = a -> survivors: survivors
  drop_path = join -> drop_path(0.1)
  output drop_path
}
"""
    )
    source(net)
    same_eager_and_script(to_module(net.compiled), torch.randn(2, 4))


def test_parameters_by_path():
    b = Builder("net", "network")
    x = b.input("f32[B, 4]")
    for key in ("p", "tokens.0", "tokens.1", "encoder.pos", "in/proj"):
        p = b.op("param", (), key, shape=(4,))
        x = b.op("add", (x, p))
    x = b.op("linear", x, "encoder.ln", width=4)
    model = to_module(compiled(b.build(x)))
    assert set(model.state_dict()) == {
        "p",
        "tokens.0",
        "tokens.1",
        "encoder.pos",
        "in/proj",
        "encoder.ln.weight",
        "encoder.ln.bias",
    }
    same_eager_and_script(model, torch.randn(2, 4))


def test_strings_of_a_spec_are_never_executed():
    evil = 'x"""\nimport os\nos.system("false")\n"""'
    b = Builder(evil, "network", arguments={evil: 3})
    x = b.input("f32[B, 4]", evil)
    x = b.op("linear", x, evil.replace(".", "-"), width=4, bind=evil)
    y = b.op("relu", x, bind="import os")
    from dataclasses import replace

    graph = b.build(GraphOutput(evil, (x,)), GraphOutput("def", (y,)))
    network = replace(compiled(graph, name="net"), doc=f"{evil}\n'''\\")
    text, _ = python_source(network)
    tree = ast.parse(text)
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert imported <= {"torch", "torch.nn.functional", "math"}
    calls = [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert not any("os.system" in one or one == "system" for one in calls)
    out = to_module(network)(torch.randn(2, 4))
    assert len(out) == 2


# ---------------------------------------------------------------------- determinism


PROGRAM = """
import sys, archspec, hashlib
from archspec_torch.source import python_source
for name in ("fractalnet20_w16", "densenet40_k12_cifar10", "vit_b_16", "resnet18"):
    from archspec import shipped
    net = archspec.load(shipped.networks()[name], name)
    print(hashlib.sha256(python_source(net.compiled)[0].encode()).hexdigest())
"""


def test_source_does_not_depend_on_the_hash_seed(tmp_path):
    found = set()
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        env = {"PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT}:{ROOT / 'backends'}", "PATH": ""}
        run = subprocess.run(
            [sys.executable, "-c", PROGRAM], cwd=folder, env=env, capture_output=True, text=True
        )
        assert run.returncode == 0, run.stderr
        found.add(run.stdout)
    assert len(found) == 1


def test_backends_import_nothing_heavy():
    program = "import sys, archspec_torch, archspec_torchscript; print('torch' in sys.modules)"
    env = {"PYTHONPATH": f"{ROOT}:{ROOT / 'backends'}", "PATH": ""}
    run = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True)
    assert run.stdout.strip() == "False"


def test_identity_fills_gaps_in_numbers(network):
    net = network(
        """
network net {
  input x: f32[B = 1, 4]
  output x -> stack: (linear(4) -> identity -> linear(4) -> relu -> linear(4))
}
"""
    )
    model = to_module(net.compiled)
    assert [
        name for name, child in model.stack.named_children() if isinstance(child, nn.Linear)
    ] == ["0", "2", "4"]


# ---------------------------------------------------------------------- shapes


def test_shapes_are_commented_where_they_change(network):
    text = source(
        network(
            """
network net {
  input x: f32[B = 1, 3, H = 8, W = 8]
  output x -> a: conv(8, 3) -> relu -> sigmoid -> b: conv(4, 3) -> tanh
}
"""
        )
    )
    body = text.partition("def forward")[2]
    assert body.count("# [B, 8, H, W]") == body.count("# [B, 4, H, W]") == 1


def test_unchanged_axes_are_read_from_the_input(network):
    """So a block on a fixed and on a free number of tokens is one class."""
    text = source(
        network(
            """
block attention(heads: int) {
  input x: [B, N, D]
  y = x -> rearrange("b n (h d) -> b h n d", h=heads)
  output ((y, y) -> einsum("batch head n d, batch head m d -> batch head n m"), y)
    -> einsum("b h n m, b h m d -> b h n d")
    -> rearrange("b h n d -> b n (h d)")
    -> linear(D)
}
network net {
  input x: f32[B = 1, N = 5, 8], y: f32[B, 7, 8]
  output a = x -> attention(2)
  output b = y -> attention(2)
}
"""
        )
    )
    assert text.count("class Attention") == 1
    assert '"bhnd,bhmd->bhnm"' in text


# ---------------------------------------------------------------------- expressions of the spec


def test_arguments_of_a_block_used_once_are_its_parameters(network):
    text = source(
        network(
            """
block layer(hidden: int, drop: float, slope: float = 0.5, wide: int = 2 * hidden) {
  input x: [B, N, D]
  output x -> linear(hidden) -> leaky_relu(slope) -> linear(wide) -> dropout(drop) -> linear(D)
}
network net {
  input x: f32[B = 1, N = 3, 8]
  output x -> layer(12, 0.1)
}
"""
        )
    )
    assert "def __init__(self, in_features: int, hidden: int, drop: float) -> None:" in text
    assert "nn.Linear(hidden, 2 * hidden)" in text
    assert "nn.Linear(2 * hidden, in_features)" in text
    assert "Layer(in_features=8, hidden=12, drop=0.1)" in text
    assert "negative_slope=0.5" in text  # a default that no caller changes stays in the class


def test_derived_numbers_are_expressions_over_names(network):
    net = network(
        """
inline block scaled(by: int) { input x: [..., E]
  output x * (E // by) ** -0.5 }
block attention(heads: int, window: int) {
  input x: [B, H, C]
  rows = ceil_div(H, window)
  wide = 2 * C
  param table: f32[(2 * window - 1) ** 2, heads] = zeros
  buffer index: i64[window ** 2] = arange(window ** 2)
  y = (x * (C // heads) ** -0.5) -> pad([(1, 0, rows * window - H)]) -> linear(wide)
  output y -> scaled(heads) -> rearrange("b (r p) c -> (b r) p c", p=window)
}
network net {
  input x: f32[B = 1, H = 10, 8]
  output a = x -> attention(2, 4)
  output b = x -> attention(4, 5)
}
"""
    )
    text = source(net)
    assert "rows = -(-H // self.window)" in text
    assert "(2 * window - 1) ** 2, heads)" in text
    assert "torch.empty(window ** 2, dtype=torch.int64)" in text
    assert "x * (self.in_features // self.heads) ** -0.5" in text
    assert "y * (2 * self.in_features // self.heads) ** -0.5" in text
    assert "rows * self.window" in text
    assert "nn.Linear(in_features, 2 * in_features)" in text
    assert "unflatten(1, [-1, self.window])" in text
    module = to_module(net.compiled).eval()
    same_eager_and_script(module, torch.randn(2, 9, 8))


def test_concatenated_sizes_are_sums(network):
    text = source(
        network(
            """
block fork(width: int) {
  input x: [B, C, H, W]
  y = x -> conv(width, 3)
  output (x, y, y) -> concat -> conv(C, 1)
}
network net {
  input x: f32[B = 1, 3, H = 8, W = 8]
  output x -> fork(5)
}
"""
        )
    )
    assert "nn.Conv2d(in_channels + 2 * width, in_channels, 1)" in text


def test_an_expression_from_another_block_is_passed_as_a_number(network):
    net = network(
        """
block inner(f: layer) { input x: [B, D]
  output x -> f }
block outer(width: int) { inner(linear(width)) }
network net {
  input x: f32[B = 1, 4]
  output x -> outer(7)
}
"""
    )
    graphs = {graph.name: graph for graph in walk(net.compiled.inference)}
    (node,) = graphs["inner"].nodes[1:]
    assert node.instance.written == {"width": Outside(7)}
    assert graphs["outer"].names["width"] == 7


# ---------------------------------------------------------------------- repeated layers


TOWERS = """
inline block encoder(depth: int, hidden: int) {
  "encoder.layers": for _ in 0..depth {
    _: { residual(norm1: layer_norm -> fc: linear(hidden)) -> residual(norm2: layer_norm -> relu) }
  }
}
block decoder(depth: int) {
  input x: [B, N, D], memory: [B, M, D]
  output x
    -> for i in 0..depth {
      input y
      z = y -> "block.{i}.norm": layer_norm
      output (z, memory, memory) -> "block.{i}.attn": multihead_attention(2)
    }
}
network net {
  input x: f32[B = 1, N = 3, 8], y: f32[B, M = 4, 8]
  memory = y -> tower: (encoder(3, 8) -> last: linear(8))
  output z = (x, memory) -> decoder: decoder(4)
}
"""


def test_a_repeated_layer_is_one_class(network):
    net = network(TOWERS)
    text = source(net)
    assert "ModuleDict" not in text.split("class Net")[0]
    assert text.count("class EncoderLayer(nn.Module)") == 1
    assert "for _ in range(3)" in text
    assert "nn.ModuleList([DecoderBlock(" in text
    assert "for block in self.block:" in text
    assert "x = block(x, memory)" in text
    module = to_module(net.compiled).eval()
    assert "tower.encoder.layers.2.norm1.weight" in module.state_dict()
    assert "decoder.block.3.attn.in_proj_weight" in module.state_dict()
    same_eager_and_script(module, torch.randn(2, 5, 8), torch.randn(2, 6, 8))


def test_different_iterations_are_written_separately(network):
    text = source(
        network(
            """
network net {
  input x: f32[B = 1, 3, 8]
  output x -> for n in 1..3 { "stage{n}": (for _ in 0..n { residual(layer_norm) }) }
    -> plain: for _ in 0..3 { _: (linear(8) -> layer_norm) }
}
"""
        )
    )
    assert "Plain" not in text
    assert "class Stage" not in text


def test_the_number_of_iterations_is_the_argument_with_that_meaning(network):
    text = source(
        network(
            """
block unit(p: float) { linear(8) -> dropout(p) }
block encoder(depth: int, heads: int, p: float) {
  input x: [B, N, D]
  y = x -> rearrange("b n (h d) -> b h n d", h=heads) -> rearrange("b h n d -> b n (h d)")
  output y -> layers: for i in 0..depth { "layer{i}": unit(p) }
}
network net {
  input x: f32[B = 1, N = 3, 8]
  output x -> encoder(4, 4, 0.5)
}
"""
        )
    )
    encoder = text.partition("class Encoder(")[2].partition("class ")[0]
    assert "for i in range(depth)" in encoder
    assert "Encoder(in_features=8, depth=4, heads=4, p=0.5)" in text
    assert "OrderedDict(\n" not in text
    assert 'OrderedDict((f"layer{i}", Unit(in_features=in_features, p=p)) for i in' in encoder


HANDED = """
block attention(heads: int, drop: float = 0.0) {
  input x: [B, N, D]
  output x -> rearrange("b n (h d) -> b h n d", h=heads) -> dropout(drop)
    -> rearrange("b h n d -> b n (h d)")
}
block layer(attn: layer, hidden: int) {
  input x: [B, N, D]
  output x -> attn -> norm: layer_norm -> linear(hidden) -> leaky_relu(0.3) -> linear(D)
}
block stage(attn: layer) { a: layer(attn, 12) -> b: layer(attn, 13) }
network net {
  input x: f32[B = 1, N = 3, 8]
  output x -> stage: stage(attention(4, drop=0.25))
}
"""


def test_numbers_of_a_layer_that_is_an_argument_are_arguments(network):
    net = network(HANDED)
    text = source(net)
    layer = text.partition("class Layer(")[2].partition("class ")[0]
    assert text.count("heads: int, drop: float") == 3
    assert "(self, features: int, hidden: int, heads: int, drop: float) -> None:" in layer
    assert "Attention(heads=heads, drop=drop)" in layer
    assert "negative_slope=0.3" in layer  # a number of its own stays in the class
    assert "Layer(features=features, hidden=12, heads=heads, drop=drop)" in text
    assert "Stage(features=8, heads=4, drop=0.25)" in text
    same_eager_and_script(to_module(net.compiled), torch.randn(2, 3, 8))


def test_a_quotient_that_is_equal_in_all_specialisations_is_still_an_expression(network):
    text = source(
        network(
            """
block scaled(heads: int) {
  input x: [B, N, C]
  output x * (C // heads) ** -0.5 -> rearrange("b n (h d) -> b h n d", h=heads)
    -> rearrange("b h n d -> b n (h d)") -> linear(2 * C)
}
network net {
  input x: f32[B = 1, N = 3, 8]
  output x -> scaled(2) -> scaled(4)
}
"""
        )
    )
    assert "x * (self.in_features // self.heads) ** -0.5" in text
