"""Repetitions in `forward` as loops over modules, and over slices of containers."""

from __future__ import annotations

import pytest
import torch

from archspec.network import Network
from archspec.semantics.compile import load_network
from archspec.source import Source
from archspec_torch.code.lines import Line
from archspec_torch.code.pieces import code
from archspec_torch.code.renaming import crosses, renamed_read, with_temporaries
from archspec_torch.source import python_source
from tests.backends.scripts import script
from tests.backends.sources import source

BLOCKS = """
block unit {
  input x: [B, D], y
  output x + (x -> fc: linear(D)) * y
}
"""


def lines_of(body: str) -> tuple[list[str], Network]:
    text = f"{BLOCKS}network net {{\n  input x: f32[B = 2, 4], x0: f32[B, 4]\n{body}\n}}\n"
    net = Network(load_network(Source("net.arch", text))[0])
    source = python_source(net.compiled)[0]
    forward = source.split("class Net(")[1].split("def forward")[1].split("return")[0]
    return [line.partition("  #")[0].strip() for line in forward.splitlines()], net


def each(names: str, body: str = "unit") -> str:
    return f'-> for i in {names} {{\n    input x\n    output (x, x0) -> "block.{{i}}": {body}\n  }}'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"  output x {each('0..4')}", ["for block in self.block:", "x = block(x, x0)"]),
        (
            f'  output (x -> "block.0": linear(4)) {each("1..4")}',
            ["x = self.block[0](x)", "x = self.block[1](x, x0)", "x = self.block[3](x, x0)"],
        ),
        (
            f'  output (x {each("0..3")}) -> "block.3": linear(4)',
            ["x = self.block[0](x, x0)", "x = self.block[3](x)"],
        ),
        (f"  output x {each('0..2')}", ["for block in self.block:", "x = block(x, x0)"]),
        (
            f"  y = x {each('0..4')}\n  output x * y",
            ["y = x", "for block in self.block:", "y = block(y, x0)"],
        ),
        (
            f"  y = x {each('0..4')}\n  output y + x0",
            ["y = x", "for block in self.block:", "y = block(y, x0)"],
        ),
    ],
)
def test_loops_over_lists(body: str, expected: list[str]) -> None:
    lines, net = lines_of(body)
    assert [line for line in lines if line in expected] == expected, lines
    module = net.to_torch()
    x, x0 = torch.randn(2, 4), torch.randn(2, 4)
    torch.testing.assert_close(script(module)(x, x0), module(x, x0))
    y = x
    for block in module.block:
        y = block(y) if isinstance(block, torch.nn.Linear) else block(y, x0)
    if "output x * y" in body:
        y = x * y
    torch.testing.assert_close(module(x, x0), y + x0 if "+ x0" in body else y)


OWN_INPUTS = """
block other {{
  input x: [B, D], ...ys
  sum = if len(ys) > 0 {{ x + ys[0] }} else {{ x -> identity }}
  output sum -> fc: linear(D)
}}
network net {{
  input x: f32[B = 2, 4], x0: f32[B, 4]
  ys = (x0 -> "fc.{{i}}": linear(4) for i in 0..3)
{body}
}}
"""


def chosen(values: str, inputs: str, block: str = "unit") -> str:
    return f"""  output x -> for i, y in enumerate({values}) {{
    input x
    output ({inputs}) -> "block.{{i}}": {block}
  }}"""


@pytest.mark.parametrize(
    ("order", "body", "expected"),
    [
        (
            (0, 1, 2),
            chosen("ys", "x, y"),
            ["for block, y in zip(self.block, (ys[0], ys[1], ys[2])):", "x = block(x, y)"],
        ),
        (
            (2, 1, 0),
            chosen("reversed(ys)", "y, x"),
            ["for block, y in zip(self.block, (ys[2], ys[1], ys[0])):", "x = block(y, x)"],
        ),
        (
            (1, 0, 1),
            chosen("(ys[1], ys[0], ys[1])", "x, y") + " -> relu",
            ["for block, y in zip(self.block, (ys_1, ys_0, ys_1)):", "x = block(x, y)"],
        ),
        (
            (None, 1, 2),
            """  first = x -> "block.0": other
  second = (first, ys[1]) -> "block.1": other
  output (second, ys[2]) -> "block.2": other""",
            [
                "for block, ys in zip(self.block, (None, ys_1, ys_2)):",
                "x = block(x, ys=ys)",
            ],
        ),
        (
            (1, 2, 0),
            """  first = (x, ys[1]) -> "block.0": other
  second = (first, ys[2]) -> "block.1": other
  output first * ((second, ys[0]) -> "block.2": other)""",
            ["first = self.block[0](x, ys[1])", "x = self.block[2](second, ys[0])"],
        ),
    ],
    ids=["in order", "reversed, first", "twice", "one has none", "a result is read later"],
)
def test_modules_that_each_read_a_value_of_their_own_are_a_loop(
    order: tuple[int | None, ...], body: str, expected: list[str]
) -> None:
    text = BLOCKS + OWN_INPUTS.format(body=body)
    net = Network(load_network(Source("net.arch", text))[0])
    source = python_source(net.compiled)[0].split("class Net(")[1]
    found = [line.partition("  #")[0].strip() for line in source.splitlines()]
    assert [line for line in found if line in expected] == expected, found
    module = net.to_torch()
    x, x0 = torch.randn(2, 4), torch.randn(2, 4)
    results = [x]
    for block, at in zip(module.block, order, strict=True):
        values = [results[-1]] if at is None else [results[-1], module.fc[at](x0)]
        results.append(block(*(reversed(values) if "(y, x)" in body else values)))
    y = results[-1].relu() if "relu" in body else results[-1]
    y = results[1] * y if "first *" in body else y
    torch.testing.assert_close(module(x, x0), y)
    torch.testing.assert_close(script(module)(x, x0), y)


