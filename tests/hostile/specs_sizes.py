"""Hostile specs with difficult sizes: hard questions for the solver, or many at once.

`CASES` includes those of `specs` and `specs_many`.
"""

from __future__ import annotations

from itertools import pairwise

from specs_many import CASES

from specs import FINE, SQUARE, case, layer, network, where

PRIMES = (2, 3, 5, 7, 11, 13)


def through(*windows: int, by: str = "concat", ceil: bool = False) -> str:
    """Parallel pooling layers, each followed by upsampling to the original size."""
    extra = ", ceil=true" if ceil else ""
    return "[" + ", ".join(f"max_pool({p}{extra}) -> upsample({p})" for p in windows) + f"] -> {by}"


def sized(
    name: str, codes: str, height: int, width: int, expression: str, clause: str = ""
) -> None:
    """A network whose input has these sizes, with a `where` about them."""
    extra = f" where {clause}" if clause else ""
    head = f"network net {{\n  input x: f32[B = 1, 4, H = {height}, W = {width}]{extra}\n"
    case(name, codes, f"{head}  output x -> {expression}\n}}\n")


def views(name: str, codes: str, count: str, expression: str) -> None:
    """Layers in a loop that read the height and width of their input."""
    layer(name, codes, f"for i in {count} {{ input v: [_, _, h, w]\n output v -> {expression} }}")


# ---------------------------------------------------------------------- periods

sized("six coprime ceil pools", FINE, 60060, 60060, through(*PRIMES, ceil=True))
sized("six coprime pools", FINE, 60060, 60060, through(*PRIMES))
sized("seven coprime ceil pools", FINE, 1021020, 1021020, through(*PRIMES, 17, ceil=True))
sized("eight coprime pools", "E0410", 8, 8, through(*PRIMES, 17, 19))
sized("strides of 31 to 41", FINE, 47027, 47027, through(31, 37, 41, ceil=True, by="add"))
layer("a stride of a prime", FINE, "[identity, max_pool(9973) -> upsample(9973)] -> add")
layer("two strides of large primes", "E0410", through(997, 991, by="add"))
layer("a stride of 2 to the 19", "E0410 E0404", "residual(max_pool(524288) -> upsample(524288))")
layer("a ceil pool of a prime", FINE, "residual(max_pool(65537, ceil=true) -> upsample(65537))")
layer(
    "pools with paddings that do not match",
    FINE,
    "["
    + ", ".join(
        f"max_pool({2 * p + 1}, stride={p}, padding={p}) -> upsample({p})" for p in (7, 11, 13, 17)
    )
    + "] -> concat",
)
layer(
    "primes under primes",
    "E0410",
    " -> ".join(f"residual(max_pool({p}, ceil=true) -> upsample({p}))" for p in (101, 103, 107)),
)
where("two moduli of large primes", "E0707", "H % 99991 != 8, H % 99989 != 8")
where(
    "residues over many primes",
    FINE,
    " or ".join(f"H % {p} == {8 % p}" for p in (11, 13, 17, 19, 23)),
)
where(
    "equal residues of two symbols",
    FINE,
    " or ".join(f"H % {p} == W % {p}" for p in (7, 11, 13, 17, 19)),
)
where("divisions by large primes", FINE, "H // 7919 + W // 7907 == H // 7901 + W // 7883")
where("large primes of one size", FINE, "H // 7919 + H // 7907 == H // 7901 + H // 7883")
where("sums of many divisions", FINE, " + ".join(f"H // {p}" for p in range(2, 40)) + " >= 1")
where("sums of remainders", FINE, " + ".join(f"H % {p}" for p in PRIMES) + " == 22")
where("a threshold far away", FINE, "7 * (H % 9973) - H // 9973 <= 60")
where("many thresholds far away", FINE, " + ".join(f"H // {p}" for p in PRIMES) + " <= 10 ** 6")
where("cubes modulo", FINE, "H * H + (H // 2) * (H // 3) <= 10 ** 12, H * H * H % 17 == 2")
where("powers modulo", FINE, "H ** 12 % 97 == 8 ** 12 % 97, W ** 12 % 89 == 8 ** 12 % 89")

