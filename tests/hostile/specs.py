"""Specs that try to use up time or memory, and large specs that are legitimate.

Each has the codes that may be reported for it; `FINE` means that no error is reported.
"""

from __future__ import annotations

FINE = ""
CASES: dict[str, tuple[str, str]] = {}


def network(*lines: str, head: str = "") -> str:
    """A file with some definitions and one network."""
    body = "\n".join(f"  {line}" for line in lines)
    return f"{head}\nnetwork net {{\n  input x: f32[B = 1, 4, H = 8, W = 8]\n{body}\n}}\n"


def case(name: str, codes: str, text: str) -> None:
    """One spec, unchanged."""
    assert name not in CASES
    CASES[name] = (codes, text)


def layer(name: str, codes: str, expression: str, *head: str) -> None:
    """A network that applies one layer."""
    case(name, codes, network(f"output x -> {expression}", head="\n".join(head)))


def rule(name: str, codes: str, start: str, base: str, step: str, inline: str = "") -> None:
    """A network that applies `f`, with two clauses."""
    layer(name, codes, start, f"{inline}rule f{base}", f"{inline}rule f{step}")


# ---------------------------------------------------------------------- recursion

layer("endless", "E0502", "f(0)", "rule f(n) => conv(4, 1) -> f(n + 1)")
layer("endless inline", "E0502", "f(0)", "inline rule f(n) => conv(4, 1) -> f(n + 1)")
layer("endless value", "E0502", "conv(f(0), 1)", "rule f(n) => 1 + f(n + 1)")
layer("same arguments", "E0503", "f(0)", "rule f(n) => conv(4, 1) -> f(n)")
layer("a block in itself", "E0503", "f", "block f { conv(4, 1) -> f }")
layer("an inline block in itself", "E0502", "f", "inline block f { conv(4, 1) -> f }")
layer("mutual", "E0502", "f(0)", "rule f(n) => relu -> g(n + 1)", "rule g(n) => relu -> f(n + 1)")
layer("mutual values", "E0502", "conv(f(0), 1)", "rule f(n) => g(n + 1)", "rule g(n) => f(n + 1)")
case("a network in itself", "E0503", "network a {\n  input x: f32[B = 1, 4]\n  output x -> a\n}\n")
case("presets in a circle", "E0503 E0703", "preset a = b\npreset b = a\n")
layer(
    "Ackermann",
    "E0501 E0502",
    "conv(a(3, 30), 1)",
    "rule a(0, n) => n + 1",
    "rule a(m, 0) => a(m - 1, 1)",
    "rule a(m, n) => a(m - 1, a(m, n - 1))",
)
rule("just deep enough", FINE, "f(190)", "(0) => relu", "(n) => conv(4, 1) -> f(n - 1)")
rule("deep and free", FINE, "f(190)", "(0) => relu", "(n) => max_pool(2, stride=1) -> f(n - 1)")
rule("deep inline", FINE, "f(390)", "(0) => relu", "(n) => relu -> f(n - 1)", "inline ")
rule("deep brackets", FINE, "f(390)", "(0) => relu", "(n) => [[[[(f(n - 1))]]]]", "inline ")
rule("deep values", FINE, "conv(f(390), 1)", "(0) => 4", "(n) => max(((f(n - 1))), 0)")
rule(
    "deep loops",
    FINE,
    "f(390)",
    "(0) => relu",
    "(n) => for i in 0..1 { for j in 0..1 { {(f(n - 1))} } }",
    "inline ",
)

# ---------------------------------------------------------------------- repetition

