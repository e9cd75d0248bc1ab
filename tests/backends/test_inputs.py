"""The class of a network documents and checks its inputs, and has examples of them."""

import ast
import inspect
import pickle
from itertools import product

import numpy as np
import pytest
import torch

import archspec
from archspec.analysis.sizes import accepts
from archspec_torch.module import to_module
from archspec_torch.source import python_source
from tests.backends.scripts import script

PAIR = """
network net {
  input image: f32[B = 1, 3, H = 8, W = 8] where H % 4 == 0
  input ids: i64[B, T = 3] where T <= 5
  input extra: f32[B, 2] when training
  seen = image -> conv(4, 3, stride=2) -> relu -> max_pool(2) -> global_avg_pool
  output y = (seen, ids -> embedding(7, 4) -> mean(axis=1)) -> add
}
"""


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((1, 3, 6, 8), "`image` is [1, 3, 6, 8], `ids` is [1, 3]"),
        ((1, 8, 8, 3), "`image` is [1, 8, 8, 3]"),
        ((3, 8, 8), "`image` is [3, 8, 8]"),
        ((2, 3, 8, 8), "`image` is [2, 3, 8, 8], `ids` is [1, 3]"),
    ],
)
@pytest.mark.parametrize("training", [False, True])
def test_other_sizes_are_rejected_with_a_message(network, shape, words, training):
    module = network(PAIR).to_torch().train(training)
    ids = torch.zeros(1, 3, dtype=torch.int64)
    with pytest.raises(ValueError, match="valid sizes are") as found:
        module(torch.randn(shape), ids, *([torch.randn(1, 2)] * training))
    assert words in str(found.value)
    assert "`image` [B, 3, H, W], `ids` [B, T]" in str(found.value)
    assert "T <= 5" in str(found.value)


WRONG_TYPES = [
    ("image", torch.zeros(1, 3, 8, 8, dtype=torch.uint8), "is torch.uint8, not a floating type"),
    ("ids", torch.zeros(1, 3), "is torch.float32, not torch.int64"),
    ("extra", torch.zeros(1, 2, dtype=torch.bool), "is torch.bool, not a floating type"),
    ("extra", torch.zeros(1, 3), r"is \[1, 3\]; valid sizes are .*`extra` \[B, 2\]"),
    ("extra", None, "is missing: training needs it"),
]


@pytest.mark.parametrize(("name", "value", "words"), WRONG_TYPES)
def test_other_types_and_missing_inputs_are_rejected_with_a_message(network, name, value, words):
    module = network(PAIR).to_torch().train()
    inputs = {
        "image": torch.zeros(1, 3, 8, 8),
        "ids": torch.zeros(1, 3, dtype=torch.int32),
        "extra": torch.zeros(1, 2),
    }
    module(**inputs)
    with pytest.raises(ValueError, match=f"`{name}` {words}"):
        module(**inputs | {name: value})
    module.eval()(inputs["image"], inputs["ids"])


KINDS = """
network net {
  input mask: bool[B = 1, T = 4]
  input wave: c64[B, T]
  input weights: f32[B, 2 * T]
  output y = mask
  output z = wave
  output total = weights -> mean(axis=1)
}
"""


def test_computed_sizes_and_other_types_are_checked(network):
    module = network(KINDS).to_torch()
    mask, wave = torch.ones(1, 4, dtype=torch.bool), torch.ones(1, 4, dtype=torch.complex64)
    module.check_inputs(mask, wave, torch.ones(1, 8))
    with pytest.raises(ValueError, match=r"`weights` is \[1, 7\]"):
        module.check_inputs(mask, wave, torch.ones(1, 7))
    with pytest.raises(ValueError, match=r"`mask` is torch\.float32, not torch\.bool"):
        module.check_inputs(mask.float(), wave, torch.ones(1, 8))
    with pytest.raises(ValueError, match=r"`wave` is torch\.float32, not a complex type"):
        module.check_inputs(mask, wave.real, torch.ones(1, 8))


def is_accepted(module, *inputs):
    try:
        module.check_inputs(*inputs)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    "name",
    ["inception_v3", "resnet18", "deeplabv3_resnet50", "unet", "cont_ti", "swin_t", "alexnet"],
)
def test_the_sizes_of_both_modes_are_checked(name):
    net = archspec.load(name)
    module = net.to_torch(device="meta")
    channels = net.inputs[0].types[0].shape[1].constant
    sides = (*range(1, 80, 7), 31, 32, 33, 75, 223, 224, 298, 299, 346, 347)
    for training in (True, False):
        module.train(training)
        accepted = 0
        for batch, height, width in product((1, 2), sides, sides):
            x = torch.empty(batch, channels, height, width, device="meta")
            wanted = accepts(net.compiled, {"B": batch, "H": height, "W": width}, training=training)
            assert is_accepted(module, x) == wanted, (x.shape, training)
            accepted += wanted
        assert accepted


def test_network_with_frozen_norms_can_be_trained_on_one_image():
    module = archspec.load("resnet18").to_torch(device="meta")
    x = torch.empty(1, 3, 32, 32, device="meta")
    with pytest.raises(ValueError, match="in training with B > 1 or H > 32 or W > 32"):
        module(x)
    for part in module.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.eval()
    module(x)


