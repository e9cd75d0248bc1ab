"""Graphs built without text equal those compiled from text, and verify."""

import pytest

import archspec
from archspec.graph.build import Building
from archspec.graph.compare import same_graph
from archspec.graph.model import Region
from archspec.graph.text import graph_text
from archspec.graph.verify import verify
from archspec.ops.base import OpError
from archspec.ops.registry import all_ops
from tests.building import tensor

TEXT = """\
block unit(width: int) { conv(width, 3) -> batch_norm -> relu }

network net {
  input x: f32[B = 2, 3, H = 16, W = 16], y: f32[B, 8, 14, W]
  z = x -> unit(8)
  w = z -> iterate([conv(8, 3), batch_norm] -> add, 3)
  output a, b = w -> max_pool(2) -> split(2, axis=1)
  output c = (z -> slice(axis=2, stop=14), y) -> add
}
"""


def op(name, **attributes):
    return all_ops()[name](**attributes)


def unit():
    unit = Building("unit")
    x = unit.input("x", tensor("B", 3, "H", "W"))
    (conv,) = unit.op(op("conv", width=8, kernel=3), x)
    (norm,) = unit.op(op("batch_norm"), conv)
    unit.output("output", *unit.op(op("relu"), norm))
    return unit.graph()


def body():
    body = Building("layer", "region")
    x = body.input("input_0", tensor("B", 8, "H", "W"))
    ways = (*body.op(op("conv", width=8, kernel=3), x), *body.op(op("batch_norm"), x))
    body.output("output", *body.op(op("add"), *ways))
    return body.graph()


def built():
    net = Building("net", "network")
    x = net.input("x", tensor("B", 3, "H", "W"))
    y = net.input("y", tensor("B", 8, 14, "W"))
    (z,) = net.call(unit(), x)
    (w,) = net.op(op("iterate", steps=3), z, regions=[Region("layer", "layer", body())])
    (w,) = net.op(op("max_pool", kernel=2), w)
    a, b = net.op(op("split", parts=2, axis=1), w)
    (z,) = net.op(op("slice", axis=2, stop=14), z)
    (c,) = net.op(op("add"), z, y)
    for name, port in zip("abc", (a, b, c), strict=True):
        net.output(name, port)
    return net.graph()


def test_built_graph_equals_the_compiled_text(tmp_path):
    path = tmp_path / "net.arch"
    path.write_text(TEXT)
    written = archspec.load(path).compiled.inference
    graph = built()
    assert verify(graph) == ()
    assert same_graph(graph, written)
    assert graph_text(graph).splitlines() == [
        line.replace("unit(width=8)", "unit") if line.startswith("block") else line
        for line in graph_text(written).splitlines()
    ]


def test_keys_are_numbered_and_unique():
    build = Building("net")
    x = build.input("x", tensor("B", 8))
    for _ in range(3):
        (x,) = build.op(op("linear", width=8), x)
    (x,) = build.op(op("linear", width=8), x, key="head")
    keys = [node.instance.key for node in build.nodes if node.instance is not None]
    assert keys == ["linear", "linear_1", "linear_2", "head"]
    with pytest.raises(ValueError, match="the key `head` is already used"):
        build.op(op("linear", width=8), x, key="head")


def test_a_layer_used_twice_is_one_instance():
    build = Building("net")
    x = build.input("x", tensor("B", 8))
    (y,) = build.op(op("linear", width=8), x)
    (z,) = build.use(build.nodes[y.node].instance, y)
    build.output("output", z)
    graph = build.graph()
    assert len(graph.instances) == 1
    assert verify(graph) == ()


@pytest.mark.parametrize(
    ("name", "attributes", "kinds", "message"),
    [
        ("add", {}, [("B", 3), ("B", 4)], "`add` needs equal dims"),
        ("conv", {"width": 8, "kernel": 3}, [("B", 3)], "`conv` takes"),
        ("global_max_pool", {}, [("B", 3, 0, 4)], "`global_max_pool` needs"),
    ],
)
def test_mismatched_inputs_are_refused(name, attributes, kinds, message):
    build = Building("net")
    ports = [build.input(f"x{at}", tensor(*kind)) for at, kind in enumerate(kinds)]
    with pytest.raises(OpError, match=message):
        build.op(op(name, **attributes), *ports)


def test_a_block_takes_inputs_of_its_types():
    build = Building("net")
    x = build.input("x", tensor("B", 4, "H", "W"))
    with pytest.raises(OpError, match=r"`unit` takes f32\[B, 3, H, W\], but got f32\[B, 4, H, W\]"):
        build.call(unit(), x)
