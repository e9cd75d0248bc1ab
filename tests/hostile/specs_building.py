"""Hostile specs that pass `check`: the difficulty is in building them.

Each has the codes that `check` may report as warnings and with which `build` may fail; FINE means
that it is built. `CASES` includes those of the other modules.
"""

from __future__ import annotations

from specs_sizes import CASES

from specs import FINE, case, network, rule

BUILT: dict[str, str] = {}
"""The codes with which `build` may fail, by name; FINE if it succeeds."""

SEQUENCE = 'rearrange("b c h w -> b (h w) c") -> '
SCALED = "leaky_relu(0.0001 * i)"


def file(name: str, codes: str, text: str) -> None:
    """A spec that `check` accepts, and the result of its build."""
    BUILT[f"build: {name}"] = codes
    case(f"build: {name}", FINE, text)


def written(name: str, codes: str, *lines: str, head: str = "") -> None:
    """The same, for a network with these statements."""
    file(name, codes, network(*lines, head=head))


def built(name: str, codes: str, expression: str, *head: str) -> None:
    """The same, for a network that applies one layer."""
    written(name, codes, f"output x -> {expression}", head="\n".join(head))


def nested(name: str, codes: str, start: str, base: str, step: str, inline: str = "") -> None:
    """The same, for a rule with two clauses."""
    BUILT[f"build: {name}"] = codes
    rule(f"build: {name}", FINE, start, f"(0) => {base}", f"(n) => {step}", inline)


def taking(name: str, first: str, other: str, count: int, layer: str) -> None:
    """A network with many inputs, which are passed to one layer as a tuple."""
    types = [first, *[other] * (count - 1)]
    inputs = "\n".join(f"  input x{i}: {kind}".replace("#", str(i)) for i, kind in enumerate(types))
    names = ", ".join(f"x{i}" for i in range(count))
    file(name, FINE, f"network net {{\n{inputs}\n  output ({names}) -> {layer}\n}}\n")


# ---------------------------------------------------------------------- deep

BOTH = "[conv(4, 1), f(n - 1)]"
PATH = 'residual(relu -> f(n - 1) -> drop_path(0.1, mode="batch"))'
LOOP = "iterate(f(n - 1), steps=1)"
nested("scopes", FINE, "f(98)", "conv(4, 1)", "a: (f(n - 1))", "inline ")
nested("scopes that branch", FINE, "f(40)", "conv(4, 1)", f"a: ({BOTH} -> add)", "inline ")
nested("scopes too deep", "E0825", "f(300)", "relu", "a: (conv(4, 1) -> f(n - 1))", "inline ")
nested("blocks", FINE, "f(97)", "conv(4, 1)", "f(n - 1)")
nested("blocks too deep", "E0825", "f(150)", "conv(4, 1)", "f(n - 1) -> relu")
nested("inline blocks", FINE, "f(100)", "relu", "residual(f(n - 1))", "inline ")
nested("joins", FINE, "f(40)", "relu", "[relu, f(n - 1)] -> join(drop=0.1)", "inline ")
nested("dropped paths", FINE, "f(40)", "relu", PATH, "inline ")
nested("loops in loops", FINE, "f(45)", "conv(4, 1)", LOOP, "inline ")
nested("loops in loops too deep", "E0825", "f(60)", "conv(4, 1)", LOOP, "inline ")
nested("modes in modes", FINE, "f(60)", "conv(4, 1)", "f(n - 1) -> if training { dropout(0.1) }")
nested("tuples in tuples", FINE, "f(100)", "relu", "[relu, f(n - 1)]", "inline ")
nested("tuples just in tuples", FINE, "f(190)", "relu", "[relu, f(n - 1)]", "inline ")
nested("tuples too deep", "E0825", "f(250)", "relu", "[relu, f(n - 1)]", "inline ")
nested("frozen in frozen", FINE, "f(50)", "conv(4, 1)", "frozen(relu -> f(n - 1))", "inline ")
nested("doubled modules", "E0520", "f(60)", "relu", "f(n - 1) -> f(n - 1)")
nested("doubled scopes", "E0520", "f(40)", "a: (relu)", "f(n - 1) -> s: (f(n - 1))")
nested("columns", FINE, "f(6) -> join", "[relu]", "[conv(4, 3), ...(f(n - 1) -> join -> f(n - 1))]")
built("braces", FINE, "{ input v\n output v -> " * 25 + "conv(4, 1)" + " }" * 25)
built("a label of a hundred names", FINE, '"' + ".".join(["a"] * 98) + '": conv(4, 1)')

