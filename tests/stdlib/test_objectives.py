"""Objectives with a counterpart in torch or torchvision have its values and gradients."""

import pytest
import torch.nn.functional as F

from tests.stdlib.objective import compare_all, drawn, labels, shares


def each(call, function):
    """A call with `{r}`, and a function of the tensors and `reduction=`, for every reduction."""
    return {
        call.replace("{r}", f'reduction="{r}"'): lambda *t, r=r: function(*t, reduction=r)
        for r in ("mean", "sum", "none")
    }


INDEXED = {
    **each("(x, t) -> cross_entropy({r})", lambda x, t, w, **r: F.cross_entropy(x, t, **r)),
    **each(
        "(x, t) -> cross_entropy(smoothing=0.1, {r})",
        lambda x, t, w, **r: F.cross_entropy(x, t, label_smoothing=0.1, **r),
    ),
    **each("(x, t, w) -> cross_entropy({r})", lambda x, t, w, **r: F.cross_entropy(x, t, w, **r)),
    **each(
        "(x, t, w) -> cross_entropy(smoothing=0.3, {r})",
        lambda x, t, w, **r: F.cross_entropy(x, t, w, label_smoothing=0.3, **r),
    ),
}

OTHER_IGNORED = {
    **each(
        "(x, t) -> cross_entropy(1, {r})",
        lambda x, t, w, **r: F.cross_entropy(x, t, ignore_index=1, **r),
    ),
    **each(
        "(x, t, w) -> cross_entropy(1, 0.1, {r})",
        lambda x, t, w, **r: F.cross_entropy(x, t, w, ignore_index=1, label_smoothing=0.1, **r),
    ),
}

MARGINS = {
    **each("(x, t) -> multi_margin_loss({r})", lambda x, t, **r: F.multi_margin_loss(x, t, **r)),
    **each(
        "(x, t) -> multi_margin_loss(2, 0.7, {r})",
        lambda x, t, **r: F.multi_margin_loss(x, t, p=2, margin=0.7, **r),
    ),
}

DISTRIBUTIONS = {
    **each("(x, q) -> soft_cross_entropy({r})", lambda x, q, w, **r: F.cross_entropy(x, q, **r)),
    **each(
        "(x, q, w) -> soft_cross_entropy(0.2, {r})",
        lambda x, q, w, **r: F.cross_entropy(x, q, w, label_smoothing=0.2, **r),
    ),
}


def divergence(x, y, temperature, reduction):
    p, q = ((z / temperature).log_softmax(1) for z in (x, y))
    if reduction == "mean":  # of all elements; torch warns that it will change this
        return temperature**2 * F.kl_div(p, q, log_target=True, reduction="sum") / x.numel()
    return temperature**2 * F.kl_div(p, q, log_target=True, reduction=reduction)


DIVERGENCES = {
    "(x, y) -> kl_divergence": lambda x, y: divergence(x, y, 1.0, "batchmean"),
    "(x, y) -> kl_divergence(4.0)": lambda x, y: divergence(x, y, 4.0, "batchmean"),
    **each("(x, y) -> kl_divergence(2.5, {r})", lambda x, y, **r: divergence(x, y, 2.5, **r)),
}

BINARY = {
    **each(
        "(x, q) -> binary_cross_entropy_with_logits({r})",
        lambda x, q, w, **r: F.binary_cross_entropy_with_logits(x, q, **r),
    ),
    **each(
        "(x, q, w) -> binary_cross_entropy_with_logits({r})",
        lambda x, q, w, **r: F.binary_cross_entropy_with_logits(x, q, pos_weight=w, **r),
    ),
}

ERRORS = {
    **each("(x, y) -> mse_loss({r})", F.mse_loss),
    **each("(x, y) -> l1_loss({r})", F.l1_loss),
    **each("(x, y) -> smooth_l1_loss({r})", F.smooth_l1_loss),
    **each(
        "(x, y) -> smooth_l1_loss(0.3, {r})",
        lambda x, y, **r: F.smooth_l1_loss(x, y, beta=0.3, **r),
    ),
    "(x, y) -> smooth_l1_loss(0)": lambda x, y: F.smooth_l1_loss(x, y, beta=0.0),
    **each("(x, y) -> huber_loss({r})", F.huber_loss),
    **each("(x, y) -> huber_loss(1.7, {r})", lambda x, y, **r: F.huber_loss(x, y, delta=1.7, **r)),
}

