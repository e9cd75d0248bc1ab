import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.ops.base import Check, OpError, Window
from archspec.ops.rearrangement import Rearrange, Reduce, Repeat
from archspec.types.dim import Dim
from archspec.types.tensor import DType
from tests.ops.agreement import symbolic
from tests.ops.reference import example_tensor, happens, inferred, sized

B, H, W = map(Dim.symbol, "BHW")
X = symbolic("B", 6, "H", "W")
SIZES = st.fixed_dictionaries({name: st.integers(1, 16) for name in "BHW"})
FACTOR = st.integers(1, 4)


def axes(**sizes):
    return tuple(sizes.items())


REARRANGE = st.one_of(
    st.sampled_from(
        [
            ("b c h w -> b h w c", ()),
            ("b c h w -> b (h w) c", ()),
            ("b c ... -> b (...) c", ()),
            ("... w -> w ...", ()),
            ("b ... w -> (b w) ... 1 ()", ()),
            ("a b c d e -> a", ()),
            ("b c h w -> b c h", ()),
            ("b c h w -> b c h w n", ()),
            ("b 6 h w -> b h w", ()),
            ("b (c c2) h w -> b c c2 h w", ()),
            ("b c (h d) w -> b d (c h) w", axes(d=H)),
            ("(b b2) c h w -> b b2 c h w", axes(b=B)),
            ("b c h w -> b c h w", axes(h=H, w=7)),
            ("b c h w -> b c h w", axes(z=3)),
            ("b c (h) w -> b c h w", axes(h=B)),
        ]
    ),
    st.builds(
        lambda p, q, s: (f"b c (h p) (w q) -> {s}", axes(p=p, q=q)),
        FACTOR,
        FACTOR,
        st.sampled_from(["b h w (p q c)", "b (h w) (c p q)", "(b p q) c h w", "b (p h) c q w"]),
    ),
    st.builds(lambda g: ("b (g c) h w -> (b g) c h w", axes(g=g)), FACTOR),
)


@given(REARRANGE, SIZES)
@settings(deadline=None, max_examples=200)
def test_rearrange_agrees_with_einops(given_, sizes):
    pattern, given_axes = given_
    op = Rearrange(pattern=pattern, axes=given_axes)
    assert inferred(op, (X,), sizes) == happens(op, (X,), sizes)


@given(
    st.sampled_from(
        [
            ("b c h w -> b c", ()),
            ("b c (h 2) (w 3) -> b c h w", ()),
            ("b ... -> b", ()),
            ("b c h w -> b (w h) 1", ()),
            ("b c (h p) w -> b h", axes(p=4)),
            ("b c h w -> b c h w 2", ()),
            ("b c h w -> b n", axes(n=2)),
        ]
    ),
    st.sampled_from(["mean", "sum", "max", "min", "prod"]),
    SIZES,
)
@settings(deadline=None, max_examples=100)
def test_reduce_agrees_with_einops(given_, reduction, sizes):
    pattern, given_axes = given_
    op = Reduce(pattern=pattern, reduction=reduction, axes=given_axes)
    assert inferred(op, (X,), sizes) == happens(op, (X,), sizes)


@given(
    st.sampled_from(
        [
            ("b c h w -> b c (h 2) (w 3)", ()),
            ("b c h w -> n b c h w", axes(n=3)),
            ("b c h w -> b c h w n", axes(n=H)),
            ("... -> ... 2", ()),
            ("b c h w -> b c h w n", ()),
            ("b c h w -> b c", ()),
            ("b c h 2 -> b c h 2", ()),
        ]
    ),
    SIZES,
)
@settings(deadline=None, max_examples=80)
def test_repeat_agrees_with_einops(given_, sizes):
    pattern, given_axes = given_
    op = Repeat(pattern=pattern, axes=given_axes)
    assert inferred(op, (X,), sizes) == happens(op, (X,), sizes)