def test_values_inside_of_an_iteration_may_have_any_variable() -> None:
    body = (
        f"  bias = x0 * 2\n  output y = (x -> relu) {each('0..5').replace('x, x0', 'x, bias + x0')}"
    )
    lines, net = lines_of(body)
    assert "for block in self.block:" in lines
    assert not any("self.block[" in line for line in lines)
    module = net.to_torch()
    x, x0 = torch.randn(2, 4), torch.randn(2, 4)
    y = x.relu()
    for block in module.block:
        y = block(y, x0 * 2 + x0)
    torch.testing.assert_close(module(x, x0), y)
    torch.testing.assert_close(script(module)(x, x0), y)


def line(text: str) -> Line:
    return Line(code(text))


@pytest.mark.parametrize(
    ("first", "others", "found"),
    [
        (["y = \2(x, b)"], ["y = \2(y, b)"], ("x", "y")),
        (["z = \2(x)", "y = x + z"], ["z = \2(y)", "y = y + z"], ("x", "y")),
        (["y = \2(x, y)"], ["y = \2(y, y)"], None),  # it reads both
        (["z = \2(x)"], ["z = \2(y)"], None),  # no value is passed to the next iteration
        (["y = \2(x, a)"], ["y = \2(y, b)"], None),
        (["y = \2(x)"], ["y = \2(y, y)"], None),
        (['y = \2(x, "x")'], ['y = \2(y, "y")'], None),
    ],
)
def test_first_iterations_that_read_another_variable(
    first: list[str], others: list[str], found: tuple[str, str] | None
) -> None:
    assert renamed_read([*map(line, first)], [*map(line, others)]) == found


TAPPED = """
block unit { input x: [B, D]
  output x -> residual(fc: linear(D) -> relu) }
network net {
  input x: f32[B = 2, 4]
  start = x -> linear(4)
  _, ...hidden_states = start -> for i in 0..5 {
    input ...previous
    output (...previous, previous[-1] -> "blocks.{i}": unit)
  }
  output y = KEPT
}
"""


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (
            "(hidden_states[i] for i in [1, 3, 4])",
            [
                "hidden_states: List[Tensor] = []",
                "for i, block in enumerate(self.blocks):",
                "x = block(x)",
                "if i in [1, 3, 4]:",
                "hidden_states.append(x)",
            ],
        ),
        (
            "hidden_states -> concat",
            [
                "hidden_states: List[Tensor] = []",
                "for block in self.blocks:",
                "x = block(x)",
                "hidden_states.append(x)",
            ],
        ),
        ("hidden_states[4] + x", ["hidden_states_4 = self.blocks(start)"]),
    ],
)
def test_intermediate_results_of_a_loop_are_gathered_in_a_list(kept, expected):
    net = Network(load_network(Source("net.arch", TAPPED.replace("KEPT", kept)))[0])
    source = python_source(net.compiled)[0]
    body = source.split("class Net(")[1].split("def forward")[1]
    lines = [line.partition("  #")[0].strip() for line in body.splitlines()]
    assert [line for line in lines if line in expected] == expected, source
    module, x = net.to_torch(), torch.randn(2, 4)
    states, y = [], module.linear(x)
    for block in module.blocks:
        y = block(y)
        states.append(y)
    wanted = {
        "(": tuple(states[i] for i in (1, 3, 4)),
        "hidden_states -> concat": torch.cat(states, dim=1),
        "hidden_states[4] + x": y + x,
    }
    expected_values = next(value for start, value in wanted.items() if kept.startswith(start))
    for made in (module, script(module)):
        torch.testing.assert_close(made(x), expected_values)


PARALLEL = """
block neck(width: int) {
  input ...features
  maps = (
    x -> "projects.{i}": conv(8, 1) -> relu -> "convs.{i}": conv(width, 3)
    for i, x in enumerate(features)
  )
  smallest, ...larger = reversed(maps)
  output smallest -> "fuse.0": conv(width, 1) -> for i, skip in enumerate(larger) {
    input y
    output (y, skip) -> add -> "fuse.{i + 1}": conv(width, 1)
  }
}
network net {
  input image: f32[B = 2, 3, H = 4, W = 5]
  output (image -> a: conv(4, 3), image -> b: conv(5, 3), image -> c: conv(6, 3)) -> neck: neck(7)
}
"""


