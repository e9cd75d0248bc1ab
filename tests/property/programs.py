"""Random well-formed programs over the op set, as text."""

from __future__ import annotations

from hypothesis import strategies as st

small = st.integers(1, 3)
widths = st.integers(1, 6)


@st.composite
def _convolution(draw: st.DrawFn) -> str:
    kernel, stride = draw(st.integers(1, 4)), draw(small)
    padding = draw(st.sampled_from(["", ", padding=0", ", padding=1", ", padding=half"]))
    if kernel % 2 == 0:
        padding = padding.replace("half", "1")
    if not padding and kernel % 2 == 0:
        padding = ", padding=1"
    dilation = draw(st.sampled_from(["", "", ", dilation=2"]))
    bias = draw(st.sampled_from(["", ", bias=false"]))
    return f"conv({draw(widths)}, {kernel}, stride={stride}{padding}{dilation}{bias})"


@st.composite
def _transposed(draw: st.DrawFn) -> str:
    kernel, stride = draw(st.integers(1, 4)), draw(small)
    padding = draw(st.integers(0, kernel - 1)) // 2
    return f"conv_transpose({draw(widths)}, {kernel}, stride={stride}, padding={padding})"


@st.composite
def _pool(draw: st.DrawFn) -> str:
    kind, kernel = draw(st.sampled_from(["max_pool", "avg_pool"])), draw(st.integers(1, 4))
    stride, padding = draw(small), draw(st.integers(0, kernel // 2))
    ceil = draw(st.sampled_from(["", ", ceil=true"]))
    return f"{kind}({kernel}, stride={stride}, padding={padding}{ceil})"


KEEPING = (
    *("relu", "gelu", "tanh", "sigmoid", "identity", "dropout(0.1)", "batch_norm", "hard_swish"),
    *("group_norm(1)", "softmax(axis=1)", "roll(1, 2)", "square", "flip([2])", "abs"),
)
RESHAPING = (
    "upsample(2)",
    "pad([(2, 1, 0)])",
    "pad([(2, 1, 2), (3, 0, 1)])",
    'rearrange("b c h w -> b c w h")',
    'rearrange("b c (h p) w -> b (c p) h w", p=2)',
    'rearrange("b c h (w p) -> b (c p) h w", p=3)',
    "pixel_unshuffle(2)",
    "slice(axis=2, start=1)",
    "slice(axis=3, step=2)",
    "adaptive_avg_pool(3)",
    "global_avg_pool(keepdim=true)",
    "unfold(2, stride=2) -> unsqueeze(3)",
)
plain = st.one_of(
    _convolution(),
    _convolution(),
    _transposed(),
    _pool(),
    st.sampled_from(KEEPING),
    st.sampled_from(KEEPING),
    st.sampled_from(RESHAPING),
)


def _combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(inner, inner)
    return st.one_of(
        pairs.map(lambda two: f"{two[0]} -> {two[1]}"),
        pairs.map(lambda two: f"({two[0]} -> {two[1]})"),
        pairs.map(lambda two: f"[{two[0]}, {two[1]}] -> concat"),
        pairs.map(lambda two: f"[identity, {two[0]}, {two[1]}] -> concat(axis=2)"),
        pairs.map(lambda two: f"[{two[0]} -> conv(4, 1), {two[1]} -> conv(4, 1)] -> add"),
        inner.map(lambda one: f"residual({one} -> conv(3, 1)) "),
        inner.map(lambda one: f"conv(3, 1) -> residual({one} -> conv(3, 1))"),
        inner.map(lambda one: f"[identity, {one}] -> mul"),
        st.tuples(st.integers(0, 2), inner).map(
            lambda t: f"body{t[0]}: for i in 0..{t[0]} {{ {t[1]} }}"
        ),
        inner.map(lambda one: f"if 3 > 2 {{ {one} }} else {{ relu }}"),
        inner.map(
            lambda one: f"{{ input v: [B_, C_, h, w]\n output v -> {one} -> resize((h, w)) }}"
        ),
        inner.map(lambda one: f"wrap({one})"),
        st.just("block(2) -> block(2)"),
    )


layers = st.recursive(plain, _combined, max_leaves=7)

WHERE = (
    "",
    "",
    "",
    " where H % 2 == 0, W % 2 == 0",
    " where H % 4 == 0, W % 6 == 0",
    " where H >= 12, W >= 12",
    " where H == W",
    " where H % 3 == 1",
    " where H > W",
    " where H * W >= 64",
)
TAILS = (
    "",
    "",
    " -> global_avg_pool -> flatten -> linear(5)",
    ' -> conv(4, 1) -> rearrange("b c h w -> b (h w) c") -> linear(8) -> layer_norm -> attend',
)
HEAD = """
block block(width: int) { conv(width, 3, bias=false) -> batch_norm -> relu }
block wrap(f: layer) { f -> relu }
block attend {
  input x: [B, N, D]
  q, k, v = x -> linear(3 * D) -> rearrange("b n (t h d) -> t b h n d", t=3, h=2) -> unbind(0)
  y = (q, k -> transpose(-1, -2)) -> matmul
  z = (y -> softmax(axis=-1), v) -> matmul
  output (z, (q, k, v) -> scaled_dot_product_attention) -> add -> rearrange("b h n d -> b n (h d)")
}
"""


@st.composite
def programs(draw: st.DrawFn) -> str:
    """The text of a network `net`."""
    where = draw(st.sampled_from(WHERE))
    tail = draw(st.sampled_from(TAILS))
    height, width = ("25", "24") if "H % 3" in where else ("24", "24")
    height = "30" if "H > W" in where else height
    shape = f"f32[B = 2, 3, H = {height}, W = {width}]"
    body = f"  input x: {shape}{where}\n  output x -> {draw(layers)}{tail}\n"
    return f"{HEAD}\nnetwork net {{\n{body}}}\n"
