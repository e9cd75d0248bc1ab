"""Blocks that several tests of modules use."""

PLACED = """
block placed {
  input x: [B, N, D]
  param scale: f32[D] = normal(std=0.1)
  buffer kept: i64[D] = arange(D)
  buffer lost: f32[1, 1, D] = (arange(D) -> cast(f32) -> reshape([1, 1, D])) transient
  output x * scale + lost + (kept -> cast(f32))
}
"""
"""A block with a parameter and buffers of its own, one of which is not in the state dict."""