layer("a billion layers", "E0501", "repeated(1000000000, relu)")
layer("a long loop", "E0501", "for i in 0..1000000000000000000 { conv(4, 1) }")
layer("loops in loops", "E0501", "for i in 0..1000 { for j in 0..1000 { relu } }")
layer("loops of nothing", "E0501", "for i in 0..9999 { for j in 0..9999 { identity } }")
layer("loops of absence", "E0501", "for i in 0..9999 { for j in 0..9999 { if false { relu } } }")
layer("a range without end", "E0313", "for i in 0.. { relu }")
layer("a loop just short enough", FINE, "for i in 0..6000 { relu }")
layer("weights just few enough", FINE, "for i in 0..5000 { conv(4, 3) }")
layer("different blocks", FINE, "for i in 0..1500 { f(i) }", "block f(i: int) { residual(relu) }")
layer("too many blocks", "E0501", "for i in 0..9000 { f(i) }", "block f(i: int) { relu }")
layer("axes", "E0501 E0401", "for i in 0..5000 { unsqueeze(0) }")
layer("nested loops", "E0501", "for i in 0..2 { " * 58 + "relu" + " }" * 58)

# ---------------------------------------------------------------------- growth

TWICE = "(n) => f(n - 1) -> f(n - 1)"
rule("doubling", "E0501", "f(60)", "(0) => relu", TWICE, "inline ")
rule("doubling nothing", "E0501", "f(60)", "(0) => identity", TWICE, "inline ")
rule("doubling absence", "E0501", "f(60)", "(0) => if false { relu }", TWICE, "inline ")
rule(
    "doubling branches",
    "E0501",
    "f(60)",
    "(0) => relu",
    "(n) => [f(n - 1), f(n - 1)] -> add",
    "inline ",
)
rule(
    "doubling by position",
    "E0501",
    "f(60, 0)",
    "(0, k) => relu",
    "(n, k) => f(n - 1, 2 * k) -> f(n - 1, 2 * k + 1)",
)
rule("doubling, remembered", FINE, "conv(f(60), 1)", "(0) => 4", "(n) => max(f(n - 1), f(n - 1))")
rule("strings", "E0501", 'f(60, "ab")', '(0, s) => "{s}": relu', '(n, s) => f(n - 1, "{s}{s}")')
rule("strings added", "E0501", 'f(60, "ab")', "(0, s) => relu", "(n, s) => f(n - 1, s + s)")
rule("lists", "E0501", "f(60, [1])", "(0, l) => relu", "(n, l) => f(n - 1, [...l, ...l])")
rule("lists added", "E0501", "f(60, [1])", "(0, l) => relu", "(n, l) => f(n - 1, l + l)")
rule("lists in lists", "E0501", "f(300, [1])", "(0, l) => relu", "(n, l) => f(n - 1, [l, l])")
rule("deep lists", FINE, "f(190, [1])", "(0, l) => relu", "(n, l) => f(n - 1, [l])")
rule("layers", "E0501", "f(60, relu)", "(0, l) => l", "(n, l) => f(n - 1, l -> l)")
rule("layers in lists", "E0501", "f(60, relu)", "(0, l) => l", "(n, l) => f(n - 1, [l, l] -> add)")
layer(
    "layers in arguments",
    "E0501",
    "f(60, relu)",
    "inline block both(a: layer, b: layer) { a -> b }",
    "rule f(0, l) => l",
    "rule f(n, l) => f(n - 1, both(l, l))",
)
rule("squares", "E0314", "conv(f(60, 3), 1)", "(0, x) => x", "(n, x) => f(n - 1, x * x)")
rule(
    "float squares",
    "E0309 E0314",
    "conv(int(f(60, 3.0)), 1)",
    "(0, x) => x",
    "(n, x) => f(n - 1, x * x)",
)
layer("a power", "E0314", "conv(2 ** (10 ** 9), 1)")
layer("ten thousand digits", "E0314", "conv(10 ** 10000, 1)")
layer("a tower", "E0314", "conv(9 ** 9 ** 9 ** 9, 1)")
layer("beyond floats", "E0314 E0309", "conv(int(1e300 ** 10.0), 1)")
layer("infinity", "E0314 E0309", "conv(int(1e308 * 10.0), 1)")
layer("no number", "E0301", "dropout(1e308 * 10.0 - 1e308 * 10.0)")
layer(
    "comprehensions",
    "E0501",
    "conv(len([[[[i + j for i in 0..99] for j in 0..99] for k in 0..99] for l in 0..99]), 1)",
)
layer("a sum of a range", "E0501", "conv(sum(0..1000000000000), 1)")
layer("the greatest of a range", "E0501", "conv(max(0..1000000000000), 1)")
layer("sums of ranges", "E0501", "conv(sum([sum(0..9999) for i in 0..9999]), 1)")
layer("ranges side by side", "E0501", "conv(sum([len(zip(0..999, 0..999)) for i in 0..9999]), 1)")
case(
    "slices",
    "E0501",
    network(
        "l = [...(0..9000)]",
        "output x -> conv(sum([len(l[0..8999]) for i in 0..9000]), 1)",
    ),
)
case(
    "equal lists",
    FINE,
    network(
        "l = [...(0..900)]",
        "output x -> conv(sum([1 for i in 0..900 if l == l]), 1)",
    ),
)
case(
    "lists as arguments",
    FINE,
    network(
        "l = [...(0..9000)]",
        "output x -> conv(sum([f(l, i) for i in 0..9000]), 1)",
        head="rule f(l, i) => 1",
    ),
)
GROW = "for i in 0..60 { input ...t\n output (...t, ...t) } -> add"
layer("tuples", "E0501", GROW)
layer("tuples in tuples", "E0501 E0304", "for i in 0..60 { input ...t\n output (t, t) } -> add")
case(
    "an unbound giant",
    "E0401 E0501",
    network("param p: f32[1000000000000] = zeros", "t = p -> unbind(0)", "output x"),
)
layer("stacks", FINE, "for i in 0..60 { [identity, identity] -> stack }")
layer("channels", "E0314", "for i in 0..200 { [identity, identity] -> concat }")