# ---------------------------------------------------------------------- long and wide

for op in ("add", "mul", "maximum", "concat", "stack", "join"):
    built(f"{op} of many", FINE, f"[{SCALED} for i in 0..120] -> {op}")
for op in ("add", "concat", "stack"):
    built(f"{op} of thousands", FINE, f"[{SCALED} for i in 0..4500] -> {op}")
built("a chain", FINE, f"for i in 0..250 {{ {SCALED} }}")
built("a chain of thousands", FINE, f"for i in 0..5000 {{ {SCALED} }}")
built("a chain of labels", FINE, '"a.b": for i in 0..100 { "l{i}": conv(4, 1) }')
built("many blocks", FINE, "for i in 0..80 { f(i) }", f"block f(i: int) {{ residual({SCALED}) }}")
built(
    "blocks of many structures",
    FINE,
    "for i in 0..40 { f(i) }",
    "block f(i: int) { for j in 0..i % 7 { relu } -> conv(4, 1) -> for j in 0..i // 7 { tanh } }",
)
built("a split", FINE, "conv(200, 1) -> split([1 for i in 0..200], axis=1) -> concat")
built(
    "a split of thousands", FINE, "conv(3000, 1) -> split([1 for i in 0..3000], axis=1) -> concat"
)
built("an axis unbound", FINE, "conv(200, 1) -> unbind(1) -> stack")
built("many axes", FINE, "for i in 0..50 { unsqueeze(0) }")
built("permutations", FINE, "for i in 0..200 { permute([0, 3, 1, 2]) }")
built("a tuple of outputs", FINE, f"[{SCALED} for i in 0..200]")
written("outputs", FINE, *(f"output o{i} = x -> leaky_relu(0.01 * {i})" for i in range(100)))
written("thousands of outputs", FINE, *(f"output o{i} = x * 0.5" for i in range(3_000)))
written(
    "outputs in training",
    FINE,
    *(f"output o{i} = x -> relu when {'not ' * (i % 2)}training" for i in range(60)),
    "output y = x",
)
taking("inputs", "f32[B = 1, 2]", "f32[B, 2]", 150, "add")
taking("inputs of free sizes", "f32[B = 1, N# = 2]", "f32[B, N# = 3]", 60, "concat(axis=1)")
taking(
    "an einsum of many", "f32[B = 1, 2]", "f32[B, 2]", 8, f'einsum("{", ".join(["b i"] * 8)} -> b")'
)
file("axes", FINE, f"network net {{\n  input x: f32[{'1, ' * 59}1]\n  output x -> relu\n}}\n")

# ---------------------------------------------------------------------- weights

