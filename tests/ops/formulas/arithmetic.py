"""Arithmetic, comparisons, choices and functions of one number, by NumPy's operators."""

from functools import reduce

import numpy as np

from archspec.types.tensor import DType
from tests.ops.formulas.activation import ERF
from tests.ops.formulas.table import Case, normal, positive, reference

PAIR = ("f32[2, 4, 5]", "f32[4, 1]")
WHOLE = ("i64[2, 6]", "i64[6]")
SCALARS = (
    Case({"scalar": 1.5}),
    Case({"scalar": 1.5, "reverse": True}),
    Case({}, PAIR),
    Case({}, WHOLE),
    Case({"scalar": 3}, ("i64[9]",)),
    Case({"scalar": 3, "reverse": True}, ("i64[9]",)),
)
REALS = tuple(case for case in SCALARS if case.inputs[0].startswith("f32"))


def pair(run):
    def apply(op, *xs):
        if op.scalar is None:
            return reduce(run, xs)
        return run(op.scalar, xs[0]) if op.reverse else run(xs[0], op.scalar)

    return apply


def away_from_zero(rng, kind, position, op):
    found = normal(rng, kind, position, op)
    return found + np.sign(found)


def ties(rng, kind, position, op):
    """Small whole numbers, many of which are equal to each other and to the other operand."""
    shape = tuple(size.constant for size in kind.shape)
    found = rng.integers(-1, 3, shape)
    if kind.dtype is DType.BOOL:
        return found > 0
    return found / 2 if kind.dtype is DType.F32 else found


THREE = (Case({}, (*PAIR, "f32[5]")),)
reference("add", cases=SCALARS + THREE)(pair(lambda a, b: a + b))
reference("sub", cases=SCALARS)(pair(lambda a, b: a - b))
reference("mul", cases=SCALARS + THREE)(pair(lambda a, b: a * b))
reference("div", cases=REALS)(pair(lambda a, b: a / b))
reference("floor_div", cases=SCALARS, slope=lambda op, upstream, x, *others: 0 * x)(
    pair(lambda a, b: np.floor(a / b))
)
reference("mod", cases=SCALARS, draw=away_from_zero)(pair(lambda a, b: a - b * np.floor(a / b)))
reference("maximum", cases=SCALARS + THREE)(pair(np.maximum))
reference("minimum", cases=SCALARS + THREE)(pair(np.minimum))
POWERS = (*REALS, Case({"scalar": 3}, ("i64[9]",)), Case({"scalar": -2.0}))
reference("pow", cases=POWERS, draw=positive)(pair(lambda a, b: np.exp(b * np.log(a))))


@reference("neg")
def neg(op, x):
    return 0 - x


EQUAL = tuple(Case({"scalar": 0.5, "reverse": turn}) for turn in (False, True))
COMPARED = (*SCALARS, *EQUAL, Case({}, ("f32[40]", "f32[40]")))
for _name, _run in {
    "eq": lambda a, b: ~((a < b) | (a > b)),
    "ne": lambda a, b: (a < b) | (a > b),
    "lt": lambda a, b: b - a > 0,
    "le": lambda a, b: ~(a - b > 0),
    "gt": lambda a, b: a - b > 0,
    "ge": lambda a, b: ~(b - a > 0),
}.items():
    reference(_name, cases=COMPARED, draw=ties)(pair(_run))

LOGIC = (Case({}, ("bool[20]", "bool[20]")), Case({}, ("bool[20]", "bool[2, 20]", "bool[1]")))


@reference("logical_and", cases=LOGIC)
def logical_and(op, *xs):
    return reduce(lambda a, b: a & b, xs)


@reference("logical_or", cases=LOGIC)
def logical_or(op, *xs):
    return reduce(lambda a, b: a | b, xs)


@reference("logical_not", cases=(Case({}, ("bool[20]",)),))
def logical_not(op, x):
    return x ^ True


CHOSEN = (
    Case({}, ("bool[4, 5]", "f32[4, 5]", "f32[4, 5]")),
    Case({}, ("bool[4, 1]", "i64[4, 5]", "i64[5]")),
    Case({"value": 2, "otherwise": 7}, ("bool[20]",)),
    Case({"value": 2.5, "otherwise": 7}, ("bool[20]",)),
)


@reference("where", cases=CHOSEN)
def where(op, condition, *sides):
    sides = list(sides)
    value = op.value if op.value is not None else sides.pop(0)
    otherwise = op.otherwise if op.otherwise is not None else sides.pop(0)
    whole = all(np.asarray(side).dtype.kind == "i" for side in (value, otherwise))
    found = condition * np.asarray(value) + ~condition * np.asarray(otherwise)
    return found if whole else found.astype(float)


