"""Folding of batch norms and other affine maps per channel into adjacent layers."""
