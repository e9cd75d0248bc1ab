"""Objectives without a counterpart in torch have the values and gradients of their formulas."""

import pytest
import torch
import torch.nn.functional as F

from tests.stdlib.objective import compare_all, drawn, labels, positive, shares


def mask(*shape):
    """Zeros and ones, with at least one of each in the first image."""
    drawn = (torch.rand(shape) < 0.3).double()
    drawn.view(-1)[0], drawn.view(-1)[1] = 0, 1
    return drawn


def reductions(call, function):
    """A call with `{r}`, and a function that yields all losses, for every reduction."""
    reduced = {"mean": torch.mean, "sum": torch.sum, "none": lambda losses: losses}
    return {
        call.replace("{r}", f'reduction="{name}"'): lambda *t, r=reduce: r(function(*t))
        for name, reduce in reduced.items()
    }


def squared_hinge(x, t, margin=1.0):
    """Caffe's HingeLoss with the norm L2: the logit of the label changes its sign."""
    signed = x * (1 - 2 * F.one_hot(t, x.shape[1]))
    return (margin + signed).clamp(min=0).square().sum(1)


def info_nce(scores, temperature, symmetric):
    scores = scores / temperature
    own = torch.arange(len(scores))
    rows = F.cross_entropy(scores, own, reduction="none")
    columns = F.cross_entropy(scores.T, own, reduction="none")
    return (rows + columns) / 2 if symmetric else rows


def ranking_hinge(scores, margin, hardest):
    """VSE++: https://github.com/fartashf/vsepp, `ContrastiveLoss`, before the sum."""
    own = scores.diag()
    captions = (margin + scores - own[:, None]).clamp(min=0) * (1 - torch.eye(len(scores)))
    images = (margin + scores - own[None, :]).clamp(min=0) * (1 - torch.eye(len(scores)))
    if hardest:
        return captions.max(1)[0] + images.max(0)[0]
    return captions.sum(1) + images.sum(0)


def semihard(e, t, margin):
    """Pair by pair: the nearest negative beyond the positive, or else the farthest negative."""
    distances = (e[:, None] - e[None]).square().sum(2)
    losses = []
    for a, p in (t[:, None] == t).fill_diagonal_(False).nonzero().tolist():
        negatives = distances[a][t != t[a]]
        beyond = negatives[negatives > distances[a, p]]
        negative = beyond.min() if len(beyond) else negatives.max()
        losses.append((margin + distances[a, p] - negative).clamp(min=0))
    return torch.stack(losses).mean()


def linear_cka(a, b):
    """In the space of features, as in Kornblith et al., formula 2 of section 3."""
    a, b = ((f - f.mean(0)).flatten(1) for f in (a, b))
    return (b.T @ a).square().sum() / ((a.T @ a).norm() * (b.T @ b).norm())


def balanced(x, q):
    losses = []
    for image, edges in zip(x, q, strict=True):
        beta = (edges == 0).double().mean()
        p = image.sigmoid()
        losses.append(
            -beta * p[edges == 1].log().sum() - (1 - beta) * (1 - p[edges == 0]).log().sum()
        )
    return torch.stack(losses)


def dice(x, q):
    """The numerator and the denominator of MaskFormer's `dice_loss`."""
    p, q = x.sigmoid().flatten(1), q.flatten(1)
    return 1 - (2 * (p * q).sum(1) + 1) / (p.sum(1) + q.sum(1) + 1)


def squared_dice(x, q):
    p, q = x.sigmoid().flatten(1), q.flatten(1)
    return 1 - 2 * (p * q).sum(1) / (p.square().sum(1) + q.square().sum(1))


def softmax_dice(x, t, smooth=1.0, power=1, ignored=-100):
    losses = []
    for image, wanted in zip(x.softmax(1), t, strict=True):
        for k, p in enumerate(image):
            p, q = p[wanted != ignored], (wanted[wanted != ignored] == k).double()
            sizes = (p**power).sum() + q.sum()
            losses.append(1 - (2 * (p * q).sum() + smooth) / (sizes + smooth))
    return torch.stack(losses).reshape(len(x), -1).mean(1)


def focal(x, t, w=None, gamma=2.0, ignored=-100):
    valid = t != ignored
    p = x.softmax(1).movedim(1, -1)[valid].gather(-1, t[valid][:, None])[:, 0]
    losses = torch.zeros(t.shape, dtype=x.dtype)
    losses[valid] = -((1 - p) ** gamma) * p.log() * (1 if w is None else w[t[valid]])
    return losses