OPS = [
    Rearrange(pattern="b c (h p) (w q) -> b h w (p q c)", axes=axes(p=2, q=3)),
    Rearrange(pattern="b (g c) ... -> (b g) (...) 1 c", axes=axes(g=2)),
    Reduce(pattern="b c (h 2) (w 3) -> w c b h", reduction="sum"),
    Reduce(pattern="b ... w -> w", reduction="max"),
    Repeat(pattern="b c h w -> n b (c 2) w m h", axes=axes(n=3, m=2)),
    Repeat(pattern="... w -> w 4 ...", axes=()),
]


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.pattern)
def test_the_plan_agrees_with_einops(op):
    import einops

    x = symbolic(2, 6, 4, 9)
    data = example_tensor(x, {})
    plan = op.plan(x)
    steps = data.reshape(sized(plan.split, {}))
    if plan.reduce:
        steps = getattr(steps, {"sum": "sum", "max": "amax"}[op.reduction])(plan.reduce)
    steps = steps.permute(plan.order)
    for axis, size in plan.insert:
        steps = steps.unsqueeze(axis).expand(
            *steps.shape[:axis], size.evaluate({}), *steps.shape[axis:]
        )
    ours = steps.reshape(sized(plan.merge, {}))
    run = getattr(einops, op.name)
    more = {"reduction": op.reduction} if op.name == "reduce" else {}
    theirs = run(data, op.pattern, **more, **dict(op.axes))
    assert ours.shape == theirs.shape
    assert ours.allclose(theirs)


@pytest.mark.parametrize(
    "pattern",
    [
        "", "a", "a b c d", "a -> b -> c", "(a b -> a b", "a b) -> a b", "((a)) b c d -> a", "->",
        "a a b c -> a", "a b, c d -> a b c d", "a $ b c -> a", "(...) a -> a", "a b c d -> a ...",
        "a b c -> a b c", "... a b c d e -> a", "a b (c d) (e f) -> a", "0 a b c -> a b c",
        "a b c 99999999999999999999 -> a b c", "1 a b c d -> a b c d", "a b c d -> (a",
        "a . b -> a", "... ... -> ...", "a b c d -> a b c d d",
    ],
)  # fmt: skip
def test_mismatched_patterns_are_refused(pattern):
    for op in (
        Rearrange(pattern=pattern),
        Repeat(pattern=pattern),
        Reduce(pattern=pattern, reduction="sum"),
    ):
        with pytest.raises(OpError) as error:
            op.infer(Check(), symbolic(2, 3, "H", "W"))
        assert error.value.attribute == "pattern"


def test_missing_names_are_reported():
    with pytest.raises(OpError, match="`p` and `q`") as error:
        Rearrange(pattern="b c (h p q) w -> b c h p q w", axes=axes(h=2)).infer(Check(), X)
    assert error.value.fix == "give all but one of them: `p=..`"
    with pytest.raises(OpError, match="`c`") as error:
        Rearrange(pattern="b c h w -> b h w").infer(Check(), X)
    assert "reduce" in error.value.fix
    with pytest.raises(OpError) as error:
        Rearrange(pattern="b c h w -> b c w h", axes=axes(p=2)).infer(Check(), X)
    assert error.value.attribute == "p"


def test_integers_are_not_averaged():
    with pytest.raises(OpError, match="takes f32"):
        Reduce(pattern="a b -> a", reduction="mean").infer(Check(), symbolic(2, 3, dtype=DType.I64))


@pytest.mark.parametrize(
    ("op", "seen"),
    [
        (Rearrange(pattern="b c h w -> b h w c"), "unknown"),
        (Rearrange(pattern="b c h w -> b (h w) c"), "all"),
        (
            Rearrange(pattern="b c (h p) (w q) -> b (p q c) h w", axes=axes(p=2, q=3)),
            (Window(2, 2), Window(3, 3)),
        ),
        (
            Rearrange(pattern="b (c p) h w -> b c (h p) w", axes=axes(p=2)),
            (Window(1, 1, 2), Window(1)),
        ),
        (Rearrange(pattern="b c (p h) w -> b (p c) h w", axes=axes(p=2)), "all"),
        (Reduce(pattern="b c h w -> b c", reduction="mean"), "all"),
        (Reduce(pattern="b c h w -> b h w", reduction="mean"), "unknown"),
        (Reduce(pattern="b c (h 2) w -> b c h w", reduction="max"), (Window(2, 2), Window(1))),
        (Repeat(pattern="b c h w -> b c (h 2) w"), (Window(1, 1, 2), Window(1))),
    ],
)
def test_windows_of_split_and_merged_axes(op, seen):
    assert op.receptive_field((X,)) == seen