# ---------------------------------------------------------------------- text

layer("a million characters", "E0101", "relu -> " * 142_857 + "relu")
layer("a long line", "E0102", "relu -> " * 1_000 + "relu")
layer("a long string", "E0102 E0105", '"' + "a" * 2_000 + '": relu')
layer("parentheses", "E0102 E0103", "(" * 10_000 + "relu" + ")" * 10_000)
layer("parentheses on a line", "E0103", "(" * 2_000 + "relu" + ")" * 2_000)
layer("brackets over lines", "E0103", "[\n" * 10_000 + "relu" + "]\n" * 10_000)
layer("parentheses that stay open", "E0103", "(" * 4_000)
layer("just few enough parentheses", FINE, "(" * 60 + "relu" + ")" * 60)
layer("just few enough braces", FINE, "{ " * 60 + "relu" + " }" * 60)
layer("signs", "E0104", "conv(" + "-" * 4_000 + "1, 1)")
layer("negations", "E0104", "if " + "not " * 1_000 + "true { relu }")
layer("terms", "E0104", "conv(" + " + ".join(["1"] * 1_000) + ", 1)")
layer("choices", "E0104", "conv(" + "if true then 1 else " * 200 + "1, 1)")
layer("attributes", "E0104", "relu" + ".a" * 1_000)
layer("indices", "E0104", "conv([1]" + "[0]" * 1_000 + ", 1)")
layer("a chain of lines", FINE, "\n -> ".join(["relu"] * 5_000))
layer("too long a chain of lines", "E0501", "\n -> ".join(["relu"] * 20_000))
case("words", "E0106", "\n".join(["block b { relu -> relu -> relu }"] * 13_000))
case("open brackets", "E0115", "network net {\n" + "  output x -> ) ( ] [\n" * 5_000 + "}\n")
case("garbage", "E01", "".join(chr(33 + (i * 7919) % 90) for i in range(4_000)))
case("lines of ducks", "E01", "network 🦆 { output x }\n" * 1_000)
case("control characters", "E0111", "\x00\x01\x02\x7f\x1b[31m" + network("output x"))
layer("a quote in a label", "E01", r'"a\"b": relu')
layer("a line end in a label", "E01", '"a\nb": conv(4, 1)')
layer("control characters in a label", "E0605 E01", '"a\x00b\x1b[31m": conv(4, 1)')
layer("a label from right to left", "E0605 E01", '"a\u202eb": conv(4, 1)')
layer("a label of dots", "E0605", '"...": conv(4, 1)')
layer("a long label", "E0605", '"' + "a" * 900 + '": conv(4, 1)')
case("a path", "E0119 E0128", "use ../../etc/passwd\n" + network("output x"))
case("a quoted path", "E0128", 'use "../../etc/passwd" { a }\n' + network("output x"))
case("a path of the library", "E01", "use std...etc.passwd { a }\n" + network("output x"))
case("many paths", "E0201", "\n".join(f"use a{i}" for i in range(2_000)) + network("output x"))