def mae(pred, images, mask):
    """`forward_loss` of https://github.com/facebookresearch/mae with `norm_pix_loss`."""
    mean, var = images.mean(dim=-1, keepdim=True), images.var(dim=-1, keepdim=True)
    loss = ((pred - (images - mean) / (var + 1.0e-6) ** 0.5) ** 2).mean(dim=-1)
    return (loss * mask).sum() / mask.sum()


def silog(depth, target, mask, focus):
    d = depth[mask].log() - target[mask].log()
    return d.square().mean() - focus * d.mean().square()


def silog_by_image(depth, target, mask, focus):
    triples = zip(depth, target, mask, strict=True)
    return torch.stack([silog(*triple, focus) for triple in triples])


def total_variation(x):
    return (x[:, :, 1:] - x[:, :, :-1]).abs().sum((1, 2, 3)) + (x[..., 1:] - x[..., :-1]).abs().sum(
        (1, 2, 3)
    )


def edge_aware(disparity, image, sharpness=1.0):
    """`get_smooth_loss` of https://github.com/nianticlabs/monodepth2."""
    grad_x = (disparity[:, :, :, :-1] - disparity[:, :, :, 1:]).abs()
    grad_y = (disparity[:, :, :-1, :] - disparity[:, :, 1:, :]).abs()
    image_x = (image[:, :, :, :-1] - image[:, :, :, 1:]).abs().mean(1, keepdim=True)
    image_y = (image[:, :, :-1, :] - image[:, :, 1:, :]).abs().mean(1, keepdim=True)
    return (grad_x * (-sharpness * image_x).exp()).mean() + (
        grad_y * (-sharpness * image_y).exp()
    ).mean()