MEAN = "output (x -> mean(axis=[2, 3]))"
LAYERS = "output x" + "".join(f"\n -> l{i}: conv(4, 1, bias=false)" for i in range(60))
written(
    "parameters",
    FINE,
    *(f"param p{i}: f32[4, 1, 1] = normal(std=0.0{i + 1})" for i in range(80)),
    "output x" + "".join(f" + p{i}" for i in range(80)),
)
written(
    "buffers",
    FINE,
    *(f"buffer b{i}: f32[4] = arange(4, dtype=f32) * {i}.0" for i in range(60)),
    MEAN + "".join(f" + b{i}" for i in range(60)),
)
written(
    "buffers of buffers",
    FINE,
    "buffer b0: f32[4] = ones([4])",
    *(f"buffer b{i + 1}: f32[4] = b{i} + 1.0" for i in range(20)),
    f"{MEAN} + b20",
)
written(
    "a long buffer", FINE, "buffer b: f32[4] = zeros([4]) -> for i in 0..250 { sin }", f"{MEAN} + b"
)
written(
    "a buffer of many numbers",
    FINE,
    "buffer b: i64[9000] = tensor([i for i in 0..9000])",
    "output x",
)
written("ties", FINE, LAYERS, *(f'tie "l{i}.weight" = "l0.weight"' for i in range(1, 60)))
written(
    "ties in a chain", FINE, LAYERS, *(f'tie "l{i + 1}.weight" = "l{i}.weight"' for i in range(59))
)
written(
    "init statements",
    FINE,
    *(f"init conv.weight = normal(std=0.00{i + 1})" for i in range(2_000)),
    "output x -> conv(4, 1)",
)
built(
    "init statements of blocks",
    FINE,
    "for i in 0..40 { f(i) }",
    "block f(i: int) {\n  init conv.weight = normal(std=0.001 * (i + 1))\n  conv(4, 1)\n}",
)
FIRST = "weight_init=normal(std=0.001 * (i + 1)), bias_init=constant(1.5 * i)"
built("first values of many kinds", FINE, f"for i in 0..60 {{ conv(4, 1, {FIRST}) }}")
USES = "output (x -> resize((i, i)) -> f -> global_avg_pool for i in 2..40) -> add"
written("shared uses", FINE, "shared f = conv(4, 3)", "output x -> for i in 0..200 { f }")
written("shared on many sizes", FINE, "shared f = f: (conv(4, 3) -> relu)", USES)
written(
    "shared blocks on many sizes",
    FINE,
    "shared f = f: b",
    USES,
    head="block b { input v: [B, C, H, W]\n  output v -> crop([(2, 0, H // 2)]) -> conv(4, 1) }",
)

# ---------------------------------------------------------------------- very large

GIANTS = (
    "conv(4, 100000, padding=50000)",
    "conv(2**40, 1)",
    SEQUENCE + "linear(2**40)",
    SEQUENCE + "linear(2**62)",
    SEQUENCE + "lstm(10**6, layers=3)",
    "cast(i64) -> embedding(2**35, 1)",
    "batch_norm -> conv(10**10, 1)",
)
for number, giant in enumerate(GIANTS):
    built(f"a giant, {number}", "E0520", giant)
built("a giant in a block", "E0520", "f(10**9)", "block f(n: int) { conv(n, 999) -> conv(4, 1) }")
written("a giant parameter", "E0520", "param p: f32[2**40, 2**30] = normal", "output x")
GIANT = "buffer b: f32[1] = zeros([2**40, 2**30]) -> sum -> unsqueeze(0)"
written("a giant behind a buffer", "E0520", GIANT, "output x * b")
written("memory for a buffer", "E0520", GIANT.replace("2**40", "2**10"), "output x * b")
built("giant paddings", FINE, "pad([(2, 10**17, 10**17)])")
built("giant dilations", "E0707", "conv(4, 3, dilation=10**15, padding=0)")
built("giant strides", FINE, "conv(4, 3, stride=10**17)")
built("giant constants", FINE, "{ input v\n output v * 1e308 + 1e-308 - 123456789012345.678 }")
WHOLE = "v * 9223372036854775807 + 4611686018427387904 - -9223372036854775807"
built("giant whole numbers", FINE, f"cast(i64) -> {{ input v\n output {WHOLE} }}")
PADDED = "{ input v: [_, _, h, w]\n output v -> pad([(2, h, h)]) }"
built("sizes beyond 64 bits", "E0824", f"for i in 0..80 {PADDED}")
built("strides beyond 64 bits", FINE, "for i in 0..70 { upsample(2) }")
built("a loop without end", FINE, "iterate(conv(4, 3), steps=10**18)")
built("costs beyond symbols", FINE, "resize(((H + W + B) ** 20, (H * W + B) ** 30))")

