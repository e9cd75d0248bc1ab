"""More hostile and large specs: inputs at their limits, and very many of one thing.

`CASES` includes those of `specs` and `specs_folding`.
"""

from __future__ import annotations

import specs_folding  # noqa: F401

from specs import CASES, FINE, case, layer, network, rule

# ---------------------------------------------------------------------- just below the limits

layer("signs, few enough", FINE, "conv(" + "- " * 150 + "4, 1)")
layer("negations, few enough", FINE, "{ if " + "not " * 150 + "true { relu } }")
layer("powers, few enough", FINE, "conv(" + "1 ** " * 190 + "1, 1)")
layer("choices, few enough", FINE, "conv(" + "if false then 1 else " * 95 + "4, 1)")
layer("branches", FINE, "if false { tanh } " + "else if false { tanh } " * 180 + "else { relu }")
layer("indices, few enough", FINE, "conv(" + "[" * 60 + "4" + "]" * 60 + "[0]" * 60 + ", 1)")
layer("bodies in bodies", "E0104", "{ input v\n output v -> " * 60 + "relu" + " }" * 60)
layer("labelled scopes", FINE, "a: (" * 60 + "relu" + ")" * 60)
layer("comprehensions in brackets", "E0501", f"conv(sum({'[' * 55}1{' for i in 0..2]' * 55}), 1)")
layer("a template of many holes", "E0605", '"' + "{1}" * 300 + '": relu')
layer("brackets in a template", "E0103 E0112", '"' + "{(" * 60 + "1" + ")}" * 60 + '": relu')
case("lines of spaces", FINE, (" " * 4_900 + "\n") * 95 + network("output x"))
case("empty lines", FINE, "\n" * 400_000 + network("output x"))
case("documentation", FINE, ("# " + "x" * 4_000 + "\n") * 110 + network("output x"))
case("a line of dots", "E0102", "# " + "x" * 4_999 + "\n")
case("openers over lines", "E0106", "(\n" * 249_000)
case("heads that stay open", "E0106", "block a {\n" * 49_000)
case("bodies that stay open", "E0106", "block a {\n" + "for i in 0..2\n x\n }\n" * 20_000)
case("arrows", "E0116", "block a {\n" + "->\n" * 79_000 + "}\n")
case("commas", "E0116", "block a {\n f(" + ",\n" * 79_000 + ")}\n")
case("equals signs", "E0116", "block a {\n" + "=\n" * 79_000 + "}\n")
case("words alone", "E0119", "a\n" * 79_000)

# ---------------------------------------------------------------------- numbers and ranges

for number, expression in enumerate(
    (
        "len(0..10**18)",
        "len([i for i in 0..10**18])",
        "len([...(0..10**18)])",
        "len(reversed(0..10**18))",
        "len(enumerate(0..10**18))",
        "len(zip(0..10**18, 0..10**18))",
        "sum([1 for i in 0..10**18 if i < 0])",
    )
):
    layer(f"a giant range, {number}", "E0501", f"conv({expression}, 1)")
layer("a float beyond floats", "E0301", "dropout(1e" + "9" * 30 + ")")
layer("an exponential", "E0309", "conv(int(exp(10000.0)), 1)")
layer("a giant kernel", FINE, "conv(4, 10**18, padding=0)")
layer("a giant padding", FINE, "conv(4, 3, padding=10**18)")
layer("a padding of 64 bits", "E0314", "conv(4, 3, padding=2**63 - 1)")
layer("giant pads", FINE, "pad([(2, 10**18, 10**18)])")
layer("giant sizes", FINE, "resize((10**9, 10**9)) -> conv(10**6, 3)")
layer("giant steps", FINE, "iterate(conv(4, 3), steps=10**18)")
layer("a giant split", "E0401", "conv(10**9, 1) -> split(10**9, axis=1)")
case("a giant parameter", FINE, network("param p: f32[10**9, 10**9] = zeros", "output x"))
case("a giant buffer", FINE, network("buffer p: i64[10**15] = arange(10**15)", "output x"))
case(
    "a power of a sum of sizes",
    FINE,
    network("y: [(H * W + H + W + 1) ** 12, C, H, W] = x", "output y"),
)

# ---------------------------------------------------------------------- very many

