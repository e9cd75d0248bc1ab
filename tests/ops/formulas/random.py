"""Random ops in training: the identity or a mean in inference, and their distribution."""

import numpy as np

from tests.ops.formulas.table import Case, reference

MANY = ("f32[300, 20, 3, 2]",)


def cases(**attributes):
    return tuple(Case({"p": p, **attributes}, MANY) for p in (0.0, 0.3, 1.0))


def kept_or_scaled(found, x, p):
    """Which elements are kept; these are scaled by 1 / (1 - p), the others are 0."""
    kept = found != 0
    np.testing.assert_allclose(found[kept] * (1 - p), x[kept], 1e-9)
    return kept


def about(found, chance):
    """The fraction of draws equals the probability within four standard deviations."""
    deviation = (chance * (1 - chance) / found.size) ** 0.5
    assert abs(found.mean() - chance) <= 4 * deviation


def alone(kept, axes):
    """Draws that all positions of `axes` share, which must agree."""
    first = kept.min(axes)
    assert (first == kept.max(axes)).all()
    return first


def apart(kept, p):
    """Neighbours along each axis are drawn independently: they agree as often as two draws do."""
    for axis in range(kept.ndim):
        agree = np.take(kept, range(1, kept.shape[axis]), axis) == np.take(
            kept, range(kept.shape[axis] - 1), axis
        )
        about(agree, p**2 + (1 - p) ** 2)


def elements(op, inputs, results):
    kept = kept_or_scaled(results[0], inputs[0], op.p)
    about(kept, 1 - op.p)
    apart(kept, op.p)


@reference("dropout", drawn=cases(), holds=elements)
def dropout(op, x):
    return x


def channels(op, inputs, results):
    kept = kept_or_scaled(results[0], inputs[0], op.p)
    draws = alone(kept, tuple(range(2, kept.ndim)))
    about(draws, 1 - op.p)
    apart(draws, op.p)


CHANNELS = (
    *cases(),
    *(Case({"p": 0.3}, (shape,)) for shape in ("f32[300, 20]", "f32[300, 20, 3]")),
    Case({"p": 0.3}, ("f32[300, 20, 2, 1, 2]",)),
    Case({"p": 0.3}, ("f32[300, 20, 2, 1, 2, 1]",)),
)


@reference("channel_dropout", drawn=CHANNELS, holds=channels)
def channel_dropout(op, x):
    return x


def mean_and_variance_stay(op, inputs, results):
    """Dropped elements become -1.7581 (the limit of selu); then a * x + b (Klambauer 2017)."""
    (x,), (found,) = inputs, results
    low = -1.0507009873554805 * 1.6732632423543772
    if op.p == 1:
        assert (found == 0).all()
        return
    a = ((1 - op.p) * (1 + op.p * low**2)) ** -0.5
    b = -a * low * op.p
    dropped = np.isclose(found, a * low + b, 1e-9)
    np.testing.assert_allclose(found[~dropped], a * x[~dropped] + b, 1e-7)
    about(dropped, op.p)
    apart(dropped, op.p)


@reference("alpha_dropout", drawn=cases(), holds=mean_and_variance_stay)
def alpha_dropout(op, x):
    return x


def paths(op, inputs, results):
    (x,), (found,) = inputs, results
    kept = found != 0
    scale = 1 / (1 - op.p) if op.scale == "training" and op.p < 1 else 1
    np.testing.assert_allclose(found[kept], x[kept] * scale, 1e-9)
    draws = alone(kept, tuple(range(1, kept.ndim)))
    if op.mode == "batch":
        assert len(set(draws.tolist())) == 1
        return
    about(draws, 1 - op.p)


PATHS = tuple(
    case
    for scale in ("training", "inference")
    for case in (*cases(scale=scale), *cases(scale=scale, mode="batch"))
)


@reference("drop_path", drawn=PATHS, holds=paths)
def drop_path(op, x):
    """Scaled in inference instead of in training (Huang et al. 2016)."""
    return x * (1 - op.p) if op.scale == "inference" else x


def chances(rng, kind, position, op):
    return rng.random([size.constant for size in kind.shape]) * 1.4 - 0.2


def draws(op, inputs, results):
    (p,), (found,) = inputs, results
    assert set(np.unique(found)) == {0, 1}
    assert (found[p <= 0] == 0).all()
    assert (found[p >= 1] == 1).all()
    for low in np.arange(0, 1, 0.1):
        part = (p > low) & (p < low + 0.1)
        about(found[part], p[part].mean())


@reference("bernoulli", draw=chances, drawn=(Case({}, MANY),), holds=draws)
def bernoulli(op, p):
    return np.clip(p, 0, 1)


THREE = ("f32[2, 3]",) * 3


def survivors(op, inputs, results):
    """The mean of the surviving inputs, which are some subset; each subset occurs."""
    means = [
        np.mean([x for number, x in enumerate(inputs) if subset >> number & 1], 0)
        for subset in range(1, 2 ** len(inputs))
    ]
    assert any(np.allclose(results[0], mean) for mean in means)


@reference("join", cases=(Case({}, THREE), Case({"drop": 0.5}, THREE)),
           drawn=(Case({"drop": 0.5}, THREE),) * 3, holds=survivors)  # fmt: skip
def join(op, *xs):
    return sum(xs) / len(xs)
