"""Blocks that differ between training and inference, at any depth."""

import inspect

import pytest
import torch

from archspec.diagnostics.failure import CompileFailed
from archspec_torch.module import to_module
from archspec_torch.source import python_source
from tests.backends.scripts import script


def test_a_block_deep_inside_differs(network):
    net = network(
        """
block unit(width: int) {
  input x: [B, D]
  y = x -> fc: linear(width)
  output if training { y -> extra: linear(width) } else { y }
}
network net {
  input x: f32[B = 1, 4]
  output x -> stage: for i in 0..3 { unit(4) } -> head: linear(2)
}
"""
    )
    text, _ = python_source(net.compiled)
    assert text.count("class Unit") == 1
    model = to_module(net.compiled)
    x = torch.randn(2, 4)
    expected = {True: x, False: x}
    for unit in model.stage:
        expected[True] = unit.extra(unit.fc(expected[True]))
        expected[False] = unit.fc(expected[False])
    scripted = script(model)
    for training in (True, False):
        for one in (model, scripted):
            torch.testing.assert_close(one.train(training)(x), model.head(expected[training]))


def test_input_in_training_only(network):
    net = network(
        """
network net {
  input x: f32[B = 1, 4]
  input target: f32[B, 2] when training
  y = x -> head: linear(2)
  output y
  output loss = (y - target -> square -> mean) when training
}
"""
    )
    model = to_module(net.compiled)
    x, target = torch.randn(3, 4), torch.randn(3, 2)
    for one in (model, script(model)):
        torch.testing.assert_close(one.eval()(x), model.head(x))
        assert one.train()(x, target).loss.shape == ()
        with pytest.raises(Exception, match=r"AssertionError|`target` is missing: training"):
            one.train()(x)


ONE_EACH = """
network net {
  input noise: f32[4] when training
  input image: f32[B = 1, 16]
  input scale: f32[B, 4] when not training
  z = image -> head: linear(4)
  output y = z + noise when training
  output u = z * scale when not training
}
"""


def test_inputs_of_one_mode_each(network):
    model = network(ONE_EACH).to_torch()
    image, noise, scale = torch.randn(3, 16), torch.randn(4), torch.randn(3, 4)
    expected = model.head(image)
    for one in (model, script(model)):
        torch.testing.assert_close(one.train()(image, noise), expected + noise)
        torch.testing.assert_close(one.eval()(image, scale=scale), expected * scale)
    assert [*inspect.signature(model.forward).parameters] == ["image", "noise", "scale"]
    with pytest.raises(ValueError, match="`scale` is missing: inference needs it"):
        model(image, noise)
    with pytest.raises(ValueError, match=r"`noise` is \[5\]; valid sizes are .*`noise` \[4\]"):
        model.train()(image, torch.randn(5))


def test_outputs_of_one_mode_each(network):
    net = network(
        """
network net {
  input x: f32[B = 1, 4]
  a = x -> a: linear(2)
  b = x -> b: linear(2)
  output both = (a, b) when training
  output logits = (a + b) / 2 when not training
}
"""
    )
    model = to_module(net.compiled)
    x = torch.randn(3, 4)
    for one in (model, script(model)):
        both = one.train()(x)
        torch.testing.assert_close(both, (model.a(x), model.b(x)))
        torch.testing.assert_close(one.eval()(x), (both[0] + both[1]) / 2)


def test_nested_network_has_other_outputs_in_training(network):
    net = network(
        """
network inner {
  input x: f32[B = 1, 4]
  y = x -> fc: linear(4)
  output y
  output aux = (y -> side: linear(2)) when training
}
network net {
  input x: f32[B = 1, 4]
  output x
    -> if training {
      input x
      y, aux = x -> body: inner
      output y + (aux -> up: linear(4))
    } else { body: inner }
}
""",
        "net",
    )
    model = to_module(net.compiled)
    x = torch.randn(3, 4)
    for one in (model, script(model)):
        torch.testing.assert_close(one.eval()(x), model.body.fc(x))
        y = model.body.fc(x)
        torch.testing.assert_close(one.train()(x), y + model.up(model.body.side(y)))


def test_reparametrised_branches_keep_one_table(network):
    net = network(
        """
network net {
  input x: f32[B = 1, 3, H = 8, W = 8]
  output x
    -> if training { [a: conv(4, 3), b: conv(4, 1)] -> add } else { a: conv(4, 3) }
    -> bn: batch_norm
}
"""
    )
    model = to_module(net.compiled)
    assert {key.split(".")[0] for key in model.state_dict()} == {"a", "b", "bn"}
    x = torch.randn(2, 3, 8, 8)
    for one in (model, script(model)):
        torch.testing.assert_close(one.eval()(x), model.eval().bn(model.a(x)))
    assert model.train()(x).shape == (2, 4, 8, 8)


def test_attributes_that_differ(network):
    net = network(
        """
network net {
  input x: f32[B = 1, 64]
  output x -> body: (linear(64) -> dropout(if training then 0.5 else 0.25) -> linear(64))
}
"""
    )
    model = to_module(net.compiled)
    x = torch.randn(2, 64)
    hidden = model.body.get_submodule("0")(x)
    last = model.body.get_submodule("2")
    torch.testing.assert_close(model.eval()(x), last(hidden))
    torch.manual_seed(0)
    y = model.train()(x)
    torch.manual_seed(0)
    torch.testing.assert_close(y, last(torch.nn.functional.dropout(hidden, 0.5)))