# ---------------------------------------------------------------------- nested divisions

sized(
    "divisions on both sides of where",
    FINE,
    256,
    8,
    "relu",
    "(H // 2) // 16 + (W + W) // 2 == (H // 2) // 8, W // 2 // 12 % 10 == 0",
)
where("a long period of divisions in extremes", FINE, "max(H // 30030, W % 4) % 16 == 0")
where("a shorter one", FINE, "max(H // 20000, W % 4) % 16 == 0")
where("rounds as many as residues", FINE, "H >= 1000000 * (H % 65536) - 8000000")
NESTED = "H"
for divisor in (2, 3, 5, 7, 11, 13, 3, 2):
    NESTED = f"(({NESTED} + 1) // {divisor} + H)"
where("divisions in divisions", FINE, f"{NESTED} % 2 == 0")
MODULI = "H"
for divisor in (29, 23, 19, 17, 13, 11, 7, 5):
    MODULI = f"(({MODULI}) % {divisor} + H)"
where("remainders in remainders", FINE, f"{MODULI} >= 1")
PAIRED, TURNED = "H", "W"
for divisor in (2, 3, 5, 7, 2, 3):
    PAIRED = f"(({PAIRED} + W) // {divisor} + H)"
    TURNED = f"(({TURNED} + H) // {divisor} + W)"
where("divisions of sums in divisions", FINE, f"{PAIRED} == {TURNED}")
where(
    "products of divisions",
    FINE,
    " * ".join(f"(H // {p} + W // {p + 1} + 1)" for p in (2, 3, 4, 5)) + " >= 1",
)

# ---------------------------------------------------------------------- several symbols

where(
    "a linear tangle",
    "E0707",
    "3 * H + 5 * W == 7 * B + 57, 11 * H - 13 * W + B == 0 - 17, H + W + B <= 400",
)
where("a product of three is a number", FINE, "H * W * B == 64, H * W <= 10 ** 6")
where("a product against a large number", FINE, "H * W * B <= 735134400")
where("equal products", FINE, "H * W == B * 64, H * B == W, (H + 1) * (W + 1) == 81 * B")
where("a cubic surface", FINE, "H ** 3 + W ** 3 + B == H * W * B + 961")
where("a circle", FINE, "H ** 2 + W ** 2 == 128")
where("a power of a sum modulo", "E0402", "(H + W + B) ** 6 % 5 == 3")
where("a power of a sum in where", FINE, "(H + W + B) ** 12 >= 2 * H ** 12")
where("divisions of products", FINE, "(H * W // 6) * 6 == H * W - 4, (H * W * B // 35) * 35 == 35")
where(
    "alternatives in alternatives",
    FINE,
    ", ".join(f"(H == {8 + p} * W or W == {1 + p} * H or H + W <= {16 + p})" for p in range(12)),
)
where(
    "alternatives of bounds",
    FINE,
    ", ".join(f"(H <= {p * 7 + 8} or W >= {p * 3 + 1} or B >= {p + 2})" for p in range(30)),
)
where(
    "a chain of inequalities",
    FINE,
    ", ".join(f"{p} * H + {p + 1} * W >= {p + 2} * B" for p in range(1, 40)),
)
where(
    "inequalities of many slopes",
    FINE,
    ", ".join(
        f"{7 + p} * H - {5 + 2 * p} * W + {p % 3} * B <= {16 + 9 * p * p}" for p in range(1, 40)
    ),
)
NAMES = [f"S{i}" for i in range(12)]
SHAPE = ", ".join(f"{name} = {i + 2}" for i, name in enumerate(NAMES))


