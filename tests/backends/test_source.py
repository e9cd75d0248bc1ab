"""Generated source: readable, deterministic, safe, one class per structure."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from archspec.diagnostics.model import CompileFailed
from archspec.graph.model import GraphOutput, Instance
from archspec_torch.module import to_module
from archspec_torch.source import python_source
from tests.backends.graphs import Builder, compiled

ROOT = Path(__file__).parents[2]


def source(net):
    text, _ = python_source(net.compiled)
    compile(text, "net.py", "exec")
    assert max(len(line) for line in text.splitlines()) <= 100
    return text


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
    assert "def __init__(self, in_channels: int, width: int, stride: int) -> None:" in text
    assert "self.b = Unit(in_channels=8, width=16, stride=2)" in text


def test_structures_become_classes_named_by_what_differs(network):
    text = source(
        network(
            """
block unit(width: int, down: bool = false) {
  input x: [B, C, H, W]
  output (x -> conv(width, 1)) + (x -> downsample: (if down { conv(width, 1) }))
}
network net {
  input x: f32[B = 1, 8, H = 16, W = 16]
  output x -> a: unit(8) -> b: unit(16, true)
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
    assert "nn.Sequential(*[Unit(p=0.5) for _ in range(20)])" in text
    assert re.search(r'\(f"layer\{i\}", Unit\(p=p\)\)\s+for i, p in enumerate\(', text)
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
    assert "self.long = Chain(n=7)" in text
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


def test_names_of_helpers_children_and_arguments_do_not_clash(network):
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


def test_texts_of_a_spec_never_reach_the_code():
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


# ---------------------------------------------------------------------- sharing, regions


def test_shared_instances_are_one_module():
    b = Builder("net", "network")
    x = b.input("f32[B, 4]")
    inner = Builder("unit")
    inner_graph = inner.build(inner.op("linear", inner.input("f32[B, 4]"), "fc", width=4))
    shared = Instance("unit", graph=inner_graph)
    for _ in range(3):
        x = b.call(inner_graph, x, share=shared)
    model = to_module(compiled(b.build(x)))
    assert len(model.state_dict()) == 2
    same_eager_and_script(model, torch.randn(2, 4))


def test_regions_and_captures(network):
    net = network(
        """
block cell(dim: int) {
  input x: [B, D], h: [B, dim], memory: [B, dim]
  h2 = (x -> a: linear(dim)) + (h -> b: linear(dim)) + memory -> tanh
  output h2 -> out: linear(2)
  output h = h2
}
network net {
  input x: f32[B = 1, T = 5, 4]
  memory = x -> mean(axis=1) -> m: linear(8)
  ys, last = (x, zeros([B, 8])) -> steps: scan({
    input t, h
    output (t, h, memory) -> cell: cell(8)
  }, axis=1)
  output ys
  output last = last
}
"""
    )
    model = to_module(net.compiled)
    out = model(torch.randn(2, 5, 4))
    assert [tuple(item.shape) for item in out] == [(2, 5, 2), (2, 8)]
    assert sum(p.numel() for p in model.parameters()) == net.parameters
    same_eager_and_script(model, torch.randn(3, 7, 4))


def test_buffers_are_computed_in_init(network):
    net = network(
        """
block bias(window: int) {
  input x: [B, N]
  buffer index: i64[window, window] = {
    i = arange(window)
    output (i -> unsqueeze(1)) - (i -> unsqueeze(0)) + (window - 1)
  }
  param table: f32[2 * window - 1] = normal(std=0.02)
  output x + ((table, index) -> take(axis=0) -> sum)
}
network net {
  input x: f32[B = 1, N = 3]
  output x -> a: bias(3) -> b: bias(5)
}
"""
    )
    text = source(net)
    assert text.count("class Bias") == 1
    model = to_module(net.compiled)
    assert model.state_dict()["b.index"].tolist()[0] == [4, 3, 2, 1, 0]
    same_eager_and_script(model, torch.randn(2, 3))


# ---------------------------------------------------------------------- free sizes


def test_free_sizes_are_read_from_shapes(network):
    net = network(
        """
block inner { input x: [B, C, h, w]
  output (x -> avg_pool(2) -> resize((h, w), mode="bilinear")) + x }
block tokens { input x: [B, N, D]
  output (arange(N, dtype=f32) -> unsqueeze(1)) + x }
network net {
  input x: f32[B = 1, 3, H = 32, W = 32] where H % 8 == 0, W % 8 == 0
  y = x -> conv(4, 3, stride=2) -> inner -> conv(4, 3, stride=2) -> inner
  output y -> rearrange("b c h w -> b (h w) c") -> tokens -> reshape([B, H // 4, W // 4, 4])
}
"""
    )
    model = to_module(net.compiled)
    for size in ((32, 32), (16, 24), (8, 40)):
        assert model(torch.randn(2, 3, *size)).shape == (2, size[0] // 4, size[1] // 4, 4)
    same_eager_and_script(model, torch.randn(1, 3, 16, 24))


def test_sizes_that_no_input_tells_are_passed(network):
    net = network(
        """
block make { input x: [B, C]
  output x }
network net {
  input x: f32[B = 1, 4, H = 6]
  output (x -> mean(axis=2) -> {
    input m: [B, C]
    output (m -> unsqueeze(2) -> expand(B, 4, H)) + x
  })
}
"""
    )
    assert to_module(net.compiled)(torch.randn(2, 4, 9)).shape == (2, 4, 9)


def test_extra_symbols_reach_inner_blocks():
    inner = Builder("grow")
    x = inner.input("f32[B, 4]")
    x = inner.op("unsqueeze", x, axis=2)
    from archspec.types.dim import Dim

    x = inner.op("expand", x, sizes=(-1, -1, Dim.symbol("H") // 2))
    grow = inner.build(x)
    b = Builder("net", "network")
    y = b.input("f32[B, 4, H]")
    y = b.op("mean", y, axis=2)
    y = b.call(grow, y, "grow")
    model = to_module(compiled(b.build(y)))
    assert model(torch.randn(2, 4, 9)).shape == (2, 4, 4)
    same_eager_and_script(model, torch.randn(2, 4, 9))


# ---------------------------------------------------------------------- determinism


PROGRAM = """
import sys, archspec, hashlib
from archspec_torch.source import python_source
for name in ("fractalnet20_w16", "densenet40_k12_cifar10", "vit_b_16", "resnet18"):
    from archspec import shipped
    net = archspec.load(shipped.networks()[name], name)
    print(hashlib.sha256(python_source(net.compiled)[0].encode()).hexdigest())
"""


def test_same_bytes_under_two_hash_seeds(tmp_path):
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