@pytest.mark.parametrize("kind", [torch.float16, torch.float32, torch.float64])
def test_draws_use_the_given_probabilities(network, kind):
    net = network("network net {\n  input p: f32[B = 1, 4]\n  output p -> bernoulli\n}")
    model = to_module(net.compiled)
    chances = torch.tensor([-0.5, 0.25, 1e-3, 1.5], dtype=kind)
    given = chances.expand(100_000, 4)
    assert torch.equal(model.eval()(given), given.clamp(0, 1))
    torch.manual_seed(0)
    drawn = model.train()(given)
    assert drawn.dtype is kind
    assert drawn.unique().tolist() == [0, 1]
    assert drawn.double().mean(0).tolist() == pytest.approx([0, 0.25, 1e-3, 1], rel=0.1)


def test_a_layer_cannot_have_two_strides(network):
    net = network(
        """
network net {
  input x: f32[B = 1, 3, H = 8, W = 8]
  output x -> a: conv(8, 3, stride=if training then 2 else 1)
}
"""
    )
    with pytest.raises(CompileFailed, match="E0821"):
        to_module(net.compiled)


INNER = """
network inner {
  input x: f32[B = 1, 4]
  output y = x -> fc: linear(4)
  output aux = x -> side: linear(2) when training
}
"""


def test_outputs_of_a_nested_network_in_training_only(network):
    net = network(
        INNER
        + """
network net {
  input x: f32[B = 1, 4]
  found = x -> body: inner
  output y = if training { found[0] } else { found }
  output aux = found[1] when training
}
""",
        "net",
    )
    model = to_module(net.compiled)
    x = torch.randn(3, 4)
    for one in (model, script(model)):
        assert one.train()(x).aux.shape == (3, 2)
        torch.testing.assert_close(one.eval()(x), model.body.fc(x))


AUXILIARY = """
block head(classes: int) {{ linear(classes) -> dropout(0.1) }}
network net {{
  input x: f32[B = 2, 4]
  y = x -> stem: linear(4) -> relu
  output logits = y -> body: linear(4) -> tanh -> fc: linear(3)
  output aux = y -> {aux} when training
}}
"""


@pytest.mark.parametrize("aux", ["side: head(3)", "linear(5) -> relu -> linear(3)"])
def test_common_statements_are_written_once_around_an_auxiliary_head(network, aux):
    net = network(AUXILIARY.format(aux=aux))
    text, _ = python_source(net.compiled)
    assert text.count("self.fc(") == text.count("self.body(") == 1
    assert "aux: Optional[Tensor] = None\n        if self.training:\n" in text
    assert "assert aux is not None" in text
    assert "        return logits\n" in text
    model = to_module(net.compiled)
    x = torch.randn(3, 4)
    y = torch.relu(model.stem(x))
    expected = model.fc(torch.tanh(model.body(y)))
    for one in (model, script(model)):
        torch.testing.assert_close(one.eval()(x), expected)
        logits, side = one.train()(x)
        torch.testing.assert_close(logits, expected)
        assert side.shape == (3, 3)


def test_value_assigned_in_both_modes_is_not_declared(network):
    net = network(
        """
network net {
  input x: f32[B = 2, 4]
  y = x -> a: linear(4)
  z = if training { y -> b: linear(4) } else { y -> tanh }
  output w = (z, y) -> add -> c: linear(4)
  output other = (z, y) -> sub when training
}
"""
    )
    model = to_module(net.compiled)
    x = torch.randn(3, 4)
    y = model.a(x)
    for one in (model, script(model)):
        torch.testing.assert_close(one.eval()(x), model.c(torch.tanh(y) + y))
        w, other = one.train()(x)
        torch.testing.assert_close(w, model.c(model.b(y) + y))
        torch.testing.assert_close(other, model.b(y) - y)


def test_outputs_of_training_that_read_named_values_come_last(network):
    net = network(
        """
network net {
  input x: f32[B = 2, 4]
  a = x -> fc1: linear(4)
  b = a -> fc2: linear(4)
  output y = (a, b) -> concat -> head: linear(2) -> sigmoid
  output sides = (t -> sigmoid for t in (a, b)) when training
}
"""
    )
    body = python_source(net.compiled)[0].partition("class Net(")[2]
    assert body.count("if self.training:") == 1
    assert body.count("self.head(") == 1
    assert body.index("self.head(") < body.index("if self.training:") < body.index("sigmoid(b)")
    model, x = to_module(net.compiled), torch.randn(2, 4)
    a = model.fc1(x)
    b = model.fc2(a)
    y = torch.sigmoid(model.head(torch.cat([a, b], dim=1)))
    for one in (model, script(model)):
        torch.testing.assert_close(one.train(True)(x), (y, (a.sigmoid(), b.sigmoid())))
        torch.testing.assert_close(one.train(False)(x), y)


def test_layers_of_training_come_after_the_ops_that_they_read(network):
    net = network(
        """
block columns(width: int) {
  input x
  output shallow = x -> conv(width, 1)
  output deep = x -> conv(width, 1) -> conv(width, 1)
}
network net {
  input x: f32[B = 2, 3, H = 8, W = 8]
  a, b = x -> columns(3)
  both = (a, b) -> join()
  output y = x -> conv(4, 3)
  output late = both -> late: conv(2, 1) when training
}
"""
    )
    model = to_module(net.compiled)
    x = torch.randn(2, 3, 8, 8)
    a, b = model.columns(x)
    for one in (model, script(model)):
        y, late = one.train()(x)
        torch.testing.assert_close(late, model.late((a + b) / 2))
        torch.testing.assert_close(one.eval()(x), y)