def symbols(name: str, codes: str, clause: str) -> None:
    """A network of twelve symbols, S0 = 2 to S11 = 13, with conditions on them in `where`."""
    head = f"network net {{\n  input x: f32[{SHAPE}] where {clause}\n"
    case(name, codes, f"{head}  output x -> relu\n}}\n")


symbols("symbols in a row", FINE, ", ".join(f"{a} < {b}" for a, b in pairwise(NAMES)))
symbols("symbols in one sum", FINE, " + ".join(NAMES) + " == 90")
symbols("symbols in one product", FINE, " * ".join(NAMES) + " >= 7")
symbols(
    "symbols, each against each",
    FINE,
    ", ".join(
        f"{a} * {i + 3} != {b} * {i + 5}" for i, a in enumerate(NAMES) for b in NAMES[i + 1 :]
    ),
)
symbols("symbols modulo", FINE, ", ".join(f"({a} + {b}) % 3 != 7" for a in NAMES for b in NAMES))
symbols("symbols with a remainder", FINE, "(" + " + ".join(NAMES) + ") % 2 == 0")
symbols(
    "symbols in alternatives",
    FINE,
    ", ".join(f"({a} >= 2 or {b} >= {i + 4})" for i, (a, b) in enumerate(pairwise(NAMES))),
)
symbols("symbols that may be 0", FINE, ", ".join(f"{a} >= 0" for a in NAMES))

# ---------------------------------------------------------------------- min and max

where("the least of many", FINE, "min(H, W, H // 2 + W, W // 3 + H) >= 1")
where("extremes of extremes", "E0411", "max(min(H, W), min(H // 2, W)) == max(H, min(W, H + B))")
where(
    "extremes, each against another",
    FINE,
    ", ".join(f"min(H, {p} * W) <= max(W, H // {p})" for p in range(2, 30)),
)
where(
    "differences of extremes",
    FINE,
    "max(H, W) - min(H, W) <= max(H // 2, W // 3) - min(H // 5, W // 7) + 8",
)
views("extremes that grow", "E0411", "1..12", "resize((min(h + i, w * i), max(h * i, w // i)))")

# ---------------------------------------------------------------------- layers

