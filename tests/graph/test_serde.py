"""JSON reads back to an equal network, for which the same code is generated."""

import json
from dataclasses import replace

import pytest

import archspec
from archspec.graph.compare import fingerprint, same_graph
from archspec.graph.serde.read import read_network
from archspec.graph.serde.values import NotReadable
from archspec.graph.serde.write import network_json
from archspec.graph.text import network_text
from archspec.graph.verify import verify_network
from archspec.graph.walk import walk
from archspec_torch.source import python_source
from tests.specs.compiled import shipped
from tests.specs.families import NAMES, family, options, sampled

TEXT = """\
network net(width: int = 8) {
  input x: f32[B = 2, 3, H = 16, W = 16], y: f32[B, P = 0, 4] where H >= 6, W >= 6, P >= 0
  shared f = conv(width, 3, padding=0)
  z = x -> conv(3, 3) -> [f, max_pool(2) -> f -> resize([H - 2, W - 2])] -> add
  m = y -> linear(3)
  output a = z -> iterate([conv(width, 3), batch_norm] -> add, 3) -> dropout(0.5)
  output b, c = (y -> pad([(1, 0, max(min(H, 8) - 2, 1))]), m)
  output d = z -> global_avg_pool -> head: linear(3) when training
  init conv.weight = kaiming_normal(mode="fan_out")
}
"""


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    path = tmp_path_factory.mktemp("net") / "net.arch"
    path.write_text(TEXT)
    return archspec.load(path).compiled


def again(compiled):
    return read_network(json.loads(json.dumps(network_json(compiled), allow_nan=False)))


def assert_same(left, right):
    assert network_text(left) == network_text(right)
    for mode in ("inference", "training"):
        one, two = getattr(left, mode), getattr(right, mode)
        assert same_graph(one, two)
        assert fingerprint(one) == fingerprint(two)
        assert len(walk(one)) == len(walk(two))
    assert replace(left, inference=left.training) == replace(
        right, inference=left.training, training=left.training
    )
    assert verify_network(right) == ()


def test_network_round_trips(net):
    assert_same(net, again(net))
    assert network_json(again(net)) == network_json(net)


@pytest.mark.parametrize("name", sampled(NAMES, 3))
def test_shipped_networks_round_trip(name):
    run = family(name)["run"]
    compiled = shipped(run["network"], **options(run)).compiled
    back = again(compiled)
    assert_same(compiled, back)
    # without its spec a network cannot be compiled with other numbers
    assert python_source(replace(compiled, family=None)) == python_source(back)


def test_shared_layers_stay_shared(net):
    back = again(net)
    first = [node.instance for node in back.training.nodes if _key(node) == "conv_1"]
    assert len(first) == 2
    assert first[0] is first[1]
    shared = [set(walk(one.inference)) & set(walk(one.training)) for one in (net, back)]
    assert len(shared[0]) == len(shared[1])


def test_blocks_that_modes_share_stay_shared():
    compiled = shipped("resnet18").compiled
    back = again(compiled)
    assert back.inference is back.training
    compiled = shipped("googlenet").compiled
    back = again(compiled)
    shared = [set(walk(one.inference)) & set(walk(one.training)) for one in (compiled, back)]
    assert len(shared[0]) == len(shared[1]) > 0


def _key(node):
    return node.instance.key if node.instance is not None else ""


def _without(data, name):
    return {key: value for key, value in data.items() if key != name}


WRONG = {
    "no table": lambda data: [],
    "another format": lambda data: {**data, "format": 2},
    "a part that is missing": lambda data: _without(data, "graphs"),
    "a graph that is not there": lambda data: {**data, "training": 99},
    "an op that is not there": lambda data: _first_op(data, {"name": "nothing"}),
    "an attribute that is not there": lambda data: _first_op(data, {"name": "relu", "x": 1}),
    "a value that is none": lambda data: _first_op(data, {"name": "relu", "x": {"code": "1"}}),
    "a condition that is none": lambda data: {**data, "where": {"==": "H"}},
}


def _first_op(data, op):
    first, *rest = data["instances"]
    return {**data, "instances": [{**first, "op": op}, *rest]}


@pytest.mark.parametrize("kind", WRONG)
def test_invalid_data_is_refused(net, kind):
    with pytest.raises(NotReadable):
        read_network(WRONG[kind](network_json(net)))
