"""Objectives at their limits: nothing counts, large logits, one sample, shapes that differ."""

import math
import warnings

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

import archspec
from tests.stdlib.objective import drawn, network

MAPS = "x: f32[B = 2, 4, H = 3, W = 3], t: i64[B, H, W], y: f32[B, 4, H, W]"


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    """Losses of maps and labels as a function of (x, t, y), in the type of x."""
    calls = (
        "(x, t) -> cross_entropy",
        "(x, t) -> cross_entropy(smoothing=0.25)",
        "(x, t) -> softmax_focal_loss(0.0)",
        "(x, y) -> kl_divergence(2.0)",
        "(x, y -> sigmoid) -> binary_cross_entropy_with_logits",
        "(x, y) -> huber_loss(0.5)",
    )
    net = network(tmp_path_factory.mktemp("maps"), MAPS, calls)
    modules = {dtype: net.to_torch(dtype=dtype) for dtype in (torch.float32, torch.float64)}
    return lambda x, t, y: modules[x.dtype](x, t, y)


def one(tmp_path, inputs, call):
    return network(tmp_path, inputs, [call]).to_torch(dtype=torch.float64)


def test_result_without_valid_elements_has_zero_gradients(tmp_path):
    calls = {
        "(x -> mean(axis=2), m) -> masked_mean": math.nan,
        "(x, x * 2, m) -> masked_mse_loss": math.nan,
        "(x, x * 2, m) -> masked_mse_loss(1e-8)": 0.0,
        "(x -> exp, x -> sigmoid, n) -> scale_invariant_log_loss": math.nan,
        '(x -> rearrange("b n c -> b c n"), t) -> cross_entropy(smoothing=0.1)': math.nan,
        '(x -> rearrange("b n c -> b c n"), t) -> softmax_focal_loss': math.nan,
        '(x -> rearrange("b n c -> b c n"), t) -> cross_entropy(reduction="sum")': 0.0,
    }
    inputs = "x: f32[B = 2, 3, 4], m: bool[B, 3], n: bool[B, 3, 4], t: i64[B, 3]"
    module = network(tmp_path, inputs, calls).to_torch(dtype=torch.float64)
    masks = torch.zeros(2, 3, dtype=torch.bool), torch.zeros(2, 3, 4, dtype=torch.bool)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripted = torch.jit.script(module)
    for function in (module, scripted, scripted):
        x = drawn(2, 3, 4)
        losses = function(x, *masks, torch.full((2, 3), -100))
        for loss, wanted in zip(losses, calls.values(), strict=True):
            assert loss.item() == pytest.approx(wanted, nan_ok=True)
            (gradient,) = torch.autograd.grad(loss, x, retain_graph=True)
            assert not gradient.any()


def test_images_with_only_positive_or_negative_pixels_contribute_nothing(tmp_path):
    module = one(
        tmp_path, "x: f32[B = 2, 5], q: f32[B, 5]", "(x, q) -> balanced_binary_cross_entropy"
    )
    x = drawn(2, 5)
    loss = module(x, torch.stack([torch.ones(5), torch.zeros(5)]).double())
    assert loss.item() == 0


def test_invalid_pixels_may_have_any_value(tmp_path):
    inputs = "x: f32[B = 2, 4], y: f32[B, 4], m: bool[B, 4]"
    module = one(tmp_path, inputs, "(x, y, m) -> scale_invariant_log_loss(1.0)")
    valid = torch.tensor([[True, True, False, True], [True, False, True, False]])
    x, y = drawn(2, 4).exp(), drawn(2, 4).exp()
    wanted = module(x, y, valid)
    x, y = x.detach(), y.detach()
    y[~valid] = torch.tensor([0.0, math.nan, -1.0], dtype=torch.float64)
    x[~valid] = math.inf
    x.requires_grad_()
    loss = module(x, y, valid)
    torch.testing.assert_close(loss, wanted, rtol=0, atol=1e-15)
    (gradient,) = torch.autograd.grad(loss, x)
    assert gradient.isfinite().all()
    assert gradient[~valid].eq(0).all()
    scaled = module(3.0 * x, y, valid)  # with 1.0 a common factor does not matter
    torch.testing.assert_close(scaled, wanted, rtol=0, atol=1e-14)


def test_large_logits_neither_overflow_nor_lose_digits(maps):
    torch.manual_seed(0)
    x = (1e4 * torch.randn(2, 4, 3, 3)).requires_grad_()
    t, y = torch.randint(4, (2, 3, 3)), 1e4 * torch.randn(2, 4, 3, 3)
    exact = x.detach().double().requires_grad_()
    pairs = zip(maps(x, t, y), maps(exact, t, y.double()), strict=True)
    for loss, wanted in pairs:
        torch.testing.assert_close(loss.double(), wanted, rtol=1e-5, atol=0)
        (gradient,) = torch.autograd.grad(loss, x, retain_graph=True)
        (better,) = torch.autograd.grad(wanted, exact, retain_graph=True)
        torch.testing.assert_close(gradient.double(), better, rtol=1e-4, atol=1e-6)