# ---------------------------------------------------------------------- many definitions

case(
    "unknown names",
    "E0210",
    "\n".join(f"block b{i}(n: int) {{ convv{i}(n, 3) -> relu }}" for i in range(3_000)),
)
case(
    "long unknown names",
    "E0210",
    "\n".join(f"block {'a' * 190}{i} {{ relu }}" for i in range(1_000))
    + network(*(f"y{i} = x -> {'a' * 191}{i}b" for i in range(300)), "output x"),
)
case(
    "networks",
    FINE,
    "\n".join(
        f"network n{i} {{\n  input x: f32[B = 1, 4]\n  output x -> linear(4)\n}}"
        for i in range(1_500)
    ),
)
case(
    "networks that fail",
    "E0502",
    "rule f(n) => linear(4) -> f(n + 1)\n"
    + "\n".join(
        f"network n{i} {{\n  input x: f32[B = 1, 4]\n  output x -> f(0)\n}}" for i in range(200)
    ),
)
case(
    "presets",
    "E0501",
    "network net(n: int = 10) {\n  input x: f32[B = 1, 4]\n"
    "  output x -> for i in 0..n { linear(4) }\n}\n"
    + "\n".join(f"preset p{i} = net({i + 1000})" for i in range(500)),
)
layer("clauses", FINE, "f(4999)", *(f"rule f({i}) => relu" for i in range(5_000)))
layer(
    "clauses again and again",
    "E0501",
    "for i in 0..3000 { f(i) }",
    *(f"rule f({i}) => relu" for i in range(3_000)),
)
case(
    "names",
    FINE,
    network("y0 = x", *(f"y{i + 1} = y{i} + y{i}" for i in range(6_000)), "output y6000"),
)
case(
    "assertions",
    FINE,
    network(*(f'assert H > {i - 100_000}, "a{i}"' for i in range(1_500)), "output x"),
)

# ---------------------------------------------------------------------- sizes


def where(name: str, codes: str, clause: str, expression: str = "x") -> None:
    """A network that is hostile because of its `where`."""
    head = f"network net {{\n  input x: f32[B = 1, 4, H = 8, W = 8] where {clause}\n"
    case(name, codes, f"{head}  output {expression}\n}}\n")


for power, codes in ((200, "E0411"), (20, "E0402"), (8, "E0402")):
    case(
        f"a polynomial of degree {power}",
        codes,
        network(f"y: [(H + W + B)**{power}, C, H, W] = x", "output y"),
    )