@pytest.mark.parametrize("name", ["resnet18", "swin_t", "siglip", "inception_v3", "lenet"])
def test_examples_are_valid_in_both_modes(name):
    net = archspec.load(name)
    module = net.to_torch(device="meta")
    for training in (True, False):
        module.train(training)(*module.example_inputs())
    found = [[*value.shape] for value in module.example_inputs()]
    assert all(value.is_meta for value in module.example_inputs())
    assert len(found) == len(net.inputs)


def test_an_example_of_a_mask_lets_all_positions_take_part(network):
    module = network(
        "network net {\n  input x: f32[B = 2, 3], mask: bool[B, 3]\n"
        "  output y = (mask, x, x * 2) -> where\n}"
    ).to_torch()
    assert bool(module.example_inputs()[1].all())


def test_inputs_are_not_checked_during_tracing():
    net = archspec.load("lenet")
    module = net.to_torch().eval()
    x = torch.randn(1, 1, 32, 32)
    expected = module(x)
    exported = torch.export.export(module, (x,)).module()
    traced = torch.jit.trace(module, (x,))
    recorded = torch.fx.symbolic_trace(module)
    for form in (exported, traced, recorded, script(module)):
        torch.testing.assert_close(form(x), expected)
        assert "ValueError" not in str(getattr(form, "code", ""))
    assert "32" not in recorded.code
    with pytest.raises(
        ValueError, match=r"`image` is \[1, 1, 28, 28\]; valid sizes are \[B, 1, 32"
    ):
        module(torch.randn(1, 1, 28, 28))


def test_docstring_lists_inputs_outputs_and_valid_sizes():
    source, name = python_source(archspec.load("unet").compiled)
    (found,) = (
        one for one in ast.parse(source).body if isinstance(one, ast.ClassDef) and one.name == name
    )
    text = " ".join((ast.get_docstring(found) or "").split())
    assert "Inputs: `image` f32[B, 1, H, W]." in text
    assert "Outputs: `logits` f32[B, classes, H, W]." in text
    assert "Valid sizes: H % 16 == 0, W % 16 == 0." in text
    assert "Valid sizes in training: H % 16 == 0, W % 16 == 0, (B > 1 or H > 31 or W > 31)." in text
    module = to_module(archspec.load("lenet").compiled)
    assert "Inputs: `image` f32[B, 1, 32, 32]." in inspect.getdoc(type(module)).replace("\n", " ")


def test_the_check_can_be_turned_off():
    """The check takes about 3 µs of a forward pass that is not compiled."""
    module = archspec.load("lenet").to_torch().eval()
    wrong = torch.randn(1, 3, 32, 32)
    module.checks_inputs = False
    with pytest.raises(RuntimeError, match="to have 1 channels"):
        module(wrong)
    with pytest.raises(ValueError, match="valid sizes are"):
        module.check_inputs(wrong)
    assert type(module).checks_inputs
    again = pickle.loads(pickle.dumps(module))
    assert not again.checks_inputs


def test_a_compiled_module_has_no_trace_of_the_check():
    module = archspec.load("lenet").to_torch().eval()
    recorded = []

    def record(graph, _):
        recorded.append(graph.code)
        return graph.forward

    torch.compile(module, backend=record, fullgraph=True)(torch.randn(1, 1, 32, 32))
    (code,) = recorded
    module.checks_inputs = False
    torch._dynamo.reset()
    torch.compile(module, backend=record, fullgraph=True)(torch.randn(1, 1, 32, 32))
    assert recorded == [code, code]


def test_messages_in_inference_name_no_inputs_of_training(network):
    module = network(PAIR).to_torch().eval()
    with pytest.raises(ValueError, match="valid sizes are") as found:
        module(torch.randn(2, 3, 8, 8), torch.zeros(1, 3, dtype=torch.int64))
    assert "extra" not in str(found.value)
    assert "with the same B, " in str(found.value)


def test_double_precision_is_refused_unless_the_module_has_it(network):
    module = network(PAIR).to_torch().eval()
    image, ids = torch.randn(1, 3, 8, 8).double(), torch.zeros(1, 3, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"`image` is torch.float64: .*`.float\(\)`"):
        module(image, ids)
    assert module.double()(image, ids).dtype is torch.float64
    text = "network n { input x: f32[B = 1, 3]\n output y = x * 2 }"
    assert network(text).to_torch()(torch.ones(1, 3).double()).dtype is torch.float64


@pytest.mark.parametrize(
    ("image", "error", "words"),
    [
        (np.zeros((1, 3, 8, 8), "float32"), TypeError, "is ndarray, not a tensor"),
        ([0.0], TypeError, "is list, not a tensor"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), ValueError, r"uint8, .*`.float\(\)`"),
        (torch.zeros(1, 3, 8, 8).bfloat16(), ValueError, r"bfloat16: .*`.to\(torch.bfloat16\)`"),
    ],
)
def test_inputs_of_another_kind_or_precision_are_refused_in_words(network, image, error, words):
    module = network(PAIR).to_torch().eval()
    with pytest.raises(error, match=words):
        module(image, torch.zeros(1, 3, dtype=torch.int64))


def test_half_precision_is_accepted_with_autocast_and_in_a_module_of_that_precision(network):
    module = network(PAIR).to_torch().eval()
    image, ids = torch.randn(1, 3, 8, 8).bfloat16(), torch.zeros(1, 3, dtype=torch.int64)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        module(image, ids)
    assert module.bfloat16()(image, ids).dtype is torch.bfloat16
