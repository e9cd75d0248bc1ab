"""DropBlock: what is dropped in training, and in which hosts."""

import pytest
import torch
import torch.nn.functional as F

from archspec.loading import load
from archspec.shipped import folder
from archspec_torchscript.script import to_torchscript
from tests.specs.compiled import shipped

SIZE = "[B = 2, 4, H = 32, W = 32]"


@pytest.fixture
def block(network):
    """A module with DropBlock, and its network."""

    def made(attributes, shape=SIZE):
        net = network(shape, f"drop_block({attributes})", "std.cnn { drop_block }")
        return net, net.to_torch()

    return made


def squares(hole, size):
    """The part of a map of zeros and ones that is covered by squares of ones."""
    inner = -F.max_pool2d(-hole, size, stride=1)
    border = (size - 1,) * 4
    return F.max_pool2d(F.pad(inner, border), size, stride=1)


def share(p, size, height, width):
    """The average probability that a position is dropped, computed as in the paper."""
    gamma = p / size**2 * height * width / ((height - size + 1) * (width - size + 1))
    corners = torch.ones(1, 1, height - size + 1, width - size + 1)
    covering = F.conv2d(F.pad(corners, (size - 1,) * 4), torch.ones(1, 1, size, size))
    return float((1 - (1 - gamma) ** covering).mean())


@pytest.mark.parametrize("attributes", ["0.3, 3", "0.0", "0.1, 1"])
def test_nothing_happens_in_inference(block, attributes):
    net, module = block(attributes)
    x = torch.randn(2, 4, 5, 6)
    assert torch.equal(module.eval()(x), x)
    assert all(node.op is None for node in net.compiled.inference.nodes)
    if attributes.startswith("0.0"):
        assert torch.equal(module.train()(x), x)


@pytest.mark.parametrize(
    ("p", "size", "height", "width"), [(0.1, 7, 40, 40), (0.2, 3, 30, 17), (0.1, 2, 16, 16)]
)
def test_dropped_squares(block, p, size, height, width):
    torch.manual_seed(0)
    _, module = block(f"{p}, {size}")
    y = module.train()(torch.ones(500, 4, height, width))
    hole = (y == 0).float()
    assert torch.equal(squares(hole, size), hole)
    assert float(hole.mean()) == pytest.approx(share(p, size, height, width), rel=0.03)
    assert 0.8 * p < float(hole.mean()) <= p
    assert not torch.equal(hole[0, 0], hole[0, 1])  # each channel of each sample has its own
    assert not torch.equal(hole[0], hole[1])
    assert float(y.mean()) == pytest.approx(1)
    assert len(y.unique()) == 2  # all kept values have the same scale


def test_a_size_of_one_is_dropout(block):
    torch.manual_seed(0)
    _, module = block("0.25, 1")
    y = module.train()(torch.ones(100, 4, 20, 20))
    assert float((y == 0).float().mean()) == pytest.approx(0.25, rel=0.03)


def test_the_mean_of_many_draws_is_the_input(block):
    torch.manual_seed(0)
    _, module = block("0.1, 3")
    x = torch.randn(1, 1, 12, 12)
    means = module.train()(x.expand(40_000, 4, 12, 12)).mean(dim=(0, 1))
    inner = (slice(3, 9), slice(3, 9))  # the border is in fewer squares, so more of it is kept
    assert float((means / x[0, 0])[inner].std()) < 0.01
    assert float((means * x).sum() / (x * x).sum()) == pytest.approx(1, abs=0.02)


def test_gradients_go_to_what_is_left(block):
    torch.manual_seed(0)
    _, module = block("0.2, 3")
    x = torch.randn(2, 4, 16, 16, requires_grad=True)
    y = module.train()(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    assert torch.equal(slope == 0, y == 0)


def test_result_is_zero_if_everything_is_dropped(block):
    _, module = block("50.0, 3")
    assert not module.train()(torch.randn(2, 4, 3, 5)).any()


def test_sizes(block):
    """Any size into which a square fits; TorchScript computes the same."""
    net, module = block("0.3, 5", "[B = 1, 4, H = 9, W = 9]")
    assert not net.accepts(training=True, H=4, W=9)
    assert net.accepts(training=True, H=5, W=9)
    assert net.accepts(H=1, W=1)
    scripted = to_torchscript(net.compiled, module=module)
    for sizes in ((2, 4, 5, 9), (1, 4, 30, 11)):
        x = torch.randn(sizes)
        torch.manual_seed(3)
        wanted = module.train()(x)
        torch.manual_seed(3)
        assert torch.equal(scripted.train()(x), wanted)
    with pytest.raises(ValueError, match="in training with H >= 5, W >= 5"):
        module.train()(torch.randn(1, 4, 3, 9))


def test_drop_block_in_resnest(monkeypatch):
    """The last two stages drop, after three norms of each block; names do not change."""
    kept = shipped("resnest14d")
    dropping = shipped("resnest14d", missing=0.1)
    states = [net.to_torch(seed=0).state_dict() for net in (kept, dropping)]
    assert [*states[0]] == [*states[1]]
    image = torch.randn(2, 3, 96, 96)
    module, plain = (net.to_torch(seed=0).eval() for net in (dropping, kept))
    torch.testing.assert_close(module(image), plain(image))
    seen = []
    drawn = torch.rand_like

    def watched(p, **options):
        seen.append(tuple(p.shape[1:]))
        return drawn(p, **options)

    monkeypatch.setattr(torch, "rand_like", watched)
    module.train()(image)
    assert seen == [
        (256, 10, 10),
        (512, 10, 10),
        (1024, 4, 4),
        (512, 4, 4),
        (1024, 4, 4),
        (2048, 1, 1),
    ]


def test_drop_block_in_another_network(tmp_path):
    """At the end of a ResNet's branches."""
    (tmp_path / "resnet.arch").write_text(
        (folder() / "resnet.arch").read_text(encoding="utf-8"), encoding="utf-8"
    )
    path = tmp_path / "net.arch"
    path.write_text(
        "use resnet { basic, resnet }\nuse std.cnn { drop_block }\n\n"
        "preset net = resnet(basic(attend=drop_block(0.1, 3)), [1, 1, 1, 1], classes=10)\n",
        encoding="utf-8",
    )
    net = load(path, "net")
    plain = shipped("resnet18", depths=(1, 1, 1, 1), classes=10)
    module, other = net.to_torch(seed=0), plain.to_torch(seed=0)
    assert [*module.state_dict()] == [*other.state_dict()]
    image = torch.randn(2, 3, 65, 96)
    torch.testing.assert_close(module.eval()(image), other.eval()(image))
    torch.manual_seed(0)
    module.train()(image).sum().backward()
    assert all(part.grad is not None for part in module.parameters())
    assert not net.accepts(training=True, H=64, W=96)
    assert net.accepts(training=True, H=65, W=96)
