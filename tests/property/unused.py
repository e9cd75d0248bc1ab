"""Random programs in which not everything is used, as text."""

from __future__ import annotations

from hypothesis import strategies as st

HEAD = """
block pair(width: int) {
  input x
  output first = x -> conv(width, 1)
  output second = x -> conv(width, 3, padding=0)
}
block columns(width: int) {
  input x
  output shallow = x -> conv(width, 1)
  output deep = x -> conv(width, 1) -> conv(width, 1)
}
block partly(width: int) {
  input x
  spare = x -> conv(width, 5, padding=0) -> relu
  output x -> conv(width, 1)
}
block nested(width: int) {
  input x
  near, far = x -> pair(width)
  output near = near -> conv(2, 1)
  output far = far -> batch_norm -> relu
}
block late(width: int) {
  input x
  aux = x -> conv(width, 3, padding=0)
  output x -> conv(width, 1)
  output aux when training
}
"""

ONE = (
    "conv(4, 3)",
    "conv(3, 5, padding=0)",
    "conv(2, 3, stride=2)",
    "max_pool(2)",
    "max_pool(4, stride=1, padding=0)",
    "relu",
    "batch_norm",
    "partly(3)",
    "loop@: for i in 0..2 { conv(3, 3, padding=0) -> relu }",
    "{ input v\n    lost = v -> conv(2, 6, padding=0)\n    output v -> conv(3, 1) }",
    "iterate(conv(same, 3), 2)",
    "iterate({ input v\n    lost = v -> conv(5, 1)\n    output v -> conv(same, 1) }, 3)",
    "conv(3, 1) -> iterate({ input v\n    near, far = v -> pair(3)\n    output near }, 2)",
    "if training { late@: conv(same, 1) } else { relu }",
)
TWO = (
    *("pair(4)", "nested(3)", "columns(4)", "[conv(2, 1), conv(2, 3)]", "split([1, 1], axis=0)"),
    "conv(3, 1) -> iterate({ input v\n    output near = v -> conv(2, 1)\n"
    "    output far = v -> conv(3, 1) }, 2)",
    "[conv(3, 1), conv(3, 1)] -> iterate({ input v\n    input w\n"
    "    output v -> conv(3, 3)\n    output near = v + (w -> conv(3, 3)) }, 2)",
    "[conv(2, 1), conv(3, 1)] -> scan({ input v\n    input w\n"
    "    output near = w -> conv(4, 1)\n"
    "    output w + (v -> unsqueeze(1) -> conv(3, 1)) }, axis=1)",
)


@st.composite
def programs(draw: st.DrawFn) -> str:
    """The text of a network `net` whose bindings are randomly read or unused."""
    lines, known = [], ["x"]
    shared = draw(st.booleans())
    if shared:
        lines.append("shared twice = twice: pair(3)")
    for number in range(draw(st.integers(1, 6))):
        source = draw(st.sampled_from(known))
        kind = draw(st.sampled_from(["one", "one", "two", "join", "shared" if shared else "one"]))
        if kind == "one":
            layer = draw(st.sampled_from(ONE)).replace("@", str(number))
            lines.append(f"v{number} = {source} -> {layer}")
            known.append(f"v{number}")
            continue
        layer = draw(st.sampled_from(TWO)) if kind == "two" else "columns(3)"
        layer = "conv(3, 1) -> twice" if kind == "shared" else layer
        lines.append(f"a{number}, b{number} = {source} -> {layer}")
        known += [f"a{number}", f"b{number}"]
        if kind == "join":
            drop = draw(st.sampled_from(["", "drop=0.2"]))
            lines.append(f"v{number} = (a{number}, b{number}) -> join({drop})")
            known.append(f"v{number}")
    outputs = draw(st.lists(st.sampled_from(known[1:]), min_size=1, max_size=2, unique=True))
    lines += [f"output out_{name} = {name}" for name in outputs]
    late = draw(st.sampled_from(["", *known]))
    if late:
        lines.append(f"output late = {late} -> conv(2, 1) when training")
    body = "\n  ".join(lines)
    return f"{HEAD}\nnetwork net {{\n  input x: f32[B = 2, 3, H = 24, W = 24]\n  {body}\n}}\n"