def test_large_scores_do_not_overflow(tmp_path):
    module = network(tmp_path, "s: f32[N = 4, N]", ["s -> info_nce_loss(1e-3)"]).to_torch()
    assert module(100 * torch.eye(4)).item() == 0
    assert module(-100 * torch.eye(4)).item() == pytest.approx(1e5 + math.log(3))


def test_at_a_high_temperature_logits_are_matched(tmp_path):
    """Section 2.1 of Hinton et al.: the squared error of centred logits over 2 C."""
    module = one(tmp_path, "x: f32[B = 2, 5], y: f32[B, 5]", "(x, y) -> kl_divergence(1e4)")
    x, y = drawn(3, 5), drawn(3, 5)
    centred = (x - y) - (x - y).mean(1, keepdim=True)
    wanted = centred.square().sum(1).mean() / (2 * 5)
    assert module(x, y).item() == pytest.approx(wanted.item(), rel=1e-3)
    assert module(x, x).item() == 0


def test_loss_of_a_single_pair_is_zero(tmp_path):
    for negatives in ("all", "hardest"):
        call = f's -> ranking_hinge_loss(negatives="{negatives}")'
        assert one(tmp_path, "s: f32[N = 2, N]", call)(drawn(1, 1)).item() == 0
    assert one(tmp_path, "s: f32[N = 2, N]", "s -> info_nce_loss")(drawn(1, 1)).item() == 0


def test_similarity_does_not_depend_on_rotation_scale_and_offset(tmp_path):
    torch.manual_seed(0)
    module = one(tmp_path, "a: f32[N = 8, 5], b: f32[N, 5]", "(a, b) -> linear_cka")
    a, b = drawn(8, 5), drawn(8, 5)
    rotation, _ = torch.linalg.qr(drawn(5, 5))
    assert module(a, a).item() == pytest.approx(1)
    assert module(a, b).item() < 0.9
    torch.testing.assert_close(module(3 * a @ rotation + 1, b), module(a, b))
    assert module(a[:1], b[:1]).isnan()


@pytest.mark.parametrize(
    ("inputs", "call"),
    [
        ("x: f32[B = 2, 4, 3, 5], t: i64[B, 5, 3]", "(x, t) -> cross_entropy"),
        ("x: f32[B = 2, 4, 3, 5], t: i64[B, 2, 5]", "(x, t) -> cross_entropy"),
        ("x: f32[B = 2, 4, 3, 5], t: i64[B, 3]", "(x, t) -> cross_entropy"),
        ("x: f32[B = 2, 4, 3, 5], t: i64[B, 3]", '(x, t) -> cross_entropy(reduction="sum")'),
        ("x: f32[B = 2, 4], t: i64[B], w: f32[5]", "(x, t, w) -> cross_entropy(smoothing=0.1)"),
        ("x: f32[B = 2, 4], t: f32[B]", "(x, t) -> cross_entropy"),
        ("x: f32[B = 2, 4, 6], t: i64[B, 5]", "(x, t) -> softmax_dice_loss"),
        ("x: f32[B = 2, 1], y: f32[B]", "(x, y) -> mse_loss"),
        ("x: f32[B = 2, 4], y: f32[B, 1]", "(x, y) -> huber_loss"),
        ("x: f32[B = 2, 1], y: f32[B]", "(x, y) -> binary_cross_entropy_with_logits"),
        ("x: f32[B = 2, 4], y: f32[B, 5]", "(x, y) -> kl_divergence"),
        ("x: f32[B = 2, 4, 1], m: bool[B, 4]", "(x, m) -> masked_mean"),
        ("s: f32[4, 5]", "s -> info_nce_loss"),
        ("x: f32[B = 2, 3, H = 1, 1]", "x -> total_variation"),
    ],
)
def test_mismatched_shapes_are_errors(tmp_path, inputs, call):
    """Where torch would broadcast, as for [B, 1] and [B], or read part of the logits."""
    with pytest.raises(archspec.CompileFailed):
        network(tmp_path, inputs, [call])


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_maps_of_all_sizes_and_labels(maps, data):
    batch, height, width = (data.draw(st.integers(1, 4)) for _ in range(3))
    sizes = (batch, height, width)
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 1000)))
    scale = data.draw(st.sampled_from([0.0, 1.0, 1e2, 1e6]))
    x, y = scale * torch.randn(2, batch, 4, height, width, generator=generator).double()
    count = batch * height * width
    drawn = data.draw(st.lists(st.sampled_from([-100, 0, 1, 2, 3]), min_size=count, max_size=count))
    t = torch.tensor(drawn).reshape(sizes)
    found = maps(x, t, y)
    p, q = ((z / 2).log_softmax(1) for z in (x, y))
    wanted = (
        F.cross_entropy(x, t),
        F.cross_entropy(x, t, label_smoothing=0.25),
        F.cross_entropy(x, t),
        4 * F.kl_div(p, q, log_target=True, reduction="batchmean"),
        F.binary_cross_entropy_with_logits(x, y.sigmoid()),
        F.huber_loss(x, y, delta=0.5),
    )
    torch.testing.assert_close(tuple(found), wanted, rtol=1e-9, atol=1e-12, equal_nan=True)