@reference("masked_fill", cases=(Case({"value": 7}, ("i64[40]", "bool[40]")),))
def masked_fill(op, x, mask):
    return ~mask * x + mask * op.value


@reference("clamp", cases=(Case({"low": -2, "high": 3}, ("i64[30]",)),))
def clamp(op, x):
    low = x if op.low is None else np.where(x < op.low, op.low, x)
    return low if op.high is None else np.where(low > op.high, op.high, low)


def straight_through(op, upstream, x):
    return upstream * (op.gradient == "straight_through")


BINARY = (
    Case({"threshold": 0.5}),
    Case({"gradient": "straight_through"}),
    Case({"threshold": 0.5, "gradient": "straight_through"}, ("f32[40]",)),
)


def near_one(rng, kind, position, op):
    """Multiples of a half, some of which equal the threshold."""
    return rng.integers(-2, 4, [size.constant for size in kind.shape]) / 2


@reference("binarize", cases=BINARY, draw=near_one, slope=straight_through)
def binarize(op, x):
    """With `straight_through` the gradient is that of the identity (Bengio et al. 2013)."""
    return (x > op.threshold).astype(float)


@reference("detach", slope=lambda op, upstream, x: 0 * x)
def detach(op, x):
    return x


CASTS = (
    Case({"dtype": "i64"}, ("f32[40]",)),
    Case({"dtype": "i32"}, ("f32[40]",)),
    Case({"dtype": "bool"}, ("f32[40]",)),
    Case({"dtype": "f32"}, ("i32[9]",)),
    Case({"dtype": "i64"}, ("bool[9]",)),
)


def with_zeros(rng, kind, position, op):
    found = normal(rng, kind, position, op)
    return found * (rng.random(found.shape) > 0.3) if found.dtype.kind == "f" else found


@reference("cast", cases=CASTS, draw=with_zeros)
def cast(op, x):
    """Fractions are truncated towards 0; bool is true for nonzero numbers."""
    kinds = {DType.BOOL: bool, DType.F32: float, DType.C64: complex}
    if kinds.get(op.dtype) is None:
        return (np.sign(x) * np.floor(np.abs(x)) if x.dtype.kind == "f" else x).astype(int)
    return x != 0 if op.dtype is DType.BOOL else x.astype(kinds[op.dtype])


def halves(rng, kind, position, op):
    """Numbers many of which are half-way between two whole ones, and some of which are 0."""
    found = normal(rng, kind, position, op)
    return found.round() / 2 if kind.dtype is DType.F32 else found


def half_to_even(x):
    low = np.floor(x)
    rest = x - low
    return low + (rest > 0.5) + (rest == 0.5) * (low % 2)


def like(x, found):
    return found if x.dtype.kind == "c" else found.real


FLAT = {"slope": lambda op, upstream, x: 0 * x, "draw": halves}
COMPLEX = (Case({}, ("c64[3, 4]",)),)
for _name, _run, _more in (
    ("exp", lambda x: np.e**x, {"cases": COMPLEX}),
    ("log", np.log, {"draw": positive, "cases": COMPLEX}),
    ("log1p", lambda x: np.log(1 + x), {"draw": positive}),
    ("sqrt", lambda x: x**0.5, {"draw": positive, "cases": COMPLEX}),
    ("rsqrt", lambda x: x**-0.5, {"draw": positive}),
    ("square", lambda x: x * x, {"cases": COMPLEX}),
    ("reciprocal", lambda x: 1 / x, {"cases": COMPLEX}),
    ("sin", lambda x: like(x, (np.exp(1j * x) - np.exp(-1j * x)) / 2j), {"cases": COMPLEX}),
    ("cos", lambda x: like(x, (np.exp(1j * x) + np.exp(-1j * x)) / 2), {"cases": COMPLEX}),
    ("erf", ERF, {}),
    ("abs", lambda x: (x.real**2 + x.imag**2) ** 0.5, {"draw": normal}),
    ("sign", lambda x: (x > 0) * 1 - (x < 0) * 1.0, FLAT),
    ("floor", lambda x: x - x % 1, FLAT),
    ("ceil", lambda x: x + -x % 1, FLAT),
    ("round", half_to_even, FLAT),
):
    reference(_name, **_more)(lambda op, x, run=_run: run(x))