ODD = " -> ".join(
    f"conv(4, {3 + 2 * (i % 4)}, stride={2 + i % 3}, padding={i % 5})" for i in range(14)
)
layer("odd paddings", FINE, f"[identity, {ODD} -> global_avg_pool(keepdim=true)] -> add")
layer(
    "strides that come back",
    FINE,
    "residual("
    + " -> ".join([f"conv(4, 3, stride={p})" for p in (2, 3, 5, 7)])
    + "".join(f" -> upsample({p})" for p in (7, 5, 3, 2))
    + ")",
)
STRIDES = [(k, s) for k in (1, 2, 3, 4) for s in (2, 3, 5, 7, 9)]
layer(
    "chains of strides beside each other",
    FINE,
    f"[{', '.join(f'conv(4, {k}, stride={s}) -> upsample({s})' for k, s in STRIDES)}] -> add",
)
layer(
    "a product of sizes through a prime",
    FINE,
    'rearrange("b c h w -> b (c h w)") -> unsqueeze(1) -> residual(max_pool(61) -> upsample(61))',
)
views(
    "comparisons that depend on sizes",
    "E0312",
    "1..300",
    "if (h * w) % (i + 1) == 0 and h // i >= w // (i + 1) { relu } else { tanh }",
)
views(
    "comparisons that hold",
    FINE,
    "1..1500",
    "if (h + i) * (w + i) >= h * w + i { relu } else { tanh }",
)
views(
    "comparisons with divisions that hold",
    "E0501",
    "2..800",
    "if h // i + w // i <= h + w { relu } else { tanh }",
)
layer(
    "rules over sizes",
    "E0312",
    "{ input v: [_, _, h, w]\n output v -> f(h, w, 40) }",
    "rule f(h, w, 0) => relu",
    "rule f(h, w, n) if h // n + w % (n + 1) >= n * h => tanh -> f(h, w, n - 1)",
    "rule f(h, w, n) => f(h, w, n - 1)",
)
layer(
    "steps by the size",
    FINE,
    "{ input v: [_, _, h, w]\n output v -> iterate(residual(tanh), steps=h * w // 3 % 7 + 1) }",
)
views("sums and products that grow", "E0411 E0501", "1..40", "resize((h + w + 1, h * w + i))")
views("sums that are divided", "E0411", "1..40", "resize((h + w + 1, (h * w + i) // 2 + h))")
views("sums that are padded", "E0411", "1..400", "pad([(2, h // 2, w // 3), (3, w, 1)])")
layer(
    "squares that are pooled",
    "E0410 E0411 E0501",
    SQUARE.replace("h * w)) }", "h * w // 3 + 5)) -> max_pool(2) }"),
)
case(
    "large sizes through many layers",
    FINE,
    network(
        "y = x -> resize(((H + W + B) ** 16, (H * W + B + 1) ** 9))",
        "output y -> for i in 0..2000 { relu }",
    ),
)
case(
    "large sizes of many kinds",
    FINE,
    network(
        "y = x -> resize(((H + W + B) ** 12, W))",
        "output y -> for i in 0..400 { pad([(3, i, 1)]) }",
    ),
)
case(
    "costs of many terms",
    FINE,
    network("output x -> resize(((H + W + B) ** 20, (H * W + B) ** 30))"),
)
case(
    "large sizes beside each other",
    "E0501",
    network("output x -> [resize(((H + W + B + i) ** 12, W)) for i in 0..200] -> concat(axis=2)"),
)
case(
    "large sizes one after the other",
    "E0501",
    network(
        "output x -> for i in 1..60 { resize(((H + W + B + i) ** 20, (H + 2 * W + i) ** 20)) }"
    ),
)
case(
    "products of large sizes",
    "E0411 E0501",
    network(
        *(f"y{i}: [(H + W + B + {i}) ** 30 * (H * W + {i}) ** 9, _, H, W] = x" for i in range(99))
    ),
)

__all__ = ["CASES"]


def of_four(name: str, codes: str, sizes: tuple[int, ...], clause: str, *layers: str) -> None:
    """A network of four symbols, some with long periods."""
    dims = ", ".join(f"{symbol} = {size}" for symbol, size in zip("HWPQ", sizes, strict=True))
    head = f"network net {{\n  input x: f32[B = 1, {dims}] where {clause}\n"
    case(name, codes, f"{head}  output {' -> '.join(('x', *layers))}\n}}\n")


of_four(
    "long periods beside products",
    "E0410",
    (2, 16, 7, 64),
    "P * 7 != H, Q >= (H * 510510 - 3) % 2, (H // 30030 % 8 != W or 2 > H)",
    "roll(min(P // 7, W - P), axes=3)",
    "crop([(2, (Q - W) % 8, max(7, P + 2))])",
    "residual(pad([(1, W * W * 12, Q % 4096)]))",
)
of_four(
    "remainders of extremes by a long period",
    "E0410",
    (2, 256, 1000, 16),
    "(max(P, W) * (8 * W) == H"
    " or ((P + Q) // 8 + max(Q + W, W % 30030)) % 30030 != max(65536 % 97 * 0, Q))",
    "crop([(1, Q * 4096, 9973)])",
    "crop([(3, H + P - H * W, min(W, P) * 7)])",
)
of_four(
    "a division by a long period among alternatives",
    "E0410",
    (7, 8, 1, 1),
    "(360 + (P % 19 // 4 - (1 - H) // 7) != 13 or H + (Q + Q) * (P // 12) == P // 2),"
    " (P // 510510 - (Q - 3 * P) < max(Q, 4320) or max(P + Q, W % 12) != W // 2)",
    "slice(axis=2, start=W - H)",
    "slice(axis=4, start=P + P)",
    "residual(pad([(4, 5 * Q - W, min(P, H))]))",
)