layer("labels", FINE, "\n -> ".join(f"l{i}: conv(4, 1)" for i in range(3_000)))
layer("paths of labels", FINE, "\n -> ".join(f'"a{i}.b{i}.c{i}": relu' for i in range(3_000)))
layer("labels in a loop", FINE, 'for i in 0..3000 { "l{i}.{i * i}.{i ** 3}": relu }')
layer("a sum of many", FINE, "[conv(4, 1) for i in 0..4500] -> add")
layer("branches side by side", FINE, "[identity for i in 0..9000] -> concat")
case("outputs", FINE, network(*(f"output o{i} = x -> conv(4, 1)" for i in range(3_000))))
case(
    "inputs",
    FINE,
    "network net {\n  input x0: f32[B = 1, 1, H = 8, W = 8]\n"
    + "\n".join(f"  input x{i}: f32[B, {i + 1}, H, W]" for i in range(1, 2_000))
    + f"\n  output ({', '.join(f'x{i}' for i in range(600))}) -> concat\n}}\n",
)
case("lines of use", FINE, "use std.cnn\n" * 19_000 + network("output x"))
case("use of many names", "E0202", "".join(f"use std.cnn {{ a{i} }}\n" for i in range(11_000)))
case("presets of nothing", "E0210", "".join(f"preset a{i} = b{i}(1)\n" for i in range(5_000)))
case("one name", "E0205", "block a { relu }\n" * 13_000)
layer("unknown ops", "E0210", "\n -> ".join(f"cnov{i}(4, 1)" for i in range(1_500)))
layer("wrong attributes", "E0301", f"[{', '.join(['conv(true, 1)'] * 300)}] -> add")
case("statements without effect", "E0706", network(*["relu"] * 10_000))
case("names bound again", "E0211", network(*(f"y{i % 500} = x -> relu" for i in range(5_000))))
case("broken statements", "E0120", network(*["y = = 3"] * 5_000))
case("failing assertions", "E0318", network(*['assert 1 > 2, "no"'] * 3_000, "output x"))

# ---------------------------------------------------------------------- tuples of data

rule(
    "tuples by recursion",
    "E0501",
    "f(60) -> add",
    "(0) => identity",
    "(n) => [identity, identity] -> f(n - 1)",
)
rule(
    "tuples by recursion, inline",
    "E0501",
    "f(60) -> add",
    "(0) => identity",
    "(n) => [identity, identity] -> f(n - 1)",
    "inline ",
)
rule(
    "tuples spread by recursion",
    "E0501",
    "f(60) -> add",
    "(0) => identity",
    "(n) => [...identity, ...identity] -> f(n - 1)",
    "inline ",
)
case(
    "tuples in tuples by hand",
    "E0501",
    network("t0 = (x, x)", *(f"t{n + 1} = (t{n}, t{n})" for n in range(60)), "output t60"),
)
case(
    "wide tuples in wide tuples",
    "E0501",
    network(
        "wide = x -> [identity for i in 0..4000]", "output wide -> [identity for i in 0..4000]"
    ),
)
layer(
    "doubling outputs",
    "E0501",
    "f(60) -> add",
    "inline block twice {\n  input x\n  output a = x\n  output b = x\n}",
    "inline rule f(0) => identity",
    "inline rule f(n) => twice -> f(n - 1)",
)
layer(
    "an undecidable tangle",
    "E0410",
    "[identity, " + "max_pool(7) -> upsample(11) -> " * 12 + "relu] -> add",
)
layer(
    "a rule that is a function",
    FINE,
    "conv(c(27), 1)",
    "rule c(1) => 0",
    "rule c(n) if n % 2 == 0 => 1 + c(n // 2)",
    "rule c(n) => 1 + c(3 * n + 1)",
)
# ---------------------------------------------------------------------- much to fold

layer(
    "norms behind a great many layers that do nothing",
    FINE,
    "conv(4, 3) -> a: for i in 0..4000 { dropout } -> b: for i in 0..4000 { batch_norm }",
)
layer(
    "a norm and a reordering, again and again",
    FINE,
    "conv(4, 3) -> for i in 0..3000 { transpose(2, 3) -> batch_norm }",
)
layer(
    "a sum of a great many convolutions",
    FINE,
    '["c{i}": conv(4, 3, bias=false) for i in 0..1000] -> add',
)
layer(
    "a sum of a great many convolutions that do not merge",
    FINE,
    '["c{i}": conv(4, [2 * i + 1, 1999 - 2 * i]) for i in 0..1000] -> add',
)
layer(
    "blocks that are opened one by one",
    FINE,
    "conv(4, 3) -> f(90)",
    "rule f(0) => batch_norm",
    "rule f(n) => g(n) -> f(n - 1)",
    "block g(n) { batch_norm -> conv(4, 1) }",
)
case("a NUL in a name", "E01", network("output x -> re\0lu"))

__all__ = ["CASES"]