def test_equal_lines_for_several_lists_are_one_loop():
    net = Network(load_network(Source("net.arch", PARALLEL))[0])
    source = python_source(net.compiled)[0]
    body = source.split("class Neck(")[1].split("def forward")[1].split("return")[0]
    lines = [line.partition("  #")[0].strip() for line in body.splitlines()]
    at = lines.index("maps: List[Tensor] = []")
    assert "".join(lines[at + 1 : lines.index("maps.append(x)")]) == (
        "for feature, project, conv in zip("
        "(features_0, features_1, features_2), self.projects, self.convs):"
        "x = project(feature)x = F.relu(x, inplace=True)x = conv(x)"
    )
    module, image = net.to_torch(), torch.randn(2, 3, 4, 5)
    neck = module.neck
    features = (module.a(image), module.b(image), module.c(image))
    maps = [
        conv(torch.relu(project(x)))
        for x, project, conv in zip(features, neck.projects, neck.convs, strict=True)
    ]
    y = neck.fuse[0](maps[2])
    y = neck.fuse[2](neck.fuse[1](y + maps[1]) + maps[0])
    for made in (module, script(module)):
        torch.testing.assert_close(made(image), y)


def test_results_may_have_the_name_of_what_they_are_computed_from():
    text = """
block scales {
  input x: [B, C, H, W]
  output x -> relu
  output x -> sigmoid
  output x -> tanh
}
network net {
  input image: f32[B = 2, 4, H = 4, W = 5]
  ...maps = (x -> "lateral.{i}": conv(4, 1) for i, x in enumerate(image -> scales))
  total = (x -> "part.{i}": conv(4, 3) for i, x in enumerate(maps)) -> add
  output y = ((x, total) -> mul for x in maps) -> add
}
"""
    net = Network(load_network(Source("net.arch", text))[0])
    source = python_source(net.compiled)[0]
    assert "for x, lateral in zip((maps_0, maps_1, maps_2), self.lateral):" in source
    module, image = net.to_torch(), torch.randn(2, 4, 4, 5)
    scales = (image.relu(), image.sigmoid(), image.tanh())
    maps = [conv(x) for x, conv in zip(scales, module.lateral, strict=True)]
    total = sum(conv(x) for x, conv in zip(maps, module.part, strict=True))
    for made in (module, script(module)):
        torch.testing.assert_close(made(image), total * sum(maps))


def test_branches_of_one_list_are_gathered_in_a_loop():
    text = """
network net {
  input x: f32[B = 2, 3, H = 4, W = 5]
  scales = (x -> "convs.{i}": (conv(2, 1) -> conv(i + 1, 3)) for i in 0..3)
  output y = scales -> concat
}
"""
    net = Network(load_network(Source("net.arch", text))[0])
    source = python_source(net.compiled)[0]
    assert "for conv in self.convs:\n            scale = conv(x)" in source
    module, x = net.to_torch(), torch.randn(2, 3, 4, 5)
    y = torch.cat([conv(x) for conv in module.convs], dim=1)
    for made in (module, script(module)):
        torch.testing.assert_close(made(x), y)


def test_variables_that_reach_the_next_iteration_are_no_temporaries():
    def lines(*texts: str) -> list[Line]:
        return [line(text) for text in texts]

    inside = with_temporaries(lines("y = a + b", "x = f(x, y)", "z = x + y"), {1})
    assert inside == lines("y = a + b", "x = f(x, y)", "z = x + y")
    (first, *_) = found = with_temporaries(lines("y = a + b", "x = f(x, y)", "z = x + x"), {1})
    assert "y" not in str(first.code)
    assert found[2] == line("z = x + x")
    assert crosses(found[:1])
    assert not crosses(found[:2])
    assert crosses(found[1:])


# ---------------------------------------------------------------------- values of iterations


def test_values_that_depend_on_the_iteration_are_computed(network):
    spec = """
block unit(rate: float, slope: int, grow: bool) {
  input x: [B, C]
  output x + (x -> dropout(rate) -> linear(C) -> leaky_relu(slope / 10))
}
network net(rate: float = 0.3, slope: int = 4, depth: int = 6) {
  input x: f32[B = 1, 8]
  output y = x -> layers: for i in 0..depth {
    unit(rate * i / (depth - 1), if i % 2 == 0 then 1 else slope, i % 2 == 1)
  }
}
"""
    net = network(spec)
    text = source(net)
    assert "rate=rate * i / 5" in text
    assert "slope=1 if i % 2 == 0 else slope" in text
    module = type(net.to_torch())(rate=0.5, slope=7)
    other = network(spec.replace("0.3", "0.5").replace("slope: int = 4", "slope: int = 7"))
    for made, rate, slope in (
        (net.to_torch(), 0.3, 4),
        (module, 0.5, 7),
        (other.to_torch(), 0.5, 7),
    ):
        for i, layer in enumerate(made.layers):
            found = layer.rate if hasattr(layer, "rate") else layer.dropout.p
            assert found == rate * i / 5
            assert (layer.slope == slope) if i % 2 else (layer.slope == 1)