case("a size to the billionth", "E0411", network("y: [H**1000000000, C, H, W] = x", "output y"))
where("a polynomial in where", "E0411", "(H + W + B)**200 % 7 == 0")
where("many residues", "E0707", ", ".join(f"H % {p} != {p - 1}" for p in range(9, 200)))
where(
    "alternatives",
    FINE,
    ", ".join(f"(H % {p} == {8 % p} or W % {p} == {8 % p})" for p in range(2, 40)),
)
where(
    "a large modulus",
    "E0410 E0404",
    "H % 1000000007 == 8",
    "x -> [identity, max_pool(2) -> upsample(2)] -> add",
)
where("squares of sizes", "E0707", "H**2 + W**2 == B**2")
SQUARE = "for i in 0..30 { input v: [_, _, h, w]\n output v -> resize((h * w, h * w)) }"
layer("degrees", "E0411", SQUARE)
layer(
    "degrees and strides", "E0411 E0501", SQUARE.replace("w)) }", "w)) -> conv(4, 3, stride=2) }")
)
layer(
    "pads",
    FINE,
    "for i in 0..200 { input v: [_, _, h, w]\n output v -> pad([(2, h, h), (3, w, w)]) }",
)
layer("pools", FINE, "for i in 0..300 { max_pool(2) }")
layer("strides", FINE, "for i in 0..300 { conv(4, 3, stride=2) }")
layer(
    "window by window",
    FINE,
    "for p in 2..40 { max_pool(p, stride=1) -> conv(4, 3, stride=2) -> upsample(2) }",
)
PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43)
layer(
    "primes",
    "E0410 E0402",
    "[" + ", ".join(f"max_pool({p}) -> upsample({p})" for p in PRIMES) + "] -> add",
)
layer(
    "primes in sequence",
    "E0410 E0402",
    f"for p in {list(PRIMES)} {{ residual(max_pool(p) -> upsample(p)) }}",
)
layer("a large prime", "E0410 E0402", "residual(max_pool(1000003) -> upsample(1000003))")
layer(
    "poolings",
    FINE,
    "f(9)",
    "rule f(0) => conv(4, 3)",
    "rule f(n) => [max_pool(2) -> f(n - 1) -> upsample(2), relu] -> add",
)
FLAT = 'x -> rearrange("b c h w -> b (c h w)") -> unsqueeze(1)'
case(
    "a product of sizes",
    FINE,
    network(f"y = {FLAT} -> max_pool(7) -> upsample(7)", f"z = {FLAT}", "output y + z"),
)
case(
    "a product and a prime",
    "E0410",
    network(f"y = {FLAT} -> max_pool(1009) -> upsample(1009)", f"z = {FLAT}", "output y + z"),
)


def inputs(count: int, layer: str) -> str:
    """Many inputs, each with its own symbols."""
    names = ", ".join(f"x{i}" for i in range(count))
    lines = "\n".join(f"  input x{i}: f32[A{i} = 1, B{i} = 1, C{i} = 2]" for i in range(count))
    return f"network net {{\n{lines}\n  output ({names}) -> {layer}\n}}\n"


case("symbols added", "E0410 E0501 W0401", inputs(300, "add"))
case("symbols joined", "E0410 E0501 W0401", inputs(300, "concat(axis=1)"))
SYMBOLS = ", ".join(f"A{i} = 2" for i in range(400))
case(
    "symbols multiplied",
    "E0411",
    f"network net {{\n  input x: f32[{SYMBOLS}]\n  output x -> flatten\n}}\n",
)
layer("a large stride", FINE, "conv(4, 3, stride=1000000007)")
layer("a large window", FINE, "conv(4, 1000000007)")
layer("channels of 64 bits", FINE, "conv(9223372036854775807, 3)")

# ---------------------------------------------------------------------- large and legitimate

layer("dense", FINE, "dense(250, conv(4, 3))")
COLUMNS = (
    "rule columns(1) => [conv(4, 3)]",
    "rule columns(c) => [conv(4, 3), ...(columns(c - 1) -> join -> columns(c - 1))]",
)
layer("2 to the 40 nodes", FINE, "columns(40) -> join", *COLUMNS)
layer("shared", FINE, "{ input v\n shared f = conv(4, 3)\n output v -> for i in 0..5000 { f } }")
layer(
    "regions in regions",
    FINE,
    "f(60)",
    "inline rule f(0) => relu",
    "inline rule f(n) => iterate(f(n - 1), steps=2)",
)
layer(
    "regions, doubled",
    "E0501",
    "f(60)",
    "inline rule f(0) => relu",
    "inline rule f(n) => iterate(f(n - 1) -> f(n - 1), steps=2)",
)