TRIPLETS = {
    **each("(a, p, n) -> triplet_margin_loss({r})", F.triplet_margin_loss),
    **each(
        "(a, p, n) -> triplet_margin_loss(0.4, 1.5, 1e-3, swap=true, {r})",
        lambda a, p, n, **r: F.triplet_margin_loss(a, p, n, 0.4, 1.5, 1e-3, swap=True, **r),
    ),
    "(p -> l2_normalize, n -> l2_normalize) -> cosine_similarities": lambda a, p, n: (
        F.cosine_similarity(p[:, None], n[None], dim=-1)
    ),
}

GROUPS = {
    "vectors and labels": (
        "x: f32[B = 2, 5], t: i64[B], w: f32[5]",
        INDEXED,
        [
            lambda n=n, s=s: (drawn(n, 5, scale=s), labels(5, n, ignored=-100), shares(5))
            for n, s in ((4, 1.0), (7, 30.0), (1, 1.0))
        ],
    ),
    "maps and labels": (
        "x: f32[B = 2, 4, H = 3, W = 3], t: i64[B, H, W], w: f32[4]",
        INDEXED,
        [
            lambda n=n: (drawn(n, 4, 5, 3), labels(4, n, 5, 3, ignored=-100), shares(4))
            for n in (1, 3)
        ],
    ),
    "maps and another label that is ignored": (
        "x: f32[B = 2, 4, H = 3, W = 3], t: i64[B, H, W], w: f32[4]",
        OTHER_IGNORED,
        [lambda n=n: (drawn(n, 4, 2, 6), labels(4, n, 2, 6), shares(4)) for n in (1, 3)],
    ),
    "margins": (
        "x: f32[B = 2, 5], t: i64[B]",
        MARGINS,
        [lambda n=n: (drawn(n, 5), labels(5, n)) for n in (1, 6)],
    ),
    "distributions": (
        "x: f32[B = 2, 5, N = 3], q: f32[B, 5, N], w: f32[5]",
        DISTRIBUTIONS,
        [
            lambda n=n: (drawn(n, 5, 4, scale=9.0), drawn(n, 5, 4).softmax(1).detach(), shares(5))
            for n in (1, 3)
        ],
    ),
    "teachers": (
        "x: f32[B = 2, 5], y: f32[B, 5]",
        DIVERGENCES,
        [lambda n=n, s=s: (drawn(n, 5, scale=s), drawn(n, 5)) for n, s in ((1, 1.0), (6, 40.0))],
    ),
    "maps of teachers": (
        "x: f32[B = 2, 5, H = 2, W = 2], y: f32[B, 5, H, W]",
        DIVERGENCES,
        [lambda: (drawn(3, 5, 2, 7), drawn(3, 5, 2, 7))],
    ),
    "binary": (
        "x: f32[B = 2, 5], q: f32[B, 5], w: f32[5]",
        BINARY,
        [
            lambda n=n, s=s: (drawn(n, 5, scale=s), shares(n, 5).requires_grad_(), 3 * shares(5))
            for n, s in ((1, 1.0), (6, 50.0), (3, 0.0))
        ],
    ),
    "errors": (
        "x: f32[B = 2, 3, N = 4], y: f32[B, 3, N]",
        ERRORS,
        [lambda n=n: (drawn(n, 3, 6), drawn(n, 3, 6)) for n in (1, 5)],
    ),
    "triplets": (
        "a: f32[B = 2, 6], p: f32[B, 6], n: f32[B, 6]",
        TRIPLETS,
        [lambda n=n: (drawn(n, 6), drawn(n, 6), drawn(n, 6)) for n in (1, 5)],
    ),
}


@pytest.mark.parametrize("group", GROUPS)
def test_values_and_gradients_are_those_of_torch(tmp_path, group):
    compare_all(tmp_path, GROUPS[group])


FOCAL = {
    f"(x, q) -> sigmoid_focal_loss({options}{{r}})": {"alpha": a, "gamma": g}
    for options, a, g in (("", 0.25, 2.0), ("-1.0, ", -1, 2.0), ("0.6, 0.5, ", 0.6, 0.5))
}


def test_the_focal_loss_is_that_of_torchvision(tmp_path):
    theirs = pytest.importorskip("torchvision.ops").sigmoid_focal_loss
    references = {}
    for call, options in FOCAL.items():
        references |= each(call, lambda x, q, o=options, **r: theirs(x, q, **o, **r))
    draws = [lambda n=n: (drawn(n, 5, scale=3.0), shares(n, 5)) for n in (1, 6)]
    compare_all(tmp_path, ("x: f32[B = 2, 5], q: f32[B, 5]", references, draws))