GROUPS = {
    "labels": (
        "x: f32[B = 2, 5], t: i64[B]",
        {
            **reductions("(x, t) -> squared_hinge_loss({r})", squared_hinge),
            **reductions(
                "(x, t) -> squared_hinge_loss(0.3, {r})", lambda x, t: squared_hinge(x, t, 0.3)
            ),
        },
        [lambda n=n: (drawn(n, 5), labels(5, n)) for n in (1, 6)],
    ),
    "pairs": (
        "s: f32[N = 4, N]",
        {
            **reductions("s -> info_nce_loss({r})", lambda s: info_nce(s, 1, True)),
            **reductions(
                "s -> info_nce_loss(0.07, false, {r})", lambda s: info_nce(s, 0.07, False)
            ),
            **reductions("s -> ranking_hinge_loss({r})", lambda s: ranking_hinge(s, 0.2, False)),
            **reductions(
                's -> ranking_hinge_loss(0.5, "hardest", {r})',
                lambda s: ranking_hinge(s, 0.5, True),
            ),
        },
        [lambda n=n: (drawn(n, n),) for n in (1, 2, 7)],
    ),
    "several sets of pairs": (
        "s: f32[B = 2, N = 4, N]",
        {
            "s -> info_nce_loss(0.5)": lambda s: torch.stack(
                [info_nce(x, 0.5, True) for x in s]
            ).mean()
        },
        [lambda: (drawn(3, 5, 5),)],
    ),
    "embeddings with labels": (
        "e: f32[N = 6, 3], t: i64[N]",
        {
            "(e, t) -> semihard_triplet_loss": lambda e, t: semihard(e, t, 1.0),
            "(e, t) -> semihard_triplet_loss(0.3)": lambda e, t: semihard(e, t, 0.3),
        },
        [lambda n=n: (drawn(n, 3), torch.arange(n) // 2) for n in (4, 6, 12)],
    ),
    "features": (
        "a: f32[N = 6, 3, 4], b: f32[N, 5]",
        {"(a, b) -> linear_cka": linear_cka},
        [lambda n=n: (drawn(n, 3, 4), drawn(n, 5)) for n in (2, 9)],
    ),
    "binary maps": (
        "x: f32[B = 2, 1, H = 3, W = 4], q: f32[B, 1, H, W]",
        {
            **reductions("(x, q) -> balanced_binary_cross_entropy({r})", balanced),
            **reductions("(x, q) -> dice_loss({r})", dice),
            **reductions("(x, q) -> dice_loss(0, true, {r})", squared_dice),
        },
        [lambda n=n: (drawn(n, 1, 5, 3, scale=3.0), mask(n, 1, 5, 3)) for n in (1, 4)],
    ),
    "maps of labels": (
        "x: f32[B = 2, 4, H = 3, W = 3], t: i64[B, H, W], w: f32[4]",
        {
            **reductions("(x, t) -> softmax_dice_loss({r})", lambda x, t, w: softmax_dice(x, t)),
            "(x, t) -> softmax_focal_loss": lambda x, t, w: focal(x, t).sum() / (t >= 0).sum(),
            '(x, t, w) -> softmax_focal_loss(3.0, reduction="none")': lambda x, t, w: focal(
                x, t, w, 3.0
            ),
        },
        [
            lambda n=n: (drawn(n, 4, 5, 3), labels(4, n, 5, 3, ignored=-100), shares(4))
            for n in (1, 3)
        ],
    ),
    "maps and another label that is ignored": (
        "x: f32[B = 2, 4, H = 3, W = 3], t: i64[B, H, W], w: f32[4]",
        {
            **reductions(
                "(x, t) -> softmax_dice_loss(0.5, true, 1, {r})",
                lambda x, t, w: softmax_dice(x, t, 0.5, 2, 1),
            ),
            "(x, t) -> softmax_focal_loss(1.5, 1)": lambda x, t, w: (
                focal(x, t, None, 1.5, 1).sum() / (t != 1).sum()
            ),
            '(x, t, w) -> softmax_focal_loss(1.5, 1, "sum")': lambda x, t, w: focal(
                x, t, w, 1.5, 1
            ).sum(),
        },
        [lambda n=n: (drawn(n, 4, 5, 3), labels(4, n, 5, 3), shares(4)) for n in (1, 3)],
    ),
    "patches": (
        "x: f32[B = 2, N = 5, 6], y: f32[B, N, 6], m: bool[B, N]",
        {
            "(x, y -> patch_normalize, m) -> masked_mse_loss": mae,
            "(x, y, m) -> masked_mse_loss": lambda x, y, m: (x - y)[m].square().mean(),
            "(x, y, m) -> masked_mse_loss(1e-8)": lambda x, y, m: (x - y)[m].square().mean(),
            "((x, y) -> sub -> abs -> sum(axis=-1), m) -> masked_mean": lambda x, y, m: (
                (x - y).abs().sum(-1)[m].mean()
            ),
        },
        [lambda n=n: (drawn(n, 5, 6), drawn(n, 5, 6), mask(n, 5).bool()) for n in (1, 3)],
    ),
    "depth": (
        "x: f32[B = 2, 1, H = 3, W = 4], y: f32[B, 1, H, W], m: bool[B, 1, H, W]",
        {
            **reductions(
                "(x, y, m) -> scale_invariant_log_loss({r})",
                lambda x, y, m: silog_by_image(x, y, m, 0.5),
            ),
            **reductions(
                "(x, y) -> scale_invariant_log_loss(1.0, {r})",
                lambda x, y, m: silog_by_image(x, y, m | True, 1.0),
            ),
            "(x, y, m) -> scale_invariant_log_loss(0.85, false) -> sqrt": lambda x, y, m: silog(
                x, y, m, 0.85
            ).sqrt(),
        },
        [
            lambda n=n: (positive(n, 1, 5, 3), positive(n, 1, 5, 3), torch.rand(n, 1, 5, 3) < 0.6)
            for n in (1, 3)
        ],
    ),
    "smoothness": (
        "x: f32[B = 2, 1, H = 3, W = 4], i: f32[B, 3, H, W]",
        {
            **reductions("i -> total_variation({r})", lambda x, i: total_variation(i)),
            "x -> smoothness_loss": lambda x, i: edge_aware(x, i, 0.0),
            "x -> smoothness_loss(2)": lambda x, i: (
                x.diff(dim=2).square().mean() + x.diff(dim=3).square().mean()
            ),
            "(x, i) -> edge_aware_smoothness_loss": edge_aware,
            "(x, i) -> edge_aware_smoothness_loss(10.0)": lambda x, i: edge_aware(x, i, 10.0),
        },
        [lambda n=n: (drawn(n, 1, 2, 5), drawn(n, 3, 2, 5)) for n in (1, 3)],
    ),
}


@pytest.mark.parametrize("group", GROUPS)
def test_values_and_gradients_are_those_of_the_formula(tmp_path, group):
    compare_all(tmp_path, GROUPS[group])