# ---------------------------------------------------------------------- names and texts

LONG = "a" * 199
built("long names", FINE, f"{LONG}: conv(4, 1) -> {LONG}b: conv(4, 1)")
built("many long names", FINE, "\n -> ".join(f"{'a' * 90}{i}: conv(4, 1)" for i in range(60)))
written(
    "long variables",
    FINE,
    f"{LONG} = x -> relu",
    f"{LONG}b: [B, C, _, _] = {LONG}",
    f"output {LONG}b",
)
file(
    "a long name of a network",
    FINE,
    f"network {LONG} {{\n  input x{LONG}: f32[B{LONG} = 1, 4]\n"
    f"  output y{LONG} = x{LONG} -> l{LONG}: linear(4)\n}}\n",
)
KEPT = ("é", "ｆ", "名前", "ﬁ", "ı", "ͺ", "ª", "class", "None", "torch", "add_module", "training")
PLAIN = "0 a-b a'b self print len F nn Tensor Net init x _ math keys2 s t"
built("labels that are kept", "E0820 E0823", " -> ".join(f'"{name}": conv(4, 1)' for name in KEPT))
built("labels", FINE, "\n -> ".join(f'"{name}.{name}": conv(4, 1)' for name in PLAIN.split()))
NAMES = "torch F nn self super Tensor int len range math List Optional print Net net forward module"
NAMED = [*NAMES.split(), "training", "annotate", "True_", "None_", "isinstance", "need", "live"]
BLOCKS = [
    f"block {name}_({name}: int) {{\n  input v: [B, C, {name}_, W]\n"
    f"  output v -> resize(({name}_ + W, W)) -> conv({name}, 1)\n}}"
    for name in NAMED
]
written(
    "names of blocks and variables",
    FINE,
    *(f"{name} = x -> {name}_(3) -> {name}_(5)" for name in NAMED),
    *(f"output {name}_ = {name}" for name in NAMED),
    head="\n".join(BLOCKS),
)
file(
    "names of inputs and sizes",
    FINE,
    "network torch {\n"
    + "\n".join(f"  input {name}: f32[{name}_ = 2, 4]" for name in NAMED)
    + "\n"
    + "\n".join(f"  output {name}2 = {name} -> expand(3, {name}_, 4)" for name in NAMED)
    + "\n}\n",
)
QUOTES = '# """ \\" \\\\ \' {x} \\N{BULLET} \\u0000 %s\n# \\\n'
file(
    "documentation with quotes",
    FINE,
    f"{QUOTES}block b {{ relu }}\n{QUOTES}" + network("output x -> b").lstrip(),
)

# ---------------------------------------------------------------------- patterns

AXES = [f"a{i}" for i in range(40)]
ONES = f"network net {{\n  input x: f32[{'1, ' * 39}1]\n  output "
TEXT = " ".join(AXES)
file("a long pattern", FINE, f'{ONES} x -> rearrange("{TEXT} -> {" ".join(reversed(AXES))}")\n}}\n')
file("a pattern of one group", FINE, f'{ONES} x -> rearrange("{TEXT} -> ({TEXT})")\n}}\n')
file("an einsum of many axes", FINE, f'{ONES} (x, x) -> einsum("{TEXT}, {TEXT} -> ")\n}}\n')

REDUNDANT = {"build: mul of many", "build: maximum of many", "build: tuples just in tuples"}
"""Built only in slow runs: `add of many` and `tuples in tuples` are of the same kind. The last adds
the deepest tuples that are accepted."""

QUICK = tuple(name for name in BUILT if "thousands" not in name and name not in REDUNDANT)
"""Built in each run of the tests: those made for building that have a few hundred nodes."""

__all__ = ["CASES"]
